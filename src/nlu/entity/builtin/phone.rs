//! Telephone numbers: `+49 30 1234567`, `(555) 123-4567`, `030/1234567`.
//!
//! The value keeps the digits and a leading plus, as in E.164. Without a plus only what is written
//! like a telephone number is one: it starts with 0 or a bracket, or comes in groups of 3 and 4.

use super::words::Words;
use crate::nlu::text::TokenKind;

/// A telephone number has at most this many groups.
const MOST_GROUPS: usize = 8;

/// A telephone number at a word: the position behind it, and its digits.
pub(super) fn phone(words: &Words<'_>, at: usize) -> Option<(usize, String)> {
    let plus = words.word(at) == "+" && words.glued(at + 1);
    let bracket = words.word(at) == "(";
    let mut end = if plus || bracket { at + 1 } else { at };
    if !words.is_number(end) || (!plus && !bracket && !words.starts_at(at)) {
        return None;
    }
    let mut digits = String::from(if plus { "+" } else { "" });
    let mut groups: Vec<usize> = Vec::new();
    let mut open = bracket;
    let mut spaced = 0;
    loop {
        let group = words.word(end);
        if group.len() > 15 || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.push_str(group);
        groups.push(group.len());
        end += 1;
        let mut next = end;
        if open && words.word(next) == ")" && words.glued(next) {
            open = false;
            next += 1;
            end = next;
        }
        if !open && !groups.is_empty() && words.word(next) == "(" && words.is_number(next + 1) {
            open = true;
            next += 1;
        } else if matches!(words.word(next), "-" | "/" | ".") && words.is_number(next + 1) {
            next += 1;
        }
        let near = words.gap(next).is_some_and(|gap| gap <= 1);
        if groups.len() >= MOST_GROUPS || words.kind(next) != Some(TokenKind::Number) || !near {
            break;
        }
        if words.gap(next) == Some(1) {
            spaced += 1;
        }
        end = next;
    }
    let count: usize = groups.iter().sum();
    let small = groups.iter().skip(1).any(|group| *group < 2);
    let national = digits.starts_with('0') && count >= 7 && (groups.len() > 1 || count >= 9);
    let american =
        matches!(groups.as_slice(), [3, 3, 4] | [1, 3, 3, 4] | [3, 4]) && (spaced == 0 || groups.len() > 2);
    // Mobile numbers of China: eleven digits from 13 to 19.
    let mobile = words.grammar.tongue.unspaced.is_some_and(|spec| spec.mobile)
        && matches!(groups.as_slice(), [11] | [3, 4, 4])
        && digits.starts_with('1')
        && !digits.starts_with("10");
    // "8 (495) 123-45-67", where 8 leads out of the town.
    let russian = groups.as_slice() == [1, 3, 3, 2, 2] && digits.starts_with('8');
    let fits = match (plus, bracket) {
        (true, _) => count >= 7,
        (false, true) => count >= 9 && groups.len() > 1,
        _ => (national || american || mobile || russian) && !small,
    };
    (fits && !open && count <= 15 && words.ends_at(end)).then_some((end, digits))
}
