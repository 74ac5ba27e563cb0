//! Cutting an utterance into pieces, from left to right.

use super::{GLUED, Kind, Lexicon, Piece, Word, is_katakana};
use crate::nlu::entity::builtin::grammar::{Id, UNKNOWN};
use crate::nlu::entity::builtin::numeral::{self, Numeral};
use crate::nlu::text::{Text, Token, TokenKind};

/// An utterance that is being cut.
pub(super) struct Cutting<'a> {
    pub lexicon: &'a Lexicon,
    pub text: &'a Text,
    pub tokens: &'a [Token],
    pub ids: &'a [Id],
}

impl<'a> Cutting<'a> {
    fn word(&self, at: usize) -> Option<&'a str> {
        self.tokens.get(at).map(|token| self.text.slice(*token))
    }

    fn is_number(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Number)
    }

    fn glued(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        before.zip(self.tokens.get(at)).is_some_and(|(before, here)| before.end == here.start)
    }

    /// Whether a number stands before a position that could count what is there.
    pub(super) fn counted(&self, at: usize, pieces: &[Piece]) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return false;
        };
        // "第二日曜日" is a Sunday, not two days.
        let first = pieces.iter().rposition(|piece| !piece.inside).unwrap_or(before);
        let ordinal = first.checked_sub(1).is_some_and(|prefix| self.word(prefix) == Some("第"));
        let number = pieces.last().is_some_and(|piece| piece.value.is_some()) || self.is_number(before);
        number && !ordinal || self.word(before).is_some_and(|word| matches!(word, "半" | "반"))
    }

    /// The words of the lexicon that begin at a position, longest first.
    fn words(&self, at: usize) -> impl Iterator<Item = &'a Word> {
        let id = self.ids.get(at).copied().unwrap_or(UNKNOWN);
        // Most characters begin no word.
        let words = if id == UNKNOWN { None } else { self.lexicon.words.get(usize::from(id)) };
        // Behind a space all particles are words, inside a word all words are particles.
        let inside = self.lexicon.spec.spaced && self.glued(at);
        words
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter(move |word| !(inside && word.kind == Kind::Ordinary) && self.stands(word, at))
    }

    fn stands(&self, word: &Word, at: usize) -> bool {
        let end = at + word.characters.len();
        let said = word.characters.iter().zip(at..).skip(1).all(|(wanted, at)| {
            self.ids.get(at) == Some(&(wanted & !GLUED)) && (wanted & GLUED == 0 || self.glued(at))
        });
        // "ドルフィン" holds no dollars.
        let katakana = |at: usize| {
            let both = at.checked_sub(1).and_then(|before| self.word(before)).zip(self.word(at));
            both.is_some_and(|(a, b)| a.starts_with(is_katakana) && b.starts_with(is_katakana))
        };
        said && !(self.glued(end) && katakana(end)) && !(self.glued(at) && katakana(at))
    }

    /// The longest piece at a position. Units and what is counted stand behind numbers only, and
    /// there they win over names: "两周一次" holds no "周一".
    pub(super) fn piece(&self, at: usize, counted: bool) -> Piece {
        let counts = |word: &Word| matches!(word.kind, Kind::Counter | Kind::Unit);
        let unit = self.words(at).find(|word| {
            counted && (word.kind == Kind::Ordinary || counts(word) && !self.cuts_name(word, at))
        });
        let word = unit.or_else(|| self.words(at).find(|word| !counts(word)));
        let numeral = self.numeral(at);
        if let Some(numeral) = numeral
            && word.is_none_or(|word| numeral.length > word.characters.len())
        {
            return Piece {
                value: numeral.value,
                ordinary: numeral.value.is_none(),
                ..Piece::lone(UNKNOWN, at + numeral.length)
            };
        }
        let Some(word) = word else {
            return Piece::lone(self.ids.get(at).copied().unwrap_or(UNKNOWN), at + 1);
        };
        Piece {
            value: word.value,
            ordinary: word.kind == Kind::Ordinary,
            counter: matches!(word.kind, Kind::Counter | Kind::Unit),
            ..Piece::lone(word.id, at + word.characters.len())
        }
    }

    /// Whether a word ends in the middle of a name: "个星期" in "第二个星期三".
    fn cuts_name(&self, word: &Word, at: usize) -> bool {
        let end = at + word.characters.len();
        (at + 1..end).any(|inner| {
            self.words(inner).any(|name| name.kind == Kind::Name && inner + name.characters.len() > end)
        })
    }

    fn numeral(&self, at: usize) -> Option<Numeral> {
        let spec = self.lexicon.spec;
        let here = self.word(at)?;
        if !self.is_number(at) && !numeral::begins(here) {
            return None;
        }
        let pointed = spec.point_after.is_empty()
            || at.checked_sub(1).and_then(|before| self.word(before)) == Some(spec.point_after);
        let within = |most: usize| {
            numeral::read(spec, pointed, |step| {
                // "3만 5천"
                let spaced =
                    || spec.spaced && step > 1 && matches!(self.word(at + step - 1), Some("만" | "억"));
                self.word(at + step)
                    .filter(|_| step == 0 || step < most && (self.glued(at + step) || spaced()))
            })
        };
        let found = within(usize::MAX)?;
        if !spec.spaced || self.is_number(at) {
            return Some(found);
        }
        // "이십일" is the twentieth, unless something is counted by it.
        let end = at + found.length;
        let counts = |at: usize| self.words(at).any(|word| matches!(word.kind, Kind::Counter | Kind::Unit));
        let dated = self.ids.get(end) == Some(&self.lexicon.month) || self.word(end) == Some("일");
        if found.length > 1 && self.word(end - 1) == Some("일") && !dated && !counts(end) {
            return within(found.length - 1);
        }
        // "이" is also "this", "일" also work: alone they count only what such numbers count.
        let rest = self.tokens.get(end).and_then(|token| self.text.normal.get(token.start..));
        let counted = self
            .lexicon
            .lone_before
            .iter()
            .any(|word| rest.is_some_and(|rest| rest.starts_with(word.as_str())));
        (found.length > 1 || counted).then_some(found)
    }
}
