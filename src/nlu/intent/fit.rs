//! Training of one language's classifier.

use std::collections::BTreeMap;

use super::calibration::{Calibration, HeldOut};
use super::classifier::Classifier;
use super::linear::{self, Settings};
use super::nonsense;
use super::softmax;
use super::space::{Point, Space};
use crate::nlu::rng::{Rng, hash_text};
use crate::nlu::text::{Text, sentence_key};
use crate::nlu::types::{Progress, Stage, TrainOptions};
use crate::nlu::weights::{Dense, MOST, Sparse, Weights};

/// A sentence and its class; the class after the last name is out of scope.
pub(crate) struct Labelled {
    pub text: Text,
    pub class: usize,
}

/// A class has few sentences and all others have many: its own count for more.
const SETTINGS: Settings = Settings { cost: 1.0, own: 3.0, epochs: 20, tolerance: 0.05, seed: 0 };
/// How much the weights learned together count beside those learned one against the rest. Both are
/// linear in the same features, so that their sum is one model and costs nothing when asked.
const TOGETHER: f32 = 0.15;
/// Margins of held-out sentences settle sooner than the weights do.
const HELD_OUT: Settings = Settings { epochs: 8, ..SETTINGS };
/// Weights below this are left out of the model.
const LEAST_WEIGHT: f32 = 0.02;
/// With more sentences than this, characters that stand in one sentence only are left out.
const PLENTY: usize = 2_000;
/// Sentences without a meaning that show how sure a model can be of nothing.
const NONSENSE: usize = 600;

/// Trains on `items`, whose classes are `classes` and, after them, out of scope.
pub(crate) fn fit(
    classes: Vec<String>,
    items: &[Labelled],
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> Classifier {
    progress(Progress { stage: Stage::Features, done: 0, total: 1 });
    let rare = if items.len() > PLENTY { 2 } else { 1 };
    let most = MOST / (classes.len() + 1);
    let space = Space::learn(items.iter().map(|item| &item.text), rare, most);
    let points: Vec<Point> = items.iter().map(|item| space.place(&item.text, true)).collect();
    let labels: Vec<usize> = items.iter().map(|item| item.class).collect();
    let columns = classes.len() + usize::from(labels.iter().any(|label| *label >= classes.len()));
    progress(Progress { stage: Stage::Features, done: 1, total: 1 });

    let texts: Vec<&Text> = items.iter().map(|item| &item.text).collect();
    let nonsense = nonsense::sentences(&texts, NONSENSE, options.seed);
    let nonsense: Vec<Point> = nonsense.iter().map(|text| space.place(text, false)).collect();
    let problem =
        Problem { points: &points, labels: &labels, features: space.len() + 1, columns, seed: options.seed };
    let held_out = problem.held_out(options.folds.clamp(2, 10), &nonsense, progress);
    let all: Vec<usize> = (0..items.len()).collect();
    let weights = problem.train(&all, SETTINGS, Stage::Intents, (0, 1), progress);
    let weights = Weights::pack(&weights, space.len() + 1, LEAST_WEIGHT);
    let mut nothing = Vec::new();
    weights.margins(&[(space.len() as u32, 1.0)], &mut nothing);
    let calibration = Calibration::fit(&held_out, classes.len(), &nothing);
    Classifier { exact: exact(items), classes, space, weights, calibration }
}

struct Problem<'a> {
    points: &'a [Point],
    labels: &'a [usize],
    features: usize,
    columns: usize,
    seed: u64,
}

impl Problem<'_> {
    fn train(
        &self,
        members: &[usize],
        settings: Settings,
        stage: Stage,
        (part, parts): (usize, usize),
        progress: &mut dyn FnMut(Progress),
    ) -> Dense {
        let vectors: Vec<&Sparse> =
            members.iter().filter_map(|at| self.points.get(*at)).map(|point| &point.vector).collect();
        let labels: Vec<usize> = members.iter().filter_map(|at| self.labels.get(*at)).copied().collect();
        let total = settings.epochs * parts;
        let mut done = settings.epochs * part;
        let mut weights = linear::train(
            &vectors,
            &labels,
            self.features,
            self.columns,
            Settings { seed: self.seed, ..settings },
            || {
                done += 1;
                progress(Progress { stage, done, total });
            },
        );
        let together = softmax::train(&vectors, &labels, self.features, self.columns, self.seed);
        for (weight, other) in weights.rows.iter_mut().zip(&together.rows) {
            *weight += TOGETHER * other;
        }
        progress(Progress { stage, done: settings.epochs * (part + 1), total });
        weights
    }

    /// Scores every sentence by a model that was trained without it, and each nonsense by one of them.
    fn held_out(&self, folds: usize, nonsense: &[Point], progress: &mut dyn FnMut(Progress)) -> Vec<HeldOut> {
        let fold_of = self.folds(folds);
        let mut held_out = Vec::with_capacity(self.points.len());
        let mut margins = Vec::new();
        for fold in 0..folds {
            let (outside, inside): (Vec<usize>, Vec<usize>) =
                (0..self.points.len()).partition(|at| fold_of.get(*at) == Some(&fold));
            if outside.is_empty() || inside.is_empty() {
                continue;
            }
            let weights = self.train(&inside, HELD_OUT, Stage::Calibration, (fold, folds), progress);
            let sense =
                outside.iter().filter_map(|at| Some((self.points.get(*at)?, self.labels.get(*at).copied())));
            let nonsense = nonsense.iter().skip(fold).step_by(folds).map(|point| (point, None));
            for (point, label) in sense.chain(nonsense) {
                weights.margins(&point.vector, &mut margins);
                held_out.push(HeldOut {
                    margins: margins.clone(),
                    label,
                    unfamiliar: point.unfamiliar,
                    features: point.vector.len(),
                });
            }
        }
        held_out
    }

    /// The fold of each sentence: every class is spread evenly over all of them.
    fn folds(&self, folds: usize) -> Vec<usize> {
        let mut by_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, label) in self.labels.iter().enumerate() {
            by_class.entry(*label).or_default().push(at);
        }
        let mut fold_of = vec![0; self.labels.len()];
        let mut rng = Rng::new(self.seed ^ 0xf01d);
        for members in by_class.values_mut() {
            rng.shuffle(members);
            for (position, at) in members.iter().enumerate() {
                if let Some(fold) = fold_of.get_mut(*at) {
                    *fold = position % folds;
                }
            }
        }
        fold_of
    }
}

/// Sentences by hash, without those that have two labels.
fn exact(items: &[Labelled]) -> Vec<(u64, u16)> {
    let mut sentences: BTreeMap<u64, Option<u16>> = BTreeMap::new();
    for item in items {
        let key = sentence_key(&item.text);
        let class = u16::try_from(item.class).ok().filter(|_| !key.is_empty());
        sentences
            .entry(hash_text(&key))
            .and_modify(|known| {
                if *known != class {
                    *known = None;
                }
            })
            .or_insert(class);
    }
    sentences.into_iter().filter_map(|(hash, class)| class.map(|class| (hash, class))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<Labelled> {
        let sentences = [
            ("turn the light on", 0),
            ("switch on the lamp", 0),
            ("lights on please", 0),
            ("please turn on the bedroom lamp", 0),
            ("play some music", 1),
            ("play a song by queen", 1),
            ("i want to hear jazz", 1),
            ("put on some rock music", 1),
            ("what is the meaning of life", 2),
            ("who won the election", 2),
        ];
        sentences.into_iter().map(|(text, class)| Labelled { text: Text::new(text), class }).collect()
    }

    fn trained(seed: u64) -> Classifier {
        let options = TrainOptions { seed, ..TrainOptions::default() };
        fit(vec!["light".into(), "music".into()], &items(), &options, &mut |_| {})
    }

    #[test]
    fn a_sentence_like_the_examples_gets_their_intent() {
        let classifier = trained(1);
        assert_eq!(classifier.predict(&Text::new("switch the light on")).ranking[0].0, 0);
        assert_eq!(classifier.predict(&Text::new("play jazz")).ranking[0].0, 1);
    }

    #[test]
    fn a_training_sentence_is_certain_whatever_its_case_and_punctuation() {
        let prediction = trained(1).predict(&Text::new("Play some MUSIC!"));
        assert!(prediction.exact && prediction.within_scope);
        assert!(prediction.confidence > 0.99);
        assert_eq!(prediction.ranking[0].0, 1);
    }

    #[test]
    fn a_negative_is_never_within_scope() {
        let prediction = trained(1).predict(&Text::new("Who won the election?"));
        assert!(!prediction.within_scope);
        assert!(prediction.confidence < 0.01);
    }

    #[test]
    fn a_sentence_of_unknown_characters_is_out_of_scope() {
        assert!(!trained(1).predict(&Text::new("漢字")).within_scope);
        assert!(!trained(1).predict(&Text::new("")).within_scope);
    }

    #[test]
    fn progress_reaches_its_total() {
        let mut last = None;
        fit(vec!["light".into(), "music".into()], &items(), &TrainOptions::default(), &mut |progress| {
            last = Some(progress);
        });
        let last = last.unwrap();
        assert_eq!((last.stage, last.done), (Stage::Intents, last.total));
    }
}
