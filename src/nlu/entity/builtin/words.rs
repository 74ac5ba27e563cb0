//! The words of an utterance, by position, for recognisers that read from left to right.

use crate::nlu::text::{Text, TokenKind};

/// Words that say nothing when they are out of range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    text: &'a Text,
    english: bool,
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a Text, english: bool) -> Self {
        Self { text, english }
    }

    /// The word, or nothing for letters of a language whose words are not known here.
    pub(super) fn word(&self, at: usize) -> &'a str {
        match self.text.tokens.get(at) {
            Some(token) if self.english || token.kind != TokenKind::Word => self.text.slice(*token),
            _ => "",
        }
    }

    pub(super) fn is(&self, at: usize, words: &[&str]) -> bool {
        let word = self.word(at);
        !word.is_empty() && words.contains(&word)
    }

    /// Whether one of the words stands before position `at`.
    pub(super) fn after(&self, at: usize, words: &[&str]) -> bool {
        at.checked_sub(1).is_some_and(|before| self.is(before, words))
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.text.tokens.get(at).map(|token| token.kind)
    }

    /// Whether nothing stands between this word and the one before.
    pub(super) fn glued(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.text.tokens.get(before));
        matches!((before, self.text.tokens.get(at)), (Some(before), Some(token)) if before.end == token.start)
    }

    /// Whether a reading may end before position `end`: not in the middle of "3rd" or "2x".
    pub(super) fn ends_at(&self, end: usize) -> bool {
        !(self.glued(end) && matches!(self.kind(end), Some(TokenKind::Word | TokenKind::Number)))
    }

    /// Plain digits as a number of at most nine digits, and how many there are.
    pub(super) fn digits(&self, at: usize) -> Option<(i32, usize)> {
        if self.kind(at) != Some(TokenKind::Number) {
            return None;
        }
        let word = self.text.slice(*self.text.tokens.get(at)?);
        if word.len() > 9 {
            return None;
        }
        word.parse().ok().map(|number| (number, word.len()))
    }

    /// Position after optional words.
    pub(super) fn skip(&self, at: usize, words: &[&str]) -> usize {
        if self.is(at, words) { at + 1 } else { at }
    }
}
