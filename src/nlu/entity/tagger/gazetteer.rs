//! Which phrases the examples annotate as what, and how often: evidence for the tagger, not a
//! verdict. While learning, a sentence's own words and annotations do not count, for on the day
//! they will not be there to help.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use crate::nlu::rng::{hash_text, mix};
use crate::nlu::text::{Text, Token};

/// Words of the longest phrase; a character is a word where words are not separated.
pub(super) const LONGEST: usize = 12;

/// See the [module](self).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Gazetteer {
    /// Phrase, slot, how often annotated so; ascending.
    entries: Vec<(u64, u16, u32)>,
    /// How often each phrase stands in the examples at all, in the order of `entries`.
    occurrences: Vec<u32>,
    /// Each phrase's position in `occurrences`, and where its entries start and end: computed.
    #[serde(skip)]
    phrases: HashMap<u64, (u32, u32, u32), BuildHasherDefault<Mixed>>,
}

/// The hasher of what is a well-mixed hash already.
#[derive(Debug, Clone, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mix(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Hits of one utterance that are looked at, the longest first.
const MAX_HITS: usize = 600;

/// Counts while phrases are collected.
pub(super) type Counts = BTreeMap<(u64, u16), u32>;

/// A phrase that is known to be something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// First word.
    pub start: usize,
    /// Number of words.
    pub length: usize,
    pub slot: u16,
    /// How often it is annotated so, at most 3: once, a few times, often.
    pub count: u8,
    /// Which share of its occurrences is annotated so, 0..=3.
    pub share: u8,
    /// Whether no longer known phrase contains it.
    pub longest: bool,
}

impl Gazetteer {
    /// Of annotated phrases; what else stands in the examples is counted by [`Self::see`].
    pub(super) fn new(counts: &Counts) -> Self {
        let mut gazetteer = Self {
            entries: counts.iter().map(|((phrase, slot), count)| (*phrase, *slot, *count)).collect(),
            ..Self::default()
        };
        gazetteer.occurrences = vec![0; gazetteer.entries.chunk_by(|a, b| a.0 == b.0).count()];
        gazetteer.restore();
        gazetteer
    }

    /// Counts the known phrases of a sentence.
    pub(super) fn see(&mut self, text: &Text, tokens: &[Token]) {
        for (_, _, phrase) in self.known(text, tokens, LONGEST) {
            let place = self.phrases.get(&phrase).map(|(place, _, _)| *place as usize);
            if let Some(count) = place.and_then(|place| self.occurrences.get_mut(place)) {
                *count += 1;
            }
        }
    }

    pub(super) fn restore(&mut self) {
        self.phrases.clear();
        let (mut start, mut place) = (0, 0);
        for group in self.entries.chunk_by(|a, b| a.0 == b.0) {
            let end = start + group.len() as u32;
            if let Some((phrase, _, _)) = group.first() {
                self.phrases.insert(*phrase, (place, start, end));
            }
            start = end;
            place += 1;
        }
    }

    pub(super) fn is_sound(&self, slots: usize) -> bool {
        self.entries.is_sorted()
            && self.entries.iter().all(|(_, slot, _)| usize::from(*slot) < slots)
            && self.occurrences.len() == self.entries.chunk_by(|a, b| a.0 == b.0).count()
    }

    /// First word, length and hash of every known phrase.
    fn known(&self, text: &Text, tokens: &[Token], most: usize) -> Vec<(usize, usize, u64)> {
        let mut known = Vec::new();
        if self.phrases.is_empty() {
            return known;
        }
        let words: Vec<u64> = tokens.iter().map(|token| hash_text(text.slice(*token))).collect();
        for start in 0..words.len() {
            let mut phrase = 0;
            for (length, word) in (1..=most).zip(words.iter().skip(start)) {
                phrase = extend(phrase, *word);
                if self.phrases.contains_key(&phrase) {
                    known.push((start, length, phrase));
                }
            }
        }
        known
    }

    /// Every phrase that is known, of at most `most` words, long ones first. `own` is what the sentence itself annotates:
    /// while learning, neither that nor its occurrences count.
    pub(super) fn find(&self, text: &Text, tokens: &[Token], most: usize, own: Option<&Counts>) -> Vec<Hit> {
        let known = self.known(text, tokens, most);
        let mut hits: Vec<Hit> = Vec::with_capacity(known.len());
        for (start, length, phrase) in &known {
            let Some((place, from, to)) = self.phrases.get(phrase) else {
                continue;
            };
            let here =
                if own.is_some() { known.iter().filter(|other| other.2 == *phrase).count() } else { 0 };
            let seen =
                self.occurrences.get(*place as usize).copied().unwrap_or(0).saturating_sub(here as u32);
            for (_, slot, count) in self.entries.get(*from as usize..*to as usize).unwrap_or_default() {
                let mine = own.and_then(|own| own.get(&(*phrase, *slot))).copied().unwrap_or(0);
                let count = count.saturating_sub(mine);
                if count > 0 {
                    hits.push(Hit {
                        start: *start,
                        length: *length,
                        slot: *slot,
                        count: match count {
                            1 => 1,
                            2..=4 => 2,
                            _ => 3,
                        },
                        share: (4 * count.min(seen) / seen.max(1)).min(3) as u8,
                        longest: true,
                    });
                }
            }
        }
        hits.sort_by_key(|hit| (std::cmp::Reverse(hit.length), hit.start));
        hits.truncate(MAX_HITS);
        for at in 0..hits.len() {
            let (longer, rest) = hits.split_at_mut(at);
            if let Some(hit) = rest.first_mut() {
                hit.longest = !longer.iter().any(|other| {
                    other.length > hit.length
                        && other.start <= hit.start
                        && other.start + other.length >= hit.start + hit.length
                });
            }
        }
        hits
    }
}

fn extend(phrase: u64, word: u64) -> u64 {
    mix(phrase.rotate_left(23) ^ word)
}

/// The hash of a whole phrase.
pub(super) fn hash(text: &Text, tokens: &[Token]) -> u64 {
    tokens.iter().fold(0, |phrase, token| extend(phrase, hash_text(text.slice(*token))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gazetteer() -> (Gazetteer, Counts) {
        let name = Text::new("new york");
        let counts =
            Counts::from([((hash(&name, &name.tokens), 3), 2), ((hash(&name, &name.tokens[1..]), 4), 1)]);
        let mut gazetteer = Gazetteer::new(&counts);
        for sentence in ["in new york", "to new york", "old york", "york"].map(Text::new) {
            gazetteer.see(&sentence, &sentence.tokens);
        }
        (gazetteer, counts)
    }

    #[test]
    fn a_phrase_tells_how_often_it_is_what() {
        let text = Text::new("from new york");
        let hits = gazetteer().0.find(&text, &text.tokens, LONGEST, None);
        let told: Vec<_> =
            hits.iter().map(|hit| (hit.start, hit.length, hit.slot, hit.count, hit.share)).collect();
        assert_eq!(told, [(1, 2, 3, 2, 3), (2, 1, 4, 1, 1)]);
        assert_eq!(hits.iter().map(|hit| hit.longest).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_sentences_own_annotations_do_not_count() {
        let (gazetteer, counts) = gazetteer();
        let text = Text::new("from new york");
        assert!(gazetteer.find(&text, &text.tokens, LONGEST, Some(&counts)).is_empty());
    }
}
