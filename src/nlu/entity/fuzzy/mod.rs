//! Values of lookup tables that are not said quite as they stand there: "livng room", "Sao Paulo".
//!
//! A word of a table is recognised with one slip from five letters on and with two from nine on;
//! shorter ones only with marks left out. The first letter has to be right. A word that the tables
//! or the examples know means itself and is never corrected, and where two values are equally near
//! none is chosen.
//!
//! The index is a deletion neighbourhood (as Garbe's `SymSpell` has) of the first letters of each word: a
//! few entries a word, a few look-ups for each word of an utterance, whatever the size of the tables.

mod letters;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::nlu::index::Index;
use crate::nlu::rng::{hash_text, mix};
use crate::nlu::text::{Text, Token, TokenKind};
use letters::{edits, letters};

/// Letters from which on one slip, and two, are forgiven.
const ONE_FROM: usize = 5;
const TWO_FROM: usize = 9;
/// Letters of a word whose deletions are indexed; as many more as slips make no difference.
const PREFIX: usize = 7;
/// No word is longer.
const LONGEST_WORD: usize = 40;
/// Words of the longest value.
const LONGEST: usize = 8;
/// With more words than this only one slip is forgiven; values with words beyond the second number
/// are only found exactly.
const MANY_WORDS: usize = 20_000;
const MOST_WORDS: usize = 200_000;
/// Words of an utterance that are looked at.
const MAX_TOKENS: usize = 200;
/// Words of the tables that are compared with one word of an utterance, and kept of those.
const COMPARED: usize = 64;
const READINGS: usize = 4;
/// Ways to read the words of a value that are followed at once.
const WAYS: usize = 8;

/// See the [module](self).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Fuzzy {
    language: String,
    /// Hashes of the words of the examples that would be corrected if they were not known; ascending.
    ordinary: Vec<u64>,
    #[serde(skip)]
    words: Words,
    /// Values, and how each begins, as numbers of words. `None`: that is no whole value.
    #[serde(skip)]
    values: HashMap<Vec<u32>, Option<u32>>,
}

/// A value that is nearly said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Near {
    /// Bytes of the normalised text.
    pub start: usize,
    pub end: usize,
    /// Number of the phrase.
    pub phrase: u32,
    /// Slips; 0 where only marks were left out.
    pub edits: usize,
}

/// A way to read a word: its number and the slips in it. A word that is spelled right has none.
type Reading = (u32, Option<usize>);

impl Fuzzy {
    /// Of the phrases of tables with their numbers, and all sentences of the examples.
    pub(super) fn learn<'a, 'b>(
        language: &str,
        phrases: impl Iterator<Item = (u32, &'a str)>,
        sentences: impl Iterator<Item = &'b Text>,
    ) -> Self {
        let mut fuzzy = Self { language: language.to_owned(), ..Self::default() };
        fuzzy.restore(phrases);
        if fuzzy.values.is_empty() {
            return fuzzy;
        }
        for text in sentences {
            for word in text.tokens.iter().map(|token| text.slice(*token)) {
                if !fuzzy.readings(word).is_empty() {
                    fuzzy.ordinary.push(hash_text(word));
                }
            }
        }
        fuzzy.ordinary.sort_unstable();
        fuzzy.ordinary.dedup();
        fuzzy
    }

    pub(super) fn is_sound(&self) -> bool {
        self.ordinary.is_sorted()
    }

    /// Rebuilds what is not stored, from the phrases of tables with their numbers.
    pub(super) fn restore<'a>(&mut self, phrases: impl Iterator<Item = (u32, &'a str)>) {
        let mut words: HashMap<String, u32> = HashMap::new();
        self.values.clear();
        for (number, phrase) in phrases {
            let text = Text::new(phrase);
            // Scripts without spaces have no words to compare.
            if text.tokens.len() > LONGEST
                || !text.tokens.iter().any(|token| token.kind == TokenKind::Word)
                || words.len() > MOST_WORDS
            {
                continue;
            }
            let mut value: Vec<u32> = Vec::with_capacity(text.tokens.len());
            for token in &text.tokens {
                let next = words.len() as u32;
                value.push(*words.entry(text.slice(*token).to_owned()).or_insert(next));
                self.values.entry(value.clone()).or_default();
            }
            self.values.insert(value, Some(number));
        }
        self.words = Words::new(words, &self.language);
    }

    /// Values that are nearly, but not exactly, said. Where some overlap it is for others to choose.
    pub(super) fn find(&self, text: &Text) -> Vec<Near> {
        let mut found: Vec<Near> = Vec::new();
        if self.values.is_empty() {
            return found;
        }
        let tokens = text.tokens.get(..text.tokens.len().min(MAX_TOKENS)).unwrap_or_default();
        let readings: Vec<Vec<Reading>> = tokens.iter().map(|token| self.read(text, *token)).collect();
        let corrected = |readings: &[Vec<Reading>]| {
            readings.iter().any(|readings| readings.iter().any(|(_, edits)| edits.is_some()))
        };
        for start in 0..tokens.len() {
            let ahead = readings.get(start..tokens.len().min(start + LONGEST)).unwrap_or_default();
            if corrected(ahead) {
                self.follow(text, tokens.get(start..).unwrap_or_default(), ahead, &mut found);
            }
        }
        found
    }

    fn read(&self, text: &Text, token: Token) -> Vec<Reading> {
        let word = text.slice(token);
        if let Some(number) = self.words.numbers.get(word) {
            return vec![(*number, None)];
        }
        if token.kind != TokenKind::Word || !text.on_word_boundaries(token.start, token.end) {
            return Vec::new();
        }
        let mut readings = self.readings(word);
        if !readings.is_empty() && self.ordinary.binary_search(&hash_text(word)).is_ok() {
            readings.clear();
        }
        readings
    }

    fn readings(&self, word: &str) -> Vec<Reading> {
        if self.words.numbers.contains_key(word) {
            return Vec::new();
        }
        self.words.near(&letters(word, &self.language))
    }

    /// Adds the values that begin with the first token.
    fn follow(&self, text: &Text, tokens: &[Token], readings: &[Vec<Reading>], found: &mut Vec<Near>) {
        let Some(start) = tokens.first().map(|token| token.start) else {
            return;
        };
        let mut ways: Vec<(Vec<u32>, Option<usize>)> = vec![(Vec::new(), None)];
        for (token, readings) in tokens.iter().zip(readings) {
            let mut further = Vec::new();
            for (way, before) in &ways {
                for (word, edits) in readings {
                    let mut way = way.clone();
                    way.push(*word);
                    if self.values.contains_key(&way) {
                        let both = before.map_or(*edits, |before| Some(before + edits.unwrap_or(0)));
                        further.push((way, both));
                    }
                }
            }
            further.sort_by_key(|(_, edits)| edits.unwrap_or(0));
            further.truncate(WAYS);
            ways = further;
            if ways.is_empty() {
                return;
            }
            let mut ends = ways.iter().filter_map(|(way, edits)| {
                let phrase = self.values.get(way).copied().flatten()?;
                Some((edits.is_some(), Near { start, end: token.end, phrase, edits: edits.unwrap_or(0) }))
            });
            // The nearest comes first; one that is spelled right leaves nothing to correct.
            if let Some((true, nearest)) = ends.next()
                && ends.next().is_none_or(|(_, second)| second.edits > nearest.edits)
                && text.on_word_boundaries(nearest.start, nearest.end)
            {
                found.push(nearest);
            }
        }
    }
}

/// The words of the tables.
#[derive(Debug, Clone, Default)]
struct Words {
    numbers: HashMap<String, u32>,
    /// By number.
    letters: Vec<Vec<char>>,
    /// From the hash of some of a word's letters to the place in `starts`.
    index: Index,
    /// Where the words of each hash begin in `members`, and one more.
    starts: Vec<u32>,
    members: Vec<u32>,
    /// Slips that are forgiven in long words.
    most: usize,
}

impl Words {
    fn new(numbers: HashMap<String, u32>, language: &str) -> Self {
        let most = match numbers.len() {
            0..=MANY_WORDS => 2,
            _ => 1,
        };
        let mut spelled = vec![Vec::new(); numbers.len()];
        for (word, number) in &numbers {
            if let Some(place) = spelled.get_mut(*number as usize) {
                *place = letters(word, language);
            }
        }
        let mut words = Self { numbers, letters: spelled, most, ..Self::default() };
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (number, letters) in (0_u32..).zip(&words.letters) {
            let is_word = letters.iter().all(|c| c.is_alphabetic()) || letters.iter().any(|c| !c.is_ascii());
            if is_word && (1..=LONGEST_WORD).contains(&letters.len()) {
                deletions(letters, words.forgiven(letters.len()), &mut |hash| pairs.push((hash, number)));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut hashes = Vec::new();
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            hashes.extend(group.first().map(|(hash, _)| *hash));
            words.starts.push(words.members.len() as u32);
            words.members.extend(group.iter().map(|(_, number)| *number));
        }
        words.starts.push(words.members.len() as u32);
        words.index = Index::new(&hashes);
        words
    }

    /// How many slips are forgiven in a word of a table with so many letters.
    fn forgiven(&self, length: usize) -> usize {
        match length {
            0..ONE_FROM => 0,
            ONE_FROM..TWO_FROM => 1,
            _ => self.most,
        }
    }

    /// The words that are nearest to some letters, nearest first.
    fn near(&self, said: &[char]) -> Vec<Reading> {
        let mut near: Vec<Reading> = Vec::new();
        if said.is_empty() || said.len() > LONGEST_WORD + 2 {
            return near;
        }
        // What is said may be shorter, by what was left out, than what is meant.
        let most = (1..=self.most).rev().find(|most| self.forgiven(said.len() + most) >= *most).unwrap_or(0);
        let mut members: Vec<u32> = Vec::new();
        deletions(said, most, &mut |hash| {
            let Some(place) = self.index.find(hash).map(|place| place as usize) else {
                return;
            };
            if let (Some(start), Some(end)) = (self.starts.get(place), self.starts.get(place + 1)) {
                let room = COMPARED.saturating_sub(members.len());
                let found = self.members.get(*start as usize..*end as usize).unwrap_or_default();
                members.extend(found.iter().take(room));
            }
        });
        members.sort_unstable();
        members.dedup();
        for number in members {
            let meant = self.letters.get(number as usize).map(Vec::as_slice).unwrap_or_default();
            if meant.first() == said.first()
                && let Some(edits) = edits(said, meant, self.forgiven(meant.len()))
            {
                near.push((number, Some(edits)));
            }
        }
        near.sort_by_key(|(number, edits)| (*edits, *number));
        near.truncate(READINGS);
        near
    }
}

/// Calls `emit` with a hash of the first letters of a word, and of those without any one, or two, of
/// them but the first.
fn deletions(letters: &[char], most: usize, emit: &mut impl FnMut(u32)) {
    let prefix = letters.get(..letters.len().min(PREFIX)).unwrap_or_default();
    let hash = |without: [usize; 2]| {
        let kept = prefix.iter().enumerate().filter(|(at, _)| !without.contains(at));
        (kept.fold(0x5e1f, |hash, (_, c)| mix(hash ^ u64::from(u32::from(*c)))) >> 32) as u32
    };
    emit(hash([usize::MAX; 2]));
    if most == 0 {
        return;
    }
    for first in 1..prefix.len() {
        emit(hash([first, usize::MAX]));
        for second in (first + 1..prefix.len()).filter(|_| most > 1) {
            emit(hash([first, second]));
        }
    }
}

#[cfg(test)]
mod tests;
