//! One-vs-rest L2-loss linear support vector machines by dual coordinate descent (Hsieh et al.,
//! "A dual coordinate descent method for large-scale linear SVM", ICML 2008), for all classes at
//! once: the weights of one feature lie side by side, so that one pass over a sentence's features
//! gives the margins of every class.

use crate::nlu::rng::Rng;
use crate::nlu::weights::{Dense, Sparse};

/// How to train.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// What an error costs against the size of the weights.
    pub cost: f32,
    /// How much more an error on a class's own sentence costs than one on another's.
    pub own: f32,
    pub epochs: usize,
    /// Stop when no coordinate of a pass was further than this from its optimum.
    pub tolerance: f32,
    pub seed: u64,
}

/// Trains on the sentences of `order`; `tick` is called after every pass over them.
pub(super) fn train(
    vectors: &[&Sparse],
    labels: &[usize],
    features: usize,
    classes: usize,
    settings: Settings,
    mut tick: impl FnMut(),
) -> Dense {
    let mut weights = Dense::new(features, classes);
    let mut alphas = vec![0.0_f32; vectors.len() * classes];
    let lengths: Vec<f32> =
        vectors.iter().map(|vector| vector.iter().map(|(_, value)| value * value).sum()).collect();
    let mut order: Vec<usize> = (0..vectors.len()).collect();
    let mut rng = Rng::new(settings.seed);
    let mut margins = Vec::new();
    let mut steps: Vec<(usize, f32)> = Vec::new();
    for _ in 0..settings.epochs {
        rng.shuffle(&mut order);
        let mut worst = 0.0_f32;
        for &item in &order {
            let (Some(vector), Some(&label), Some(&length)) =
                (vectors.get(item), labels.get(item), lengths.get(item))
            else {
                continue;
            };
            let Some(alphas) = alphas.get_mut(item * classes..(item + 1) * classes) else {
                continue;
            };
            weights.margins(vector, &mut margins);
            steps.clear();
            for (class, (margin, alpha)) in margins.iter().zip(alphas).enumerate() {
                let (sign, cost) =
                    if class == label { (1.0, settings.cost * settings.own) } else { (-1.0, settings.cost) };
                let damping = 0.5 / cost;
                let gradient = sign * margin - 1.0 + *alpha * damping;
                if *alpha == 0.0 && gradient >= 0.0 {
                    continue;
                }
                let next = (*alpha - gradient / (length + damping)).max(0.0);
                worst = worst.max(gradient.abs());
                let step = (next - *alpha) * sign;
                *alpha = next;
                if step != 0.0 {
                    steps.push((class, step));
                }
            }
            if steps.is_empty() {
                continue;
            }
            for (feature, value) in *vector {
                let row = weights.row_mut(*feature);
                for (class, step) in &steps {
                    if let Some(weight) = row.get_mut(*class) {
                        *weight += step * value;
                    }
                }
            }
        }
        tick();
        if worst < settings.tolerance {
            break;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings { cost: 1.0, own: 1.0, epochs: 50, tolerance: 0.01, seed: 1 };

    #[test]
    fn separable_classes_are_separated() {
        let vectors: Vec<Sparse> = (0..30).map(|i| vec![(i % 3, 1.0), (3, 1.0)]).collect();
        let labels: Vec<usize> = (0..30).map(|i| i % 3).collect();
        let refs: Vec<&Sparse> = vectors.iter().collect();
        let weights = train(&refs, &labels, 4, 3, SETTINGS, || {});
        let mut margins = Vec::new();
        for (vector, label) in vectors.iter().zip(&labels) {
            weights.margins(vector, &mut margins);
            for (class, margin) in margins.iter().enumerate() {
                assert_eq!(*margin > 0.0, class == *label);
            }
        }
    }

    #[test]
    fn one_seed_gives_one_result() {
        let vectors: Vec<Sparse> = (0..30).map(|i| vec![(i % 7, 0.7), (7 + i % 2, 0.7)]).collect();
        let labels: Vec<usize> = (0..30).map(|i| (i * i) % 3).collect();
        let refs: Vec<&Sparse> = vectors.iter().collect();
        assert_eq!(
            train(&refs, &labels, 9, 3, SETTINGS, || {}).rows,
            train(&refs, &labels, 9, 3, SETTINGS, || {}).rows
        );
    }
}
