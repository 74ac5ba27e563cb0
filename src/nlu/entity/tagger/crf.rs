//! Learning the weights of the tagger: a linear-chain conditional random field (Lafferty et
//! al., 2001) by stochastic gradient with a step of its own for each weight (Duchi, Hazan
//! and Singer, "Adaptive subgradient methods", 2011). The weights are the mean over the last
//! passes, which is steadier than any single one.

use super::{Edges, follows};
use crate::nlu::rng::Rng;
use crate::nlu::weights::Dense;

/// Passes over the sentences.
pub(crate) const EPOCHS: usize = 10;
/// The first step of a weight.
const RATE: f32 = 0.03;
/// What pulls the weights of a sentence's features to nothing.
const RIDGE: f32 = 0.005;
/// How far ahead a wrong label starts while learning.
const MARGIN: f32 = 1.0;
/// Errors below this are not worth a step.
const SLIGHT: f32 = 0.002;

/// One prepared sentence.
pub(super) struct Sentence {
    /// Feature rows of each word.
    pub rows: Vec<Vec<u32>>,
    pub gold: Vec<u16>,
    pub class: usize,
}

/// Weights and the sum of their squared slopes.
struct Learned<'a> {
    weights: &'a mut [f32],
    slopes: &'a mut [f32],
}

impl Learned<'_> {
    fn step(&mut self, at: usize, slope: f32) {
        if let (Some(weight), Some(sum)) = (self.weights.get_mut(at), self.slopes.get_mut(at)) {
            let slope = slope + RIDGE * *weight;
            *sum += slope * slope;
            *weight -= RATE * slope / (0.01 + *sum).sqrt();
        }
    }
}

/// Learns weights of features and of label pairs; `allowed` are the labels of each class.
pub(super) fn learn(
    sentences: &[Sentence],
    allowed: &[Vec<u16>],
    features: usize,
    width: usize,
    seed: u64,
    tick: &mut dyn FnMut(),
) -> (Dense, Edges) {
    let mut weights = Dense::new(features, width);
    let mut slopes = Dense::new(features, width);
    let mut mean = Dense::new(features, width);
    let mut edges = Edges::new(allowed, width);
    let mut edge_slopes = Edges::new(allowed, width);
    let mut edge_mean = Edges::new(allowed, width);
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    let mut rng = Rng::new(seed ^ 0x7a66);
    let mut lattice = Lattice::default();
    let last = (EPOCHS / 2).max(1);
    for epoch in 0..EPOCHS {
        rng.shuffle(&mut order);
        for sentence in order.iter().filter_map(|at| sentences.get(*at)) {
            let Some(labels) = allowed.get(sentence.class) else {
                continue;
            };
            lattice.fill(sentence, labels, &weights, &edges, MARGIN);
            lattice.sum();
            for (at, rows) in sentence.rows.iter().enumerate() {
                for (index, label) in labels.iter().enumerate() {
                    let wanted = f32::from(u8::from(sentence.gold.get(at) == Some(label)));
                    let slope = lattice.marginal(at, index) - wanted;
                    if slope.abs() < SLIGHT {
                        continue;
                    }
                    for row in rows {
                        let place = *row as usize * width + usize::from(*label);
                        Learned { weights: &mut weights.rows, slopes: &mut slopes.rows }.step(place, slope);
                    }
                }
            }
            lattice.each_edge(sentence, labels, |from, to, slope| {
                let place = usize::from(labels.get(from).copied().unwrap_or(0)) * width
                    + usize::from(labels.get(to).copied().unwrap_or(0));
                Learned { weights: &mut edges.general, slopes: &mut edge_slopes.general }.step(place, slope);
                if let (Some(weights), Some(slopes)) =
                    (edges.peculiar.get_mut(sentence.class), edge_slopes.peculiar.get_mut(sentence.class))
                {
                    Learned { weights, slopes }.step(from * labels.len() + to, slope);
                }
            });
        }
        if epoch + last >= EPOCHS {
            add(&mut mean.rows, &weights.rows, last);
            add(&mut edge_mean.general, &edges.general, last);
            for (mean, edges) in edge_mean.peculiar.iter_mut().zip(&edges.peculiar) {
                add(mean, edges, last);
            }
        }
        tick();
    }
    (mean, edge_mean)
}

fn add(mean: &mut [f32], weights: &[f32], parts: usize) {
    for (mean, weight) in mean.iter_mut().zip(weights) {
        *mean += weight / parts as f32;
    }
}

/// All labellings of one sentence, summed by the forward–backward algorithm. Each word's values
/// are scaled to add up to 1, so that nothing overflows.
#[derive(Default)]
struct Lattice {
    width: usize,
    length: usize,
    /// Exponentials of the scores of words × labels.
    scores: Vec<f32>,
    /// Exponentials of the weights of label pairs; zero where one may not follow.
    edges: Vec<f32>,
    forward: Vec<f32>,
    backward: Vec<f32>,
    scales: Vec<f32>,
}

impl Lattice {
    fn fill(&mut self, sentence: &Sentence, labels: &[u16], weights: &Dense, edges: &Edges, margin: f32) {
        self.width = labels.len();
        self.length = sentence.rows.len();
        self.scores.clear();
        let mut scores = vec![0.0_f32; self.width];
        for (rows, gold) in sentence.rows.iter().zip(&sentence.gold) {
            for (score, label) in scores.iter_mut().zip(labels) {
                *score = if label == gold { 0.0 } else { margin };
            }
            for row in rows {
                let row = weights.row(*row);
                for (score, label) in scores.iter_mut().zip(labels) {
                    *score += row.get(usize::from(*label)).copied().unwrap_or(0.0);
                }
            }
            let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            self.scores.extend(scores.iter().map(|score| (score - highest).exp().max(1e-30)));
        }
        self.edges.clear();
        for (from, before) in labels.iter().enumerate() {
            for (to, label) in labels.iter().enumerate() {
                let weight = edges.weight(sentence.class, self.width, (from, *before), (to, *label));
                self.edges.push(if follows(*before, *label) { weight.clamp(-30.0, 30.0).exp() } else { 0.0 });
            }
        }
    }

    fn sum(&mut self) {
        let width = self.width;
        self.forward.clear();
        self.forward.resize(self.scores.len(), 0.0);
        self.backward.clear();
        self.backward.resize(self.scores.len(), 1.0);
        self.scales.clear();
        for at in 0..self.length {
            let (done, rest) = self.forward.split_at_mut(at * width);
            let Some(now) = rest.get_mut(..width) else { continue };
            if let Some(before) = at.checked_sub(1).and_then(|last| done.get(last * width..)) {
                for (before, edges) in before.iter().zip(self.edges.chunks(width)) {
                    for (value, edge) in now.iter_mut().zip(edges) {
                        *value += before * edge;
                    }
                }
            } else if let Some(edges) = self.edges.get(..width) {
                // Nothing stands before the first word: as if it were outside.
                now.copy_from_slice(edges);
            }
            for (value, score) in now.iter_mut().zip(self.scores.iter().skip(at * width)) {
                *value *= score;
            }
            let scale = now.iter().sum::<f32>().max(1e-30);
            for value in now.iter_mut() {
                *value /= scale;
            }
            self.scales.push(scale);
        }
        for at in (0..self.length.saturating_sub(1)).rev() {
            let (head, tail) = self.backward.split_at_mut((at + 1) * width);
            let scale = self.scales.get(at + 1).copied().unwrap_or(1.0);
            let ahead: Vec<f32> = tail
                .iter()
                .zip(self.scores.iter().skip((at + 1) * width))
                .take(width)
                .map(|(value, score)| value * score / scale)
                .collect();
            for (value, edges) in head.iter_mut().skip(at * width).zip(self.edges.chunks(width)) {
                *value = edges.iter().zip(&ahead).map(|(edge, ahead)| edge * ahead).sum();
            }
        }
    }

    /// The probability of a label at a word.
    fn marginal(&self, at: usize, index: usize) -> f32 {
        let place = at * self.width + index;
        self.forward.get(place).copied().unwrap_or(0.0) * self.backward.get(place).copied().unwrap_or(0.0)
    }

    /// Calls `step` with every pair of labels that is likelier, or less likely, than it should be.
    fn each_edge(&self, sentence: &Sentence, labels: &[u16], mut step: impl FnMut(usize, usize, f32)) {
        let width = self.width;
        let mut slopes = vec![0.0_f32; width * width];
        let place =
            |label: Option<&u16>| label.and_then(|label| labels.binary_search(label).ok()).unwrap_or(0);
        for at in 0..self.length {
            let gold_from = if at == 0 { 0 } else { place(sentence.gold.get(at - 1)) };
            if let Some(slope) = slopes.get_mut(gold_from * width + place(sentence.gold.get(at))) {
                *slope -= 1.0;
            }
            let scale = self.scales.get(at).copied().unwrap_or(1.0);
            let ahead: Vec<f32> = (0..width)
                .map(|index| {
                    let place = at * width + index;
                    self.scores.get(place).copied().unwrap_or(0.0)
                        * self.backward.get(place).copied().unwrap_or(0.0)
                        / scale
                })
                .collect();
            let sources = if at == 0 { 1 } else { width };
            for from in 0..sources {
                let before = match at.checked_sub(1) {
                    None => 1.0,
                    Some(last) => self.forward.get(last * width + from).copied().unwrap_or(0.0),
                };
                if before < SLIGHT {
                    continue;
                }
                let range = from * width..(from + 1) * width;
                let (Some(slopes), Some(edges)) = (slopes.get_mut(range.clone()), self.edges.get(range))
                else {
                    continue;
                };
                for ((slope, edge), ahead) in slopes.iter_mut().zip(edges).zip(&ahead) {
                    *slope += before * edge * ahead;
                }
            }
        }
        for (at, slope) in slopes.iter().enumerate() {
            if slope.abs() >= SLIGHT {
                step(at / width, at % width, *slope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two labels besides outside: the word of row 0 begins, that of row 1 continues, row 2 is out.
    fn sentences() -> Vec<Sentence> {
        (0..20)
            .map(|_| Sentence {
                rows: vec![vec![2], vec![0], vec![1], vec![2]],
                gold: vec![0, 1, 2, 0],
                class: 0,
            })
            .collect()
    }

    #[test]
    fn probabilities_of_a_word_add_up_to_one() {
        let allowed = vec![vec![0, 1, 2]];
        let (weights, edges) = learn(&sentences(), &allowed, 3, 3, 1, &mut || {});
        let mut lattice = Lattice::default();
        lattice.fill(&sentences()[0], &allowed[0], &weights, &edges, 0.0);
        lattice.sum();
        for at in 0..4 {
            let sum: f32 = (0..3).map(|index| lattice.marginal(at, index)).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{at} {sum}");
        }
        assert!(lattice.marginal(1, 1) > 0.9 && lattice.marginal(2, 2) > 0.9 && lattice.marginal(0, 0) > 0.9);
    }

    #[test]
    fn one_seed_gives_one_result() {
        let allowed = vec![vec![0, 1, 2]];
        let learned = || learn(&sentences(), &allowed, 3, 3, 7, &mut || {}).0.rows;
        assert_eq!(learned(), learned());
    }
}
