//! Words that stand between the same words: what is not known of a word is often known of its
//! cluster. Learned from the sentences alone, without their annotations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::nlu::index::Index;

/// How many clusters there are.
const CLUSTERS: usize = 96;
/// How many neighbours, the most frequent ones, tell words apart.
const NEIGHBOURS: usize = 400;
const PASSES: usize = 8;
/// With more distinct words than this the rarest have no cluster.
const MOST_WORDS: usize = 40_000;

/// See the [module](self).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Clusters {
    /// Hashes of words, ascending.
    words: Vec<u32>,
    assigned: Vec<u8>,
    #[serde(skip)]
    index: Index,
}

/// Which neighbours a word has and how much: unit length, in order of the neighbour.
type Vector = Vec<(u32, f32)>;

impl Clusters {
    /// Learns from sentences as the hashes of their words.
    pub(super) fn learn(sentences: &[Vec<u64>]) -> Self {
        let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
        for word in sentences.iter().flatten() {
            *counts.entry(*word).or_default() += 1;
        }
        let mut frequent: Vec<(u32, u64)> = counts.iter().map(|(word, count)| (*count, *word)).collect();
        frequent.sort_unstable_by(|a, b| b.cmp(a));
        frequent.truncate(MOST_WORDS);
        let neighbour: BTreeMap<u64, u32> =
            frequent.iter().take(NEIGHBOURS).zip(1..).map(|((_, word), number)| (*word, number)).collect();
        let number = |word: Option<&u64>| match word {
            Some(word) => neighbour.get(word).copied(),
            // The end of the sentence is a neighbour, too.
            None => Some(0),
        };
        let mut contexts: BTreeMap<u64, BTreeMap<u32, f32>> =
            frequent.iter().map(|(_, word)| (*word, BTreeMap::new())).collect();
        for sentence in sentences {
            for (at, word) in sentence.iter().enumerate() {
                let Some(context) = contexts.get_mut(word) else {
                    continue;
                };
                let before = at.checked_sub(1).and_then(|at| sentence.get(at));
                for (side, found) in [(0, number(before)), (1, number(sentence.get(at + 1)))] {
                    if let Some(found) = found {
                        *context.entry(2 * found + side).or_default() += 1.0;
                    }
                }
            }
        }
        let vectors: Vec<Vector> =
            frequent.iter().filter_map(|(_, word)| contexts.get(word)).map(unit).collect();
        let assigned = assign(&vectors);
        let mut known: Vec<(u32, u8)> =
            frequent.iter().zip(&assigned).map(|((_, word), cluster)| (squeeze(*word), *cluster)).collect();
        known.sort_unstable();
        known.dedup_by_key(|entry| entry.0);
        let (words, assigned) = known.into_iter().unzip();
        let mut learned = Self { words, assigned, index: Index::default() };
        learned.restore();
        learned
    }

    pub(super) fn restore(&mut self) {
        self.index = Index::new(&self.words);
    }

    pub(super) fn is_sound(&self) -> bool {
        self.words.len() == self.assigned.len()
    }

    /// The cluster of a word; one of its own for what is not known.
    pub(super) fn of(&self, word: u64) -> u64 {
        let at = self.index.find(squeeze(word));
        at.and_then(|at| self.assigned.get(at as usize)).map_or(u64::MAX, |cluster| u64::from(*cluster))
    }
}

fn squeeze(word: u64) -> u32 {
    (word >> 32) as u32
}

fn unit(context: &BTreeMap<u32, f32>) -> Vector {
    let damped: Vector = context.iter().map(|(at, count)| (*at, (1.0 + count).ln())).collect();
    let length = damped.iter().map(|(_, value)| value * value).sum::<f32>().sqrt().max(1e-6);
    damped.into_iter().map(|(at, value)| (at, value / length)).collect()
}

/// Spherical k-means; the most frequent words, which come first, are the seeds.
fn assign(vectors: &[Vector]) -> Vec<u8> {
    let width = 2 * (NEIGHBOURS + 1);
    let count = CLUSTERS.min(vectors.len());
    let mut centres = vec![0.0_f32; count * width];
    for (centre, vector) in centres.chunks_mut(width).zip(vectors) {
        add(centre, vector);
    }
    let mut assigned = vec![0_u8; vectors.len()];
    for _ in 0..PASSES {
        for (cluster, vector) in assigned.iter_mut().zip(vectors) {
            *cluster = nearest(&centres, width, vector);
        }
        centres.fill(0.0);
        for (cluster, vector) in assigned.iter().zip(vectors) {
            if let Some(centre) = centres.chunks_mut(width).nth(usize::from(*cluster)) {
                add(centre, vector);
            }
        }
        for centre in centres.chunks_mut(width) {
            let length = centre.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
            for value in centre {
                *value /= length;
            }
        }
    }
    assigned
}

fn add(centre: &mut [f32], vector: &Vector) {
    for (at, value) in vector {
        if let Some(sum) = centre.get_mut(*at as usize) {
            *sum += value;
        }
    }
}

fn nearest(centres: &[f32], width: usize, vector: &Vector) -> u8 {
    let mut best = (f32::NEG_INFINITY, 0_u8);
    for (number, centre) in (0_u8..).zip(centres.chunks(width)) {
        let likeness: f32 =
            vector.iter().map(|(at, value)| value * centre.get(*at as usize).copied().unwrap_or(0.0)).sum();
        if likeness > best.0 {
            best = (likeness, number);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::rng::hash_text;

    #[test]
    fn words_between_the_same_words_are_alike() {
        let sentences: Vec<Vec<u64>> = ["rome", "oslo", "lima", "bern"]
            .iter()
            .flat_map(|city| {
                [format!("fly to {city} now"), format!("play {city} loud"), "play jazz loud".to_owned()]
            })
            .map(|sentence| sentence.split(' ').map(hash_text).collect())
            .collect();
        let clusters = Clusters::learn(&sentences);
        assert_eq!(clusters.of(hash_text("rome")), clusters.of(hash_text("bern")));
        assert_eq!(clusters.of(hash_text("nowhere")), u64::MAX);
        assert!(clusters.is_sound());
    }

    #[test]
    fn nothing_has_no_clusters() {
        assert_eq!(Clusters::learn(&[]).of(1), u64::MAX);
    }
}
