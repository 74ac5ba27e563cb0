//! Text as the engine sees it: compatibility-composed, case-folded, cut into words, and able to
//! say where each piece stood in the original, in Unicode code points.
//!
//! At most [`MAX_CHARS`] code points are analysed. A spoken command is far shorter; the cap is
//! what bounds the time that a hostile text can take.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// How many code points of an utterance are looked at. The rest is ignored.
pub const MAX_CHARS: usize = 2_000;

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Letters of a script that separates words.
    Word,
    /// Digits.
    Number,
    /// One character of a script without spaces.
    Ideograph,
    /// Anything else that can be seen.
    Symbol,
}

/// How a word was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Small,
    /// One capital first.
    Title,
    /// A single capital letter.
    Letter,
    /// A capital first, and more of them.
    Capitals,
}

/// A piece of the normalised text, as a byte range of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub start: usize,
    pub end: usize,
    pub kind: TokenKind,
}

/// A normalised text and the way back to the original.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    /// NFKC and case-folded; at most [`MAX_CHARS`] original code points' worth.
    pub normal: String,
    /// For each byte of `normal`: the original code points (first, one past the last).
    origin: Vec<(u32, u32)>,
    /// For each byte of `normal`: whether it starts what was a capital letter.
    capital: Vec<bool>,
    pub tokens: Vec<Token>,
}

impl Text {
    pub(crate) fn new(original: &str) -> Self {
        let mut text = Self::default();
        if original.is_ascii() {
            text.push_ascii(original);
        } else {
            text.push_clusters(original);
        }
        text.tokens = tokens(&text.normal);
        text
    }

    fn push_ascii(&mut self, original: &str) {
        for (at, byte) in (0_u32..).zip(original.bytes().take(MAX_CHARS)) {
            self.normal.push(char::from(byte.to_ascii_lowercase()));
            self.origin.push((at, at + 1));
            self.capital.push(byte.is_ascii_uppercase());
        }
    }

    /// Normalises cluster by cluster (a starter and what composes with it), because offsets have
    /// to survive and composition never crosses clusters.
    fn push_clusters(&mut self, original: &str) {
        let mut cluster = String::new();
        let mut start = 0;
        let mut at = 0;
        for c in original.chars().take(MAX_CHARS) {
            if !cluster.is_empty() && !continues(c) {
                self.push_cluster(&cluster, start, at);
                cluster.clear();
            }
            if cluster.is_empty() {
                start = at;
            }
            cluster.push(c);
            at += 1;
        }
        self.push_cluster(&cluster, start, at);
    }

    fn push_cluster(&mut self, cluster: &str, start: u32, end: u32) {
        for composed in cluster.nfkc() {
            for c in fold(composed) {
                self.normal.push(c);
                for byte in 0..c.len_utf8() {
                    self.origin.push((start, end));
                    self.capital.push(byte == 0 && composed.is_uppercase());
                }
            }
        }
    }

    /// The original code point range of a byte range of `normal`.
    pub(crate) fn origin(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.origin.get(start).map_or(0, |range| range.0);
        let last = end.checked_sub(1).and_then(|at| self.origin.get(at)).map_or(first, |range| range.1);
        (first as usize, last.max(first) as usize)
    }

    /// The byte range of `normal` that a byte range of the original became, if it became any.
    pub(crate) fn of_original(&self, original: &str, start: usize, end: usize) -> Option<(usize, usize)> {
        let first = u32::try_from(original.get(..start)?.chars().count()).ok()?;
        let length = u32::try_from(original.get(start..end)?.chars().count()).ok()?;
        let from = self.origin.partition_point(|range| range.0 < first);
        let to = self.origin.partition_point(|range| range.1 <= first + length);
        (from < to).then_some((from, to))
    }

    pub(crate) fn slice(&self, token: Token) -> &str {
        self.normal.get(token.start..token.end).unwrap_or_default()
    }

    /// How a word was written before its case was folded.
    pub(crate) fn case(&self, token: Token) -> Case {
        let capital = self.capital.get(token.start..token.end).unwrap_or_default();
        match capital.split_first() {
            Some((true, rest)) if rest.contains(&true) => Case::Capitals,
            Some((true, _)) if self.slice(token).chars().nth(1).is_none() => Case::Letter,
            Some((true, _)) => Case::Title,
            _ => Case::Small,
        }
    }

    /// Whether a byte range of `normal` neither starts nor ends inside a word.
    pub(crate) fn on_word_boundaries(&self, start: usize, end: usize) -> bool {
        let joined = |left: Option<char>, right: Option<char>| match (left, right) {
            (Some(left), Some(right)) => {
                is_word(left) && is_word(right) && !is_ideograph(left) && !is_ideograph(right)
            }
            _ => false,
        };
        let Some((before, rest)) = self.normal.split_at_checked(start) else {
            return false;
        };
        let Some((inside, after)) = end.checked_sub(start).and_then(|length| rest.split_at_checked(length))
        else {
            return false;
        };
        !inside.is_empty()
            && !joined(before.chars().next_back(), inside.chars().next())
            && !joined(inside.chars().next_back(), after.chars().next())
    }
}

/// Whether `c` may compose with, or reorder behind, the character before it.
fn continues(c: char) -> bool {
    canonical_combining_class(c) != 0
        || is_combining_mark(c)
        // Hangul vowels and finals, half-width kana voice marks, joiners and variation selectors.
        || matches!(c, '\u{1160}'..='\u{11ff}' | '\u{ff9e}' | '\u{ff9f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// The zeros of the decimal digits that languages write beside the ASCII ones: Arabic, Persian and
/// Urdu, Hindi, Bengali.
const ZEROS: [char; 4] = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}'];

/// The ASCII digit or sign that says the same as one of another script.
fn plain(c: char) -> char {
    match c {
        '،' | '٬' => ',',
        '؛' => ';',
        '؟' => '?',
        '۔' | '।' | '٫' => '.',
        '٪' => '%',
        c => ZEROS
            .iter()
            .find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|digit| *digit < 10))
            .and_then(|digit| char::from_digit(digit, 10))
            .unwrap_or(c),
    }
}

/// Case folding, with the two folds that lower-casing lacks; what cannot be seen is dropped, and so
/// are the vowel marks that Arabic and Urdu leave out as a rule.
fn fold(c: char) -> impl Iterator<Item = char> {
    let (first, rest) = match c {
        'ß' | 'ẞ' => (Some('s'), Some('s')),
        'ς' => (Some('σ'), None),
        '\u{2018}' | '\u{2019}' | '\u{02bc}' => (Some('\''), None),
        '\u{200b}'..='\u{200f}'
        | '\u{2060}'
        | '\u{feff}'
        | '\u{ad}'
        | '\u{202a}'..='\u{202e}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{640}'
        | '\u{64b}'..='\u{652}'
        | '\u{670}' => (None, None),
        c if matches!(c, '\u{600}'..='\u{6ff}' | '\u{900}'..='\u{9ff}') => (Some(plain(c)), None),
        c if c.is_control() => (Some(' '), None),
        c => {
            let mut lower = c.to_lowercase();
            // 'İ' is the one letter with two; its dot is no letter of its own.
            (lower.next(), None)
        }
    };
    first.into_iter().chain(rest)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Characters of scripts that do not separate words: kana, Han, Thai, Lao, Khmer, Burmese.
pub(crate) fn is_ideograph(c: char) -> bool {
    matches!(
        c,
        '\u{3040}'..='\u{30ff}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
            | '\u{3005}'..='\u{3007}'
            | '\u{0e00}'..='\u{0eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
    )
}

fn kind(c: char) -> Option<TokenKind> {
    if c.is_ascii_alphabetic() {
        Some(TokenKind::Word)
    } else if c.is_whitespace() || c.is_control() {
        None
    } else if c.is_numeric() && !is_ideograph(c) {
        Some(TokenKind::Number)
    } else if is_ideograph(c) {
        Some(TokenKind::Ideograph)
    } else if is_word(c) {
        Some(TokenKind::Word)
    } else {
        Some(TokenKind::Symbol)
    }
}

fn tokens(normal: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(normal.len() / 4 + 1);
    for (start, c) in normal.char_indices() {
        let Some(kind) = kind(c) else { continue };
        let end = start + c.len_utf8();
        let joins = matches!(kind, TokenKind::Word | TokenKind::Number);
        match tokens.last_mut() {
            Some(last) if joins && last.end == start && last.kind == kind => last.end = end,
            // A combining mark belongs to what it stands on, also in scripts without spaces.
            Some(last) if last.end == start && is_combining_mark(c) => last.end = end,
            _ => tokens.push(Token { start, end, kind }),
        }
    }
    tokens
}

/// The words of a text with single spaces between them: what "the same sentence" means.
pub(crate) fn sentence_key(text: &Text) -> String {
    let mut key = String::with_capacity(text.normal.len());
    let mut end = 0;
    for token in text.tokens.iter().filter(|token| token.kind != TokenKind::Symbol) {
        if !key.is_empty() && token.start > end {
            key.push(' ');
        }
        key.push_str(text.slice(*token));
        end = token.end;
    }
    key
}

/// NFKC and case folding of a word or phrase, with single spaces and none around it.
pub(crate) fn normalise(phrase: &str) -> String {
    let text = Text::new(phrase);
    let words: Vec<&str> = text.normal.split_whitespace().collect();
    words.join(" ")
}

/// A word as it is typed where its letters' marks are not at hand: "fur" for "für". `None` where it
/// has none. Only of Latin letters and "ё": elsewhere a mark makes another letter.
pub(crate) fn without_diacritics(word: &str) -> Option<String> {
    let marked = |c: char| matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | 'ё');
    if !word.contains(marked) {
        return None;
    }
    let bare: String =
        word.chars().map(|c| if marked(c) { c.nfd().next().unwrap_or(c) } else { c }).collect();
    (bare != word).then_some(bare)
}

/// The code points `start..end` of the original.
pub(crate) fn code_points(original: &str, start: usize, end: usize) -> Cow<'_, str> {
    if original.is_ascii() {
        return Cow::Borrowed(original.get(start..end).unwrap_or_default());
    }
    Cow::Owned(original.chars().skip(start).take(end.saturating_sub(start)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(original: &str) -> Vec<String> {
        let text = Text::new(original);
        text.tokens.iter().map(|token| text.slice(*token).to_owned()).collect()
    }

    #[test]
    fn case_width_and_composition_do_not_matter() {
        assert_eq!(Text::new("ＣＡＦE\u{301} Straße").normal, "café strasse");
        assert_eq!(Text::new("\u{1112}\u{1161}\u{11ab}").normal, "한");
        assert_eq!(Text::new("ﾊﾞ").normal, "バ");
    }

    #[test]
    fn marks_digits_and_signs_of_other_scripts_do_not_matter() {
        assert_eq!(Text::new("السَّاعَةُ ٣:٣٠، غـــدًا؟").normal, "الساعة 3:30, غدا?");
        assert_eq!(Text::new("۵٪ १२.५ ৭।").normal, "5% 12.5 7.");
        assert_eq!(Text::new("٣٫٥").normal, "3.5");
    }

    #[test]
    fn offsets_lead_back_to_the_original_code_points() {
        let text = Text::new("e\u{301}t\u{301} ﬁn");
        let start = text.normal.find("fin").unwrap();
        assert_eq!(text.origin(start, start + 3), (5, 7));
        assert_eq!(text.origin(0, 2), (0, 2));
        let text = Text::new("يَوْم الـــغَدِ.");
        let start = text.normal.find("الغد").unwrap();
        assert_eq!(text.origin(start, start + "الغد".len()), (6, 15));
    }

    #[test]
    fn words_numbers_and_symbols_are_told_apart() {
        assert_eq!(words("Meet at 3pm, ok?"), ["meet", "at", "3", "pm", ",", "ok", "?"]);
        assert_eq!(words("東京へ"), ["東", "京", "へ"]);
        assert_eq!(words("a\0b"), ["a", "b"]);
    }

    #[test]
    fn a_match_inside_a_word_is_not_on_word_boundaries() {
        let text = Text::new("call 5 litres");
        assert!(!text.on_word_boundaries(3, 4));
        assert!(text.on_word_boundaries(5, 6));
        assert!(text.on_word_boundaries(0, 4));
        assert!(!text.on_word_boundaries(9, 900));
    }

    #[test]
    fn diacritics_go_where_they_are_left_out_in_haste() {
        assert_eq!(without_diacritics("mañana").as_deref(), Some("manana"));
        assert_eq!(without_diacritics("ещё").as_deref(), Some("еще"));
        for word in ["plain", "йод", "हिन्दी", "がく", "øl"] {
            assert_eq!(without_diacritics(word), None, "{word}");
        }
    }

    #[test]
    fn how_a_word_was_written_is_remembered() {
        let text = Text::new("I saw Éva in NYC");
        let cases: Vec<Case> = text.tokens.iter().map(|token| text.case(*token)).collect();
        assert_eq!(cases, [Case::Letter, Case::Small, Case::Title, Case::Small, Case::Capitals]);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(Text::new(&"é".repeat(100_000)).normal.chars().count(), MAX_CHARS);
    }

    proptest! {
        #[test]
        fn every_token_maps_to_a_range_of_the_original(original in any::<String>()) {
            let text = Text::new(&original);
            let length = original.chars().count();
            for token in &text.tokens {
                let (start, end) = text.origin(token.start, token.end);
                prop_assert!(start < end && end <= length);
            }
        }
    }
}
