//! Which phrases the examples annotate as what, and how often: evidence for the tagger, not a
//! verdict. While learning, an example's own annotations do not count, for on the day they will
//! not be there to help.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::nlu::rng::{hash_text, mix};
use crate::nlu::text::{Text, Token};

/// Words of the longest phrase.
pub(super) const LONGEST: usize = 8;

/// See the [module](self).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Gazetteer {
    /// Phrase, slot, how often; ascending.
    entries: Vec<(u64, u16, u32)>,
    /// Where each phrase's entries start and end: computed.
    #[serde(skip)]
    phrases: HashMap<u64, (u32, u32)>,
}

/// Counts while phrases are collected.
pub(super) type Counts = BTreeMap<(u64, u16), u32>;

impl Gazetteer {
    pub(super) fn new(counts: &Counts) -> Self {
        let mut gazetteer = Self {
            entries: counts.iter().map(|((phrase, slot), count)| (*phrase, *slot, *count)).collect(),
            phrases: HashMap::new(),
        };
        gazetteer.restore();
        gazetteer
    }

    pub(super) fn restore(&mut self) {
        self.phrases.clear();
        let mut start = 0;
        for group in self.entries.chunk_by(|a, b| a.0 == b.0) {
            let end = start + group.len() as u32;
            if let Some((phrase, _, _)) = group.first() {
                self.phrases.insert(*phrase, (start, end));
            }
            start = end;
        }
    }

    pub(super) fn is_sound(&self, slots: usize) -> bool {
        self.entries.is_sorted() && self.entries.iter().all(|(_, slot, _)| usize::from(*slot) < slots)
    }

    /// Calls `hit` with first word, number of words and slot of every phrase that is known besides
    /// `own`, what the sentence itself contributed.
    pub(super) fn find(
        &self,
        text: &Text,
        tokens: &[Token],
        own: Option<&Counts>,
        mut hit: impl FnMut(usize, usize, u16),
    ) {
        if self.phrases.is_empty() {
            return;
        }
        for start in 0..tokens.len() {
            let mut phrase = 0;
            for (length, token) in (1..=LONGEST).zip(tokens.iter().skip(start)) {
                phrase = extend(phrase, text.slice(*token));
                let Some((from, to)) = self.phrases.get(&phrase) else {
                    continue;
                };
                for (phrase, slot, count) in
                    self.entries.get(*from as usize..*to as usize).unwrap_or_default()
                {
                    let mine = own.and_then(|own| own.get(&(*phrase, *slot))).copied().unwrap_or(0);
                    if *count > mine {
                        hit(start, length, *slot);
                    }
                }
            }
        }
    }
}

fn extend(phrase: u64, word: &str) -> u64 {
    mix(phrase.rotate_left(23) ^ hash_text(word))
}

/// The hash of a whole phrase.
pub(super) fn hash(text: &Text, tokens: &[Token]) -> u64 {
    tokens.iter().fold(0, |phrase, token| extend(phrase, text.slice(*token)))
}
