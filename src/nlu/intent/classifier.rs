//! The trained classifier of one language: small enough to ship, fast enough to forget.

use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, Scores};
use super::space::Space;
use crate::nlu::entity::Candidate;
use crate::nlu::rng::hash_text;
use crate::nlu::text::{Text, sentence_key};
use crate::nlu::weights::Weights;

/// What a classifier says of a sentence. Classes are indices into [`Classifier::classes`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Prediction {
    /// At most five, best first.
    pub ranking: Vec<(usize, f32)>,
    /// Probability that the first is right.
    pub confidence: f32,
    /// Probability that the sentence is one of the intents at all.
    pub in_scope: f32,
    /// Whether it is taken for one.
    pub within_scope: bool,
    /// Whether it is a training sentence, word by word.
    pub exact: bool,
    /// How much of it the language of the training data has never seen, 0..=1.
    pub unfamiliar: f32,
    /// Entities of the template, or of the example, that the sentence is.
    pub literal: Option<Vec<Candidate>>,
}

impl Prediction {
    /// The sentence is of this class without doubt.
    pub(crate) fn settle(&mut self, class: usize) {
        self.ranking.retain(|(other, _)| *other != class);
        self.ranking.insert(0, (class, 1.0));
        self.ranking.truncate(RANKED);
        self.confidence = EXACT_CONFIDENCE;
        self.in_scope = EXACT_CONFIDENCE;
        self.within_scope = true;
        self.exact = true;
        spread(self);
    }
}

/// How many candidates are told.
const RANKED: usize = 5;
/// A sentence that someone labelled is as sure as it gets; not 1, because labels err too.
const EXACT_CONFIDENCE: f32 = 0.999;

/// See the [module](super).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Classifier {
    /// Names of the intents that can be answered.
    pub classes: Vec<String>,
    pub(super) space: Space,
    pub(super) weights: Weights,
    pub(super) calibration: Calibration,
    /// Hashes of the training sentences that have one label only, ascending, and the class;
    /// `classes.len()` is out of scope.
    pub(super) exact: Vec<(u64, u16)>,
}

impl Classifier {
    pub(crate) fn predict(&self, text: &Text) -> Prediction {
        let point = self.space.place(text, false);
        // The constant feature alone says nothing.
        if point.vector.len() < 2 {
            return Prediction { unfamiliar: 1.0, ..Prediction::default() };
        }
        let mut margins = Vec::new();
        self.weights.margins(&point.vector, &mut margins);
        let out_of_scope = margins.get(self.classes.len()).copied();
        margins.truncate(self.classes.len());
        let (confidence, in_scope, within_scope) = self.calibration.judge(&Scores {
            in_scope: &margins,
            out_of_scope,
            unfamiliar: point.unfamiliar,
            features: point.vector.len(),
        });
        self.calibration.shares(&mut margins);
        let mut prediction = Prediction {
            ranking: rank(&margins),
            confidence,
            in_scope,
            within_scope,
            exact: false,
            unfamiliar: point.unfamiliar,
            literal: None,
        };
        spread(&mut prediction);
        self.apply_exact(text, &mut prediction);
        prediction
    }

    fn apply_exact(&self, text: &Text, prediction: &mut Prediction) {
        let key = hash_text(&sentence_key(text));
        let Some((_, class)) =
            self.exact.binary_search_by_key(&key, |entry| entry.0).ok().and_then(|at| self.exact.get(at))
        else {
            return;
        };
        let class = usize::from(*class);
        if class >= self.classes.len() {
            prediction.within_scope = false;
            prediction.literal = Some(Vec::new());
            prediction.confidence = prediction.confidence.min(1.0 - EXACT_CONFIDENCE);
            prediction.in_scope = prediction.in_scope.min(1.0 - EXACT_CONFIDENCE);
            spread(prediction);
            return;
        }
        prediction.settle(class);
    }

    /// Rebuilds what is not stored, and tells whether what was stored can be used.
    pub(crate) fn restore(&mut self) -> bool {
        let classes = self.weights.classes();
        if !self.space.is_sound()
            || !self.calibration.is_sound()
            || !self.weights.is_sound(self.space.len() + 1)
            || !(classes == self.classes.len() || classes == self.classes.len() + 1)
            || !self.exact.is_sorted()
            || self.exact.iter().any(|(_, class)| usize::from(*class) > self.classes.len())
        {
            return false;
        }
        self.space.restore();
        self.weights.restore();
        true
    }
}

fn rank(shares: &[f32]) -> Vec<(usize, f32)> {
    let mut ranking: Vec<(usize, f32)> = Vec::with_capacity(RANKED + 1);
    for (class, share) in shares.iter().enumerate() {
        let at = ranking.partition_point(|(_, other)| other >= share);
        if at < RANKED {
            ranking.insert(at, (class, *share));
            ranking.truncate(RANKED);
        }
    }
    ranking
}

/// Makes the first of the ranking as likely as the calibration says and the others share the rest.
fn spread(prediction: &mut Prediction) {
    let confidence = prediction.confidence;
    let Some(((_, first), others)) = prediction.ranking.split_first_mut() else {
        return;
    };
    let rest = others.iter().map(|(_, share)| share).sum::<f32>().max(1e-9);
    let room = if *first < 1.0 { (1.0 - *first).max(rest) } else { rest.max(1.0) };
    let scale = ((1.0 - confidence) / room)
        .min(1.0)
        .min(confidence / others.first().map_or(1.0, |(_, share)| share.max(1e-9)));
    for (_, share) in others {
        *share = (*share * scale).min(confidence);
    }
    *first = confidence;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranking_starts_with_the_confidence_and_falls() {
        for (shares, confidence) in
            [([0.9, 0.1], 0.4), ([0.5, 0.5], 0.9), ([1.0, 0.0], 0.999), ([0.6, 0.4], 0.1)]
        {
            let mut prediction = Prediction { ranking: rank(&shares), confidence, ..Prediction::default() };
            spread(&mut prediction);
            assert!((prediction.ranking[0].1 - confidence).abs() < 1e-6);
            assert!(prediction.ranking[1].1 <= prediction.ranking[0].1);
            assert!(prediction.ranking.iter().map(|(_, share)| share).sum::<f32>() <= 1.0001);
        }
    }
}
