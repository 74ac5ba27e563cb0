//! The words of an utterance, by position, as entries of the language's lexicon.

use std::borrow::Cow;

use super::grammar::{COMPOUND, Entry, Grammar, Id, SILENT, UNKNOWN};
use super::unspaced::{GLUED, Piece};
use crate::nlu::text::{Text, Token, TokenKind};

/// Words that say nothing when they are out of range.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub grammar: &'static Grammar,
    text: &'a Text,
    tokens: Cow<'a, [Token]>,
    ids: Vec<Id>,
    /// What words mean that lost a sense where they stand, by position.
    twins: Vec<(usize, Id)>,
    /// Numbers written as one word that the lexicon does not list, by position.
    compounds: Vec<(usize, f64)>,
    /// Where there are no spaces, what each position is part of.
    pieces: Vec<Piece>,
    /// Whether the clause of a word speaks of the past, by position.
    past: Vec<bool>,
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a Text, grammar: &'static Grammar) -> Self {
        let (tokens, mut ids) = grammar.words(text);
        let lexicon = grammar.unspaced.as_ref();
        let pieces = lexicon.map_or_else(Vec::new, |lexicon| lexicon.pieces(text, &tokens, &mut ids));
        let past = grammar.past(text, &tokens, &ids);
        let twins = grammar.guard(text, &tokens, &mut ids);
        let mut compounds = Vec::new();
        if !grammar.tongue.thousand_inside.is_empty() {
            for (at, (id, token)) in ids.iter_mut().zip(tokens.iter()).enumerate() {
                if *id == UNKNOWN
                    && let Some(value) = grammar.compound(text.slice(*token))
                {
                    *id = COMPOUND;
                    compounds.push((at, value));
                }
            }
        }
        Self { grammar, text, tokens, ids, twins, compounds, pieces, past }
    }

    /// The value of a number word.
    pub(super) fn number(&self, at: usize) -> Option<f64> {
        if self.id(at) == COMPOUND {
            let index = self.compounds.binary_search_by_key(&at, |(at, _)| *at).ok()?;
            return self.compounds.get(index).map(|(_, value)| *value);
        }
        self.numeral(at).map(|(_, value)| value).or_else(|| self.entry(at).number)
    }

    /// A numeral of several characters: the position behind it, and its value.
    pub(super) fn numeral(&self, at: usize) -> Option<(usize, f64)> {
        let piece = self.pieces.get(at).filter(|piece| !piece.inside)?;
        Some((piece.end, piece.value?))
    }

    /// The position behind the word that has the entry at a position.
    pub(super) fn next(&self, at: usize) -> usize {
        self.pieces.get(at).map_or(at + 1, |piece| piece.end)
    }

    pub(super) fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    pub(super) fn id(&self, at: usize) -> Id {
        self.ids.get(at).copied().unwrap_or(UNKNOWN)
    }

    pub(super) fn entry(&self, at: usize) -> &'static Entry {
        match self.pieces.get(at) {
            Some(piece) => self.grammar.entry(if piece.inside { UNKNOWN } else { piece.id }),
            None => self.grammar.entry(self.twin(at).unwrap_or_else(|| self.id(at))),
        }
    }

    /// Whether a word of a phrase stands at a position.
    pub(super) fn is(&self, at: usize, wanted: Id) -> bool {
        self.id(at) == wanted & !GLUED && (wanted & GLUED == 0 || self.glued(at))
    }

    fn twin(&self, at: usize) -> Option<Id> {
        self.twins.iter().find(|(twin, _)| *twin == at).map(|(_, id)| *id)
    }

    /// Whether no phrase begins with a word where it stands.
    pub(super) fn silent(&self, at: usize) -> bool {
        self.twin(at) == Some(SILENT)
    }

    /// The normalised word itself.
    pub(super) fn word(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| self.text.slice(*token))
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn is_number(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Number)
    }

    pub(super) fn is_symbol(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Symbol)
    }

    /// Whether nothing stands between this word and the one before.
    pub(super) fn glued(&self, at: usize) -> bool {
        self.gap(at) == Some(0)
    }

    /// How many bytes stand between this word and the one before.
    pub(super) fn gap(&self, at: usize) -> Option<usize> {
        let before = self.tokens.get(at.checked_sub(1)?)?;
        self.tokens.get(at)?.start.checked_sub(before.end)
    }

    /// Whether a sign stands at `at`, with nothing around it.
    pub(super) fn joint(&self, at: usize, sign: &str) -> bool {
        self.word(at) == sign && self.glued(at) && self.glued(at + 1)
    }

    /// The text from a position on.
    pub(super) fn rest(&self, at: usize) -> &'a str {
        self.tokens.get(at).and_then(|token| self.text.normal.get(token.start..)).unwrap_or_default()
    }

    /// The text before a position.
    pub(super) fn before(&self, at: usize) -> &'a str {
        self.tokens.get(at).and_then(|token| self.text.normal.get(..token.start)).unwrap_or_default()
    }

    /// What a position is part of, where there are no spaces.
    pub(super) fn piece(&self, at: usize) -> Option<&Piece> {
        self.pieces.get(at)
    }

    /// Whether a reading could begin at a word at all: most words begin nothing.
    pub(super) fn may_begin(&self, at: usize) -> bool {
        let id = self.id(at);
        match (&self.grammar.unspaced, self.pieces.get(at)) {
            (Some(lexicon), Some(piece)) => {
                self.is_number(at) || self.word(at) == "+" || lexicon.may_begin(id, piece, self.entry(at))
            }
            _ => id != UNKNOWN || self.is_number(at) || self.word(at) == "+",
        }
    }

    /// Whether two numbers are tied by a sign at `at`: "24/7", "3.4".
    pub(super) fn ties(&self, at: usize) -> bool {
        matches!(self.word(at), "-" | "/" | ":" | "." | ",")
            && self.glued(at)
            && self.glued(at + 1)
            && self.is_number(at + 1)
    }

    /// Whether a reading may start at a word: not at the 3 of "mp3", nor at the 7 of "24/7".
    pub(super) fn starts_at(&self, at: usize) -> bool {
        if let Some(lexicon) = &self.grammar.unspaced {
            return self.starts_unspaced(lexicon, at);
        }
        let Some(before) = at.checked_sub(1) else {
            return true;
        };
        if !self.glued(at) {
            return true;
        }
        if self.entry(before).prefix {
            return self.starts_at(before);
        }
        if self.kind(before) != Some(TokenKind::Symbol) {
            return false;
        }
        !before.checked_sub(1).is_some_and(|left| self.is_number(left) && self.ties(before))
    }

    /// Whether a reading may end before position `end`: not in the middle of "3rd" or "3.4".
    pub(super) fn ends_at(&self, end: usize) -> bool {
        if let Some(lexicon) = &self.grammar.unspaced {
            return self.ends_unspaced(lexicon, end);
        }
        let number = end.checked_sub(1).is_some_and(|last| self.is_number(last));
        let inside = self.glued(end) && matches!(self.kind(end), Some(TokenKind::Word | TokenKind::Number));
        !(inside || number && self.ties(end))
    }

    /// As [`Words::ends_at`], or before the dash of an interval: "9:00-10:00".
    pub(super) fn may_end(&self, end: usize) -> bool {
        self.ends_at(end) && self.counts_nothing(end) || self.joint(end, "-")
    }

    /// Whether what a word begins counts from the word before, not from now.
    pub(super) fn anchored(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| self.grammar.anchors.contains(&self.id(before)))
    }

    /// Whether the clause of a word speaks of the past.
    pub(super) fn past(&self, at: usize) -> bool {
        self.past.get(at).copied().unwrap_or(false)
    }

    /// Plain digits as a number of at most nine digits, and how many there are.
    pub(super) fn digits(&self, at: usize) -> Option<(i32, usize)> {
        if self.kind(at) != Some(TokenKind::Number) {
            return None;
        }
        let word = self.word(at);
        let mut value = 0;
        let mut count = 0;
        for c in word.chars() {
            if count == 9 {
                return None;
            }
            value = value * 10 + i32::try_from(c.to_digit(10)?).ok()?;
            count += 1;
        }
        Some((value, count))
    }

    /// Position behind the longest of some phrases, or `None` when none of them stands there.
    pub(super) fn phrase(&self, at: usize, phrases: &[Vec<Id>]) -> Option<usize> {
        phrases
            .iter()
            .filter(|phrase| (at..).zip(phrase.iter()).all(|(at, id)| self.is(at, *id)))
            .map(|phrase| at + phrase.len())
            .max()
    }

    /// Position behind the longest of some phrases, if any.
    pub(super) fn skip(&self, at: usize, phrases: &[Vec<Id>]) -> usize {
        self.phrase(at, phrases).unwrap_or(at)
    }

    /// Whether a clause may end before `at`: nothing follows that a bare number could count.
    pub(super) fn clause_ends(&self, at: usize) -> bool {
        match self.kind(at) {
            None => true,
            Some(TokenKind::Symbol) => {
                matches!(self.word(at), "." | "," | "?" | "!" | ";" | ":" | ")") && !self.ties(at)
            }
            Some(TokenKind::Word) => self.entry(at).clause,
            Some(TokenKind::Number) => false,
            // Without spaces a particle or a verb follows.
            Some(TokenKind::Ideograph) => self.grammar.unspaced.is_some(),
        }
    }
}
