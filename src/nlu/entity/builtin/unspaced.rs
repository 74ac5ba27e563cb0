//! Languages that write no spaces between words (Chinese, Japanese), or glue particles to them
//! (Korean).
//!
//! Phrases are matched character by character, so they need no segmentation. What does need one are
//! the words that carry a value, such as weekdays, units and numerals: the longest of them at a
//! place is a piece, and pieces follow each other from left to right. No reading begins or ends
//! inside a piece.
//!
//! That is also how a numeral inside an ordinary word is told apart: `ordinary` lists such words
//! ("一緒", "一起", "이상"), the longer piece wins, and what it covers means nothing. And a numeral
//! by itself is a number only where something counts with it or nothing is written against it, see
//! [`Words::counts`](super::words::Words::counts).
//!
//! A piece has a bounded length, so cutting takes linear time.

mod cutting;

use super::grammar::{Entry, Grammar, Id, UNKNOWN};
use super::tongue::Unspaced;
use crate::nlu::text::{Text, Token, TokenKind};
use cutting::Cutting;

/// Set in the number of a character that a phrase wants glued to the one before: "내일" is no
/// "내 일".
pub(super) const GLUED: Id = 0x8000;

/// A piece, or a character by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// The word whose entry it has.
    pub id: Id,
    /// The position behind it.
    pub end: usize,
    /// The value of a numeral.
    pub value: Option<f64>,
    /// Whether the piece began before this position.
    pub inside: bool,
    /// Whether it is part of an ordinary word.
    pub ordinary: bool,
    /// Whether numbers stand before it.
    pub counter: bool,
}

impl Piece {
    fn lone(id: Id, end: usize) -> Self {
        Self { id, end, value: None, inside: false, ordinary: false, counter: false }
    }
}

/// The words of a language by their first character.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub spec: &'static Unspaced,
    /// By the number of the first character, longest first.
    words: Vec<Vec<Word>>,
    pub month: Id,
    particles: Vec<Id>,
    /// Whether a phrase or a word that needs no number before it begins with the character.
    begins: Vec<bool>,
    pub endings: Vec<String>,
    lone_before: Vec<String>,
}

#[derive(Debug)]
struct Word {
    /// Each with [`GLUED`] where nothing may stand before.
    characters: Vec<Id>,
    id: Id,
    value: Option<f64>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ordinary,
    Whole,
    /// What stands behind a number: a unit, a currency.
    Unit,
    Counter,
    /// What stands by itself: a weekday, a number.
    Name,
}

/// The words of a long list.
fn list(lines: &[&str]) -> Vec<String> {
    lines.iter().flat_map(|line| line.split(' ')).map(|word| word.replace('_', " ")).collect()
}

/// Cuts words of Hangul into syllables: particles are glued to them.
pub(super) fn split(text: &Text) -> Option<Vec<Token>> {
    let mixed = |token: &Token| token.kind == TokenKind::Word && !text.slice(*token).is_ascii();
    if !text.tokens.iter().any(mixed) {
        return None;
    }
    let mut tokens: Vec<Token> = Vec::with_capacity(text.normal.len() / 3 + 1);
    for token in &text.tokens {
        if !mixed(token) {
            tokens.push(*token);
            continue;
        }
        let mut latin = false;
        for (at, c) in text.slice(*token).char_indices() {
            let (start, end) = (token.start + at, token.start + at + c.len_utf8());
            let hangul = is_hangul(c);
            match tokens.last_mut() {
                Some(last) if latin && !hangul && last.end == start => last.end = end,
                _ => {
                    let kind = if hangul { TokenKind::Ideograph } else { TokenKind::Word };
                    tokens.push(Token { start, end, kind });
                }
            }
            latin = !hangul;
        }
    }
    Some(tokens)
}

pub(super) fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{3131}'..='\u{318e}')
}

fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30a1}'..='\u{30fa}' | '\u{30fc}')
}

/// What a word with this meaning does beside a number; `None` when it means nothing by itself.
fn kind(entry: &Entry) -> Option<Kind> {
    let name = entry.number.is_some()
        || entry.one
        || entry.ordinal.is_some()
        || entry.weekday.is_some()
        || entry.plural.is_some()
        || entry.month.is_some()
        || entry.era.is_some()
        || entry.minus;
    let unit = entry.unit.is_some()
        || entry.glued_unit.is_some()
        || entry.measure.is_some()
        || entry.currency.is_some();
    if name { Some(Kind::Name) } else { unit.then_some(Kind::Unit) }
}

pub(super) fn is_hiragana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}')
}

impl Grammar {
    /// Another way to write a word.
    fn alias(&mut self, word: &str, id: Id) {
        self.ids.insert(word.into(), id);
    }

    /// All words with their numbers.
    fn named(&self) -> Vec<(String, Id)> {
        self.ids.iter().map(|(word, id)| (word.to_string(), *id)).collect()
    }

    fn begins_phrase(&self, id: Id) -> bool {
        let tries = [
            &self.part,
            &self.duration,
            &self.time,
            &self.edge,
            &self.date,
            &self.interval,
            &self.recurrence,
            &self.quantity,
        ];
        tries.into_iter().any(|trie| trie.begins_with(id))
    }
}

impl Lexicon {
    /// The words that the grammar has named so far, and the characters that phrases begin with.
    pub(super) fn new(grammar: &mut Grammar, spec: &'static Unspaced) -> Self {
        for pair in list(spec.variants) {
            let mut pair = pair.chars().map(String::from);
            if let (Some(written), Some(read)) = (pair.next(), pair.next()) {
                let id = grammar.intern(&read);
                grammar.alias(&written, id);
            }
        }
        let mut lexicon = Self {
            spec,
            words: Vec::new(),
            month: grammar.intern(spec.month),
            particles: spec.particles.iter().map(|word| grammar.intern(word)).collect(),
            begins: Vec::new(),
            endings: list(spec.endings),
            lone_before: list(spec.lone_before),
        };
        let mut named: Vec<(String, Id)> = grammar.named();
        named.retain(|(word, _)| !word.is_ascii());
        named.sort();
        for (word, id) in named {
            let entry = grammar.entry(id);
            if let Some(kind) = kind(entry) {
                let value = entry.number;
                lexicon.add(grammar, &word, Word { characters: Vec::new(), id, value, kind });
            }
        }
        let lists =
            [(spec.ordinary, Kind::Ordinary), (spec.whole, Kind::Whole), (spec.counters, Kind::Counter)];
        for (words, kind) in lists {
            for word in list(words) {
                let meaning = Word { characters: Vec::new(), id: UNKNOWN, value: None, kind };
                lexicon.add(grammar, &word, meaning);
            }
        }
        for words in &mut lexicon.words {
            words.sort_by_key(|word| (std::cmp::Reverse(word.characters.len()), word.kind));
        }
        lexicon
    }

    fn add(&mut self, grammar: &mut Grammar, written: &str, mut word: Word) {
        word.characters = grammar.words_of(written);
        let Some(first) = word.characters.first().map(|first| usize::from(*first)) else {
            return;
        };
        if self.words.len() <= first {
            self.words.resize_with(first + 1, Vec::new);
        }
        if let Some(words) = self.words.get_mut(first) {
            words.push(word);
        }
    }

    /// Notes which characters begin something, when all phrases are known.
    pub(super) fn note_begins(&mut self, grammar: &Grammar) {
        self.begins = (0..grammar.entries.len())
            .map(|id| Id::try_from(id).is_ok_and(|id| grammar.begins_phrase(id)))
            .collect();
        for particle in &self.particles {
            if let Some(begins) = self.begins.get_mut(usize::from(*particle)) {
                *begins = false;
            }
        }
    }

    /// Whether a reading can begin with a piece whose first character is `id`.
    pub(super) fn may_begin(&self, id: Id, piece: &Piece, entry: &Entry) -> bool {
        let named = piece.value.is_some() || entry.currency.is_some() || kind(entry) == Some(Kind::Name);
        !piece.ordinary
            && !piece.inside
            && (named || self.begins.get(usize::from(id)).copied().unwrap_or_default())
    }

    /// Whether a character is a particle: it may stand before a number, and begins nothing.
    pub(super) fn is_particle(&self, id: Id) -> bool {
        id != UNKNOWN && self.particles.contains(&id)
    }

    /// Cuts an utterance. The characters of ordinary words lose their numbers.
    pub(super) fn pieces(&self, text: &Text, tokens: &[Token], ids: &mut [Id]) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(tokens.len());
        while pieces.len() < tokens.len() {
            let at = pieces.len();
            let cutting = Cutting { lexicon: self, text, tokens, ids };
            let counted = cutting.counted(at, &pieces);
            let piece = cutting.piece(at, counted);
            if piece.ordinary {
                ids.iter_mut().take(piece.end).skip(at).for_each(|id| *id = UNKNOWN);
            }
            pieces.extend((at..piece.end.max(at + 1)).map(|place| Piece { inside: place > at, ..piece }));
        }
        pieces
    }
}
