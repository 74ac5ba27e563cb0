//! The space of known features: from hashes to weighted, unit-length sparse vectors.

use serde::{Deserialize, Serialize};

use super::features::{Family, extract};
use crate::nlu::index::Index;
use crate::nlu::text::Text;
use crate::nlu::weights::Sparse;

/// A sentence in the space.
#[derive(Debug, Clone, Default)]
pub(super) struct Point {
    pub vector: Sparse,
    /// How much of the weight of its words is of words and pairs never seen, 0..=1.
    pub unfamiliar: f32,
}

/// Known features and their rarity. Index `len()` is the constant feature (the bias).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Space {
    /// Ascending.
    hashes: Vec<u32>,
    /// In how many sentences each stands.
    counts: Vec<u32>,
    sentences: u32,
    /// In how many sentences groups of characters have to stand to be known.
    rare: u32,
    #[serde(skip)]
    index: Index,
    #[serde(skip)]
    idf: Vec<f32>,
}

impl Space {
    /// Learns the space of some sentences. Characters that stand in fewer than `rare` sentences
    /// are left out: they are most of the features and say the least.
    ///
    /// At most `most` features are kept, the rarest of all families going first.
    pub(super) fn learn<'a>(texts: impl Iterator<Item = &'a Text>, rare: u32, most: usize) -> Self {
        let mut all: Vec<(u32, Family)> = Vec::new();
        let mut sentences = 0_u32;
        let mut own = Vec::new();
        for text in texts {
            sentences = sentences.saturating_add(1);
            own.clear();
            extract(text, |family, hash| own.push((hash, family)));
            own.sort_unstable();
            own.dedup_by_key(|feature| feature.0);
            all.extend_from_slice(&own);
        }
        all.sort_unstable();
        let mut known: Vec<(u32, u32)> = all
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|group| group.first().map(|(hash, family)| (*hash, *family, group.len() as u32)))
            .filter(|(_, family, count)| *family != Family::Characters || *count >= rare)
            .map(|(hash, _, count)| (hash, count))
            .collect();
        if known.len() > most {
            known.sort_unstable_by_key(|(hash, count)| (std::cmp::Reverse(*count), *hash));
            known.truncate(most);
            known.sort_unstable();
        }
        let (hashes, counts) = known.into_iter().unzip();
        let mut space = Self { hashes, counts, sentences, rare, ..Self::default() };
        space.restore();
        space
    }

    /// Rebuilds what is not stored. Needed after reading a space from bytes.
    pub(super) fn restore(&mut self) {
        self.index = Index::new(&self.hashes);
        self.idf = self.counts.iter().map(|count| rarity(self.sentences, *count)).collect();
    }

    /// Whether what was read from bytes can be used.
    pub(super) fn is_sound(&self) -> bool {
        self.hashes.len() == self.counts.len() && self.hashes.is_sorted()
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Places a sentence. With `held_out`, its own words do not make it familiar: that is what a
    /// sentence of the training set would look like had it not been in it.
    pub(super) fn place(&self, text: &Text, held_out: bool) -> Point {
        let mut found: Vec<u32> = Vec::with_capacity(192);
        let mut missing: Vec<u32> = Vec::new();
        let (mut strange, mut words) = (0.0, 0.0);
        let strangest = rarity(self.sentences, 0);
        extract(text, |family, hash| {
            let index = self.index.find(hash);
            match index {
                Some(index) => found.push(index),
                None if family != Family::Characters || self.rare < 2 => missing.push(hash),
                // It may well be one of those that were left out.
                None => {}
            }
            if family != Family::Characters {
                let seen = index.and_then(|index| self.counts.get(index as usize).copied());
                let idf = index.and_then(|index| self.idf.get(index as usize).copied()).unwrap_or(strangest);
                let weight = if family == Family::Word { idf } else { 0.5 * idf };
                words += weight;
                if seen.unwrap_or(0) <= u32::from(held_out) {
                    strange += weight;
                }
            }
        });
        found.sort_unstable();
        missing.sort_unstable();
        missing.dedup();
        let missing = missing.len() as f32 * strangest * strangest;
        Point {
            vector: self.weigh(&found, missing),
            unfamiliar: if words > 0.0 { strange / words } else { 1.0 },
        }
    }

    /// Sublinear term frequency times rarity, made unit length, with the constant feature.
    ///
    /// What is `missing`, as a squared length, counts for the length: held-out sentences, from which
    /// is learned how sure to be, carry features that their model knows nothing of. Without it a
    /// sentence of which three scraps are known would be as long as one that is known whole, and
    /// score as high.
    fn weigh(&self, found: &[u32], missing: f32) -> Sparse {
        let mut vector: Sparse = Vec::with_capacity(found.len() + 1);
        for group in found.chunk_by(|a, b| a == b) {
            if let Some(index) = group.first() {
                let idf = self.idf.get(*index as usize).copied().unwrap_or(1.0);
                vector.push((*index, (1.0 + (group.len() as f32).ln()) * idf));
            }
        }
        let known: f32 = vector.iter().map(|(_, value)| value * value).sum();
        let norm = (known + missing).sqrt();
        if norm > 0.0 {
            for (_, value) in &mut vector {
                *value /= norm;
            }
        }
        vector.push((self.len() as u32, 1.0));
        vector
    }
}

fn rarity(sentences: u32, count: u32) -> f32 {
    1.0 + ((1.0 + sentences as f32) / (1.0 + count as f32)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        let texts = [Text::new("turn on the light"), Text::new("turn off the light")];
        Space::learn(texts.iter(), 1, usize::MAX)
    }

    #[test]
    fn a_vector_has_unit_length_besides_the_constant() {
        let point = space().place(&Text::new("turn off the light"), false);
        let (constant, rest) = point.vector.split_last().unwrap();
        assert_eq!(constant.1, 1.0);
        let norm: f32 = rest.iter().map(|(_, value)| value * value).sum();
        assert!((norm - 1.0).abs() < 1e-5);
    }

    #[test]
    fn what_is_not_known_takes_its_part_of_the_length() {
        let space = space();
        let length = |original: &str| -> f32 {
            let point = space.place(&Text::new(original), false);
            point
                .vector
                .iter()
                .filter(|(at, _)| *at < space.len() as u32)
                .map(|(_, value)| value * value)
                .sum()
        };
        assert!((length("turn on the light") - 1.0).abs() < 1e-5);
        assert!(length("turn in the lift") < 0.7);
        assert!(length("quartz on zebras") < 0.3);
    }

    #[test]
    fn the_rarest_features_go_when_there_are_too_many() {
        let texts = [Text::new("turn on the light"), Text::new("turn off the light")];
        let space = Space::learn(texts.iter(), 1, 5);
        assert_eq!(space.len(), 5);
        assert!(space.place(&Text::new("turn the light"), false).vector.len() > 1);
    }

    #[test]
    fn unknown_words_make_a_sentence_unfamiliar() {
        let space = space();
        assert!(space.place(&Text::new("turn on the light"), false).unfamiliar < 0.01);
        assert!(space.place(&Text::new("zebra quartz"), false).unfamiliar > 0.99);
        assert!(space.place(&Text::new("turn on the light"), true).unfamiliar > 0.2);
        assert!(space.place(&Text::new(""), false).unfamiliar > 0.0);
    }
}
