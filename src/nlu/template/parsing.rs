//! From the text of a template to its pieces.

use super::Piece;
use crate::nlu::text::{Text, TokenKind};

/// Groups within groups.
const MAX_DEPTH: usize = 16;
/// Characters of a template.
const MAX_CHARS: usize = 1_000;

struct Open {
    close: char,
    alternatives: Vec<Piece>,
    sequence: Vec<Piece>,
}

/// Reads a template. The error is a sentence that says what is wrong.
pub(crate) fn parse(template: &str) -> Result<Piece, String> {
    if template.chars().count() > MAX_CHARS {
        return Err(format!("this template is longer than {MAX_CHARS} characters"));
    }
    let mut outer: Vec<Open> = Vec::new();
    let mut here = Open { close: '\0', alternatives: Vec::new(), sequence: Vec::new() };
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = after;
        match c {
            '(' | '[' => {
                if outer.len() >= MAX_DEPTH {
                    return Err("this template has groups within too many groups".into());
                }
                let close = if c == '(' { ')' } else { ']' };
                outer.push(std::mem::replace(
                    &mut here,
                    Open { close, alternatives: Vec::new(), sequence: Vec::new() },
                ));
            }
            ')' | ']' => {
                if here.close != c {
                    return Err(format!("this template has a \"{c}\" that nothing opens"));
                }
                let Some(before) = outer.pop() else {
                    return Err(format!("this template has a \"{c}\" that nothing opens"));
                };
                let group = std::mem::replace(&mut here, before);
                let mut alternatives = group.alternatives;
                alternatives.push(Piece::All(group.sequence));
                if c == ']' {
                    alternatives.push(Piece::All(Vec::new()));
                }
                here.sequence.push(Piece::Any(alternatives));
            }
            '|' if here.close != '\0' => {
                let sequence = std::mem::take(&mut here.sequence);
                here.alternatives.push(Piece::All(sequence));
            }
            '{' => {
                let (name, after) = rest.split_once('}').ok_or("this template has a \"{\" without \"}\"")?;
                let (list, entity) = name.split_once(':').unwrap_or((name, name));
                let (list, entity) = (list.trim(), entity.trim());
                if list.is_empty() || entity.is_empty() {
                    return Err("this template has a list without a name".into());
                }
                here.sequence.push(Piece::List(list.to_owned(), entity.to_owned()));
                rest = after;
            }
            '}' => return Err("this template has a \"}\" that nothing opens".into()),
            _ => {
                let end = rest.find(['(', '[', ')', ']', '|', '{', '}']).unwrap_or(rest.len());
                let start = template.len() - rest.len() - c.len_utf8();
                let text = template.get(start..start + c.len_utf8() + end).unwrap_or_default();
                words(text, &mut here.sequence);
                rest = rest.get(end..).unwrap_or_default();
            }
        }
    }
    if outer.is_empty() {
        Ok(Piece::All(here.sequence))
    } else {
        Err(format!("this template has no \"{}\" at its end", here.close))
    }
}

/// Words as the engine sees them, without punctuation.
fn words(text: &str, sequence: &mut Vec<Piece>) {
    let text = Text::new(text);
    let mut end = 0;
    for token in text.tokens.iter().filter(|token| token.kind != TokenKind::Symbol) {
        if token.start > end {
            sequence.push(Piece::Space);
        }
        sequence.push(Piece::Word(text.slice(*token).to_owned()));
        end = token.end;
    }
    if end < text.normal.len() {
        sequence.push(Piece::Space);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        for (template, word) in [
            ("(a", ")"),
            ("a)", "opens"),
            ("[a)", "opens"),
            ("{x", "without"),
            ("{}", "name"),
            ("a}", "opens"),
        ] {
            assert!(parse(template).unwrap_err().contains(word), "{template}");
        }
        assert!(parse(&"(".repeat(40)).is_err());
        assert!(parse(&"a".repeat(2_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_template_panic(text in "[a-cé \\[\\](){}|:,]{0,40}") {
            let _ = parse(&text);
        }
    }
}
