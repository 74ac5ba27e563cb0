//! How sure to be: from margins to a probability of being right, and to "this is none of them".
//!
//! Everything is fitted on sentences that the scoring model had not seen. Two questions are
//! asked apart, since they have different answers for a sentence between two intents: is the
//! first intent right (that is the confidence), and is the sentence within scope at all (that is
//! what decides on `none`).

use serde::{Deserialize, Serialize};

use super::logistic::{INPUTS, Logistic};

/// What the scoring of one sentence gave.
#[derive(Debug, Clone)]
pub(super) struct Scores<'a> {
    /// Margins of the intents that can be answered.
    pub in_scope: &'a [f32],
    /// Margin of the out-of-scope negatives, if there are any.
    pub out_of_scope: Option<f32>,
    /// 0..=1, see [`Point`](super::space::Point).
    pub unfamiliar: f32,
    /// Number of features.
    pub features: usize,
}

/// A scored sentence that the scoring model had not seen.
#[derive(Debug, Clone)]
pub(super) struct HeldOut {
    /// All margins, in-scope classes first.
    pub margins: Vec<f32>,
    /// `None`: it means nothing.
    pub label: Option<usize>,
    pub unfamiliar: f32,
    pub features: usize,
}

/// The fitted answers to both questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    /// Margins are multiplied by it before the softmax.
    sharpness: f32,
    right: Logistic,
    within: Logistic,
    /// Sentences whose probability of being within scope is below are none.
    threshold: f32,
}

/// This share of the held-out sentences that were understood may be refused for the sake of others.
const REFUSED: f32 = 0.003;
/// And this share, if that is what it takes to refuse nonsense.
const REFUSED_WITH_NONSENSE: f32 = 0.02;
/// The share of nonsense that is to be refused.
const NONSENSE: f32 = 0.98;
/// What is less likely right than this is not answered, however much within scope it is.
const UNLIKELY: f32 = 0.3;

impl Calibration {
    /// Probability that the top intent is right, probability that the sentence is within scope, and
    /// whether it is taken to be.
    pub(super) fn judge(&self, scores: &Scores<'_>) -> (f32, f32, bool) {
        let inputs = self.inputs(scores);
        let within = self.within.probability(&inputs);
        let right = self.right.probability(&inputs);
        (right, within, within >= self.threshold && right >= UNLIKELY)
    }

    /// Shares of the intents, adding up to 1, in place of their margins.
    pub(super) fn shares(&self, margins: &mut [f32]) {
        softmax(margins, self.sharpness);
    }

    fn inputs(&self, scores: &Scores<'_>) -> [f32; INPUTS] {
        let (mut first, mut second) = (-2.0_f32, -2.0_f32);
        for margin in scores.in_scope {
            if *margin > first {
                second = first;
                first = *margin;
            } else if *margin > second {
                second = *margin;
            }
        }
        let mass: f32 = scores.in_scope.iter().map(|margin| ((margin - first) * self.sharpness).exp()).sum();
        [
            first,
            first - second,
            scores.out_of_scope.unwrap_or(-1.0),
            scores.unfamiliar,
            -mass.max(1.0).ln(),
            (1.0 + scores.features as f32).ln(),
        ]
    }

    /// Fits on held-out sentences; classes from `in_scope` on are negatives. `nothing` is the
    /// scoring of a sentence without any known feature.
    pub(super) fn fit(held_out: &[HeldOut], in_scope: usize, nothing: &[f32]) -> Self {
        let mut fitted = Self {
            sharpness: sharpness(held_out, in_scope),
            right: Logistic::fit(&[], 1.0),
            within: Logistic::fit(&[], 1.0),
            threshold: 0.0,
        };
        let mut right = Vec::new();
        let mut within = Vec::new();
        let mut understood = Vec::new();
        let mut nonsense = Vec::new();
        let labels = || held_out.iter().filter_map(|item| item.label);
        let negatives = labels().filter(|label| *label >= in_scope).count();
        let positives = labels().count() - negatives;
        let real = negatives >= 10;
        // Sentences of one intent scored without it stand for sentences that belong to none. Where
        // the data has real negatives those say it better.
        let share = if real { 0.25 } else { 1.0 };
        let balance = if real { positives as f32 / negatives as f32 } else { 1.0 };
        for item in held_out {
            let (own, rest) = item.margins.split_at_checked(in_scope).unwrap_or((&item.margins, &[]));
            let scores = Scores {
                in_scope: own,
                out_of_scope: rest.first().copied(),
                unfamiliar: item.unfamiliar,
                features: item.features,
            };
            let inputs = fitted.inputs(&scores);
            let Some(label) = item.label else {
                nonsense.push(inputs);
                continue;
            };
            let is_positive = label < in_scope;
            let is_right = is_positive && top(own) == label;
            right.push((inputs, is_right, 1.0));
            within.push((inputs, is_positive, if is_positive { 1.0 } else { balance }));
            if is_right {
                understood.push(inputs);
            }
            if is_positive && in_scope > 2 {
                let mut masked = own.to_vec();
                if let Some(margin) = masked.get_mut(label) {
                    *margin = f32::NEG_INFINITY;
                }
                let unfamiliar = item.unfamiliar.max(0.3);
                let inputs = fitted.inputs(&Scores { in_scope: &masked, unfamiliar, ..scores });
                within.push((inputs, false, share));
                if !real {
                    right.push((inputs, false, 0.05));
                }
            }
        }
        let (own, rest) = nothing.split_at_checked(in_scope).unwrap_or((nothing, &[]));
        let blank = fitted.inputs(&Scores {
            in_scope: own,
            out_of_scope: rest.first().copied(),
            unfamiliar: 1.0,
            features: 1,
        });
        within.push((blank, false, 1.0 + 0.05 * positives as f32));
        right.push((blank, false, 1.0 + 0.02 * positives as f32));

        fitted.right = Logistic::fit(&right, 1e-4);
        fitted.within = Logistic::fit(&within, 1e-4);
        let understood = fitted.sure_of(&understood);
        let nonsense = quantile(&fitted.sure_of(&nonsense), NONSENSE).unwrap_or(0.0);
        let refused = |share: f32| quantile(&understood, share).unwrap_or(0.5);
        fitted.threshold = nonsense.min(refused(REFUSED_WITH_NONSENSE)).max(refused(REFUSED)).min(0.5);
        fitted
    }

    /// How surely sentences are within scope, in ascending order.
    fn sure_of(&self, sentences: &[[f32; INPUTS]]) -> Vec<f32> {
        let mut sure: Vec<f32> = sentences.iter().map(|inputs| self.within.probability(inputs)).collect();
        sure.sort_unstable_by(f32::total_cmp);
        sure
    }

    pub(super) fn is_sound(&self) -> bool {
        self.sharpness.is_finite()
            && self.threshold.is_finite()
            && self.right.is_sound()
            && self.within.is_sound()
    }
}

/// What the given share of ascending values stays below.
fn quantile(ascending: &[f32], share: f32) -> Option<f32> {
    ascending.get((ascending.len() as f32 * share) as usize).copied()
}

/// The index of the highest; 0 of none.
pub(super) fn top(margins: &[f32]) -> usize {
    margins
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))
        .map_or(0, |(index, _)| index)
}

fn softmax(margins: &mut [f32], sharpness: f32) {
    let highest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for margin in margins.iter_mut() {
        *margin = ((*margin - highest) * sharpness).exp();
        sum += *margin;
    }
    for margin in margins.iter_mut() {
        *margin /= sum;
    }
}

/// The sharpness under which the held-out labels are likeliest, by golden section on its logarithm.
fn sharpness(held_out: &[HeldOut], in_scope: usize) -> f32 {
    let loss = |log: f32| {
        let mut loss = 0.0_f64;
        let mut shares = Vec::new();
        let labelled = held_out.iter().filter_map(|item| Some((item, item.label?)));
        for (item, label) in labelled.filter(|(_, label)| *label < in_scope) {
            shares.clear();
            shares.extend(item.margins.iter().take(in_scope));
            softmax(&mut shares, log.exp());
            loss -= f64::from(shares.get(label).copied().unwrap_or(0.0).max(1e-9)).ln();
        }
        loss
    };
    let golden = 0.618_034;
    let (mut low, mut high) = (0.0_f32, 4.0_f32);
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    for _ in 0..12 {
        if at_left < at_right {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - golden * (high - low);
            at_left = loss(left);
        } else {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + golden * (high - low);
            at_right = loss(right);
        }
    }
    f32::midpoint(low, high).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out() -> Vec<HeldOut> {
        (0..200)
            .map(|i| {
                let label = i % 3;
                let sure = if i % 10 == 0 { -0.9 } else { 0.8 };
                let margins = (0..4).map(|class| if class == label { sure } else { -0.8 }).collect();
                HeldOut { margins, label: Some(label), unfamiliar: 0.1, features: 60 }
            })
            .chain((0..20).map(|_| HeldOut {
                margins: vec![-0.9, -0.8, -0.9, 0.5],
                label: Some(3),
                unfamiliar: 0.7,
                features: 60,
            }))
            .collect()
    }

    fn scores(margins: &[f32], unfamiliar: f32) -> Scores<'_> {
        Scores { in_scope: margins, out_of_scope: Some(-0.9), unfamiliar, features: 60 }
    }

    #[test]
    fn a_clear_margin_is_likely_right_and_within_scope() {
        let calibration = Calibration::fit(&held_out(), 3, &[-0.9; 4]);
        let (right, in_scope, within) = calibration.judge(&scores(&[0.8, -0.8, -0.8], 0.1));
        assert!(right > 0.9 && in_scope > 0.9 && within, "{right}");
        let (wrong, _, within) = calibration.judge(&scores(&[-0.9, -0.8, -0.9], 0.9));
        assert!(wrong < 0.3 && !within, "{wrong}");
    }

    #[test]
    fn shares_add_up_to_one() {
        let calibration = Calibration::fit(&held_out(), 3, &[-0.9; 4]);
        let mut margins = [0.5, -1.0, f32::NEG_INFINITY];
        calibration.shares(&mut margins);
        assert!((margins.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(margins[0] > margins[1]);
    }

    #[test]
    fn no_held_out_sentences_are_no_reason_to_fail() {
        let calibration = Calibration::fit(&[], 1, &[-0.9]);
        assert!(calibration.is_sound());
    }
}
