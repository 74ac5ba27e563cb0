//! Multinomial logistic regression by stochastic gradient, with a step of its own for each weight
//! (Duchi, Hazan and Singer, "Adaptive subgradient methods", 2011): all classes compete for each
//! sentence, where one-vs-rest machines never look at each other. The weights are the mean over the
//! last passes; few passes are all the regularisation there is.

use crate::nlu::rng::Rng;
use crate::nlu::weights::{Dense, Sparse};

/// Passes over the sentences.
const EPOCHS: usize = 8;
/// The first step of a weight.
const RATE: f32 = 0.25;
/// Errors below this are not worth a step.
const SLIGHT: f32 = 0.005;

/// Trains on sentences and their classes; the same seed gives the same weights.
pub(super) fn train(
    vectors: &[&Sparse],
    labels: &[usize],
    features: usize,
    classes: usize,
    seed: u64,
) -> Dense {
    let mut weights = Dense::new(features, classes);
    let mut slopes = Dense::new(features, classes);
    let mut mean = Dense::new(features, classes);
    let mut order: Vec<usize> = (0..vectors.len()).collect();
    let mut rng = Rng::new(seed ^ 0x50f7);
    let (mut shares, mut errors) = (Vec::new(), Vec::new());
    let last = (EPOCHS / 2).max(1);
    for epoch in 0..EPOCHS {
        rng.shuffle(&mut order);
        for &item in &order {
            let (Some(vector), Some(&label)) = (vectors.get(item), labels.get(item)) else {
                continue;
            };
            weights.margins(vector, &mut shares);
            compare(&mut shares, label, &mut errors);
            for (feature, value) in *vector {
                let sums = slopes.row_mut(*feature);
                let row = weights.row_mut(*feature);
                for (class, error) in &errors {
                    if let (Some(weight), Some(sum)) = (row.get_mut(*class), sums.get_mut(*class)) {
                        let slope = error * value;
                        *sum += slope * slope;
                        *weight -= RATE * slope / (1e-4 + *sum).sqrt();
                    }
                }
            }
        }
        if epoch + last >= EPOCHS {
            for (mean, weight) in mean.rows.iter_mut().zip(&weights.rows) {
                *mean += weight / last as f32;
            }
        }
    }
    mean
}

/// How much more likely than it should be each class is, by the margins, where that matters.
fn compare(margins: &mut [f32], label: usize, errors: &mut Vec<(usize, f32)>) {
    let highest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for margin in margins.iter_mut() {
        *margin = (*margin - highest).exp();
        sum += *margin;
    }
    errors.clear();
    for (class, share) in margins.iter().enumerate() {
        let error = share / sum - f32::from(u8::from(class == label));
        if error.abs() > SLIGHT {
            errors.push((class, error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separable_classes_are_separated_and_one_seed_gives_one_result() {
        let vectors: Vec<Sparse> = (0..30).map(|i| vec![(i % 3, 1.0), (3, 1.0)]).collect();
        let labels: Vec<usize> = (0..30).map(|i| i % 3).collect();
        let refs: Vec<&Sparse> = vectors.iter().collect();
        let weights = train(&refs, &labels, 4, 3, 1);
        let mut margins = Vec::new();
        for (vector, label) in vectors.iter().zip(&labels) {
            weights.margins(vector, &mut margins);
            assert!(
                margins
                    .iter()
                    .enumerate()
                    .all(|(class, margin)| class == *label || *margin < margins[*label])
            );
        }
        assert_eq!(weights.rows, train(&refs, &labels, 4, 3, 1).rows);
        assert!(train(&[], &[], 4, 3, 1).rows.iter().all(|weight| *weight == 0.0));
    }
}
