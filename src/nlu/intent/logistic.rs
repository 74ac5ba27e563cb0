//! A logistic regression of a handful of inputs, for turning scores into probabilities.

use serde::{Deserialize, Serialize};

/// Inputs of every regression here.
pub(super) const INPUTS: usize = 6;

/// `probability = sigmoid(bias + Σ weight · (input − mean) / spread)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Logistic {
    mean: [f32; INPUTS],
    spread: [f32; INPUTS],
    weights: [f32; INPUTS],
    bias: f32,
}

impl Logistic {
    pub(super) fn probability(&self, inputs: &[f32; INPUTS]) -> f32 {
        sigmoid(self.score(inputs))
    }

    fn score(&self, inputs: &[f32; INPUTS]) -> f32 {
        let mut score = self.bias;
        for (((input, mean), spread), weight) in
            inputs.iter().zip(&self.mean).zip(&self.spread).zip(&self.weights)
        {
            score += weight * (input - mean) / spread;
        }
        score
    }

    /// Fits by full-batch gradient descent with momentum and a little ridge; each item is inputs,
    /// outcome and weight.
    pub(super) fn fit(items: &[([f32; INPUTS], bool, f32)], ridge: f32) -> Self {
        let total: f32 = items.iter().map(|item| item.2).sum::<f32>().max(1e-6);
        let mut fitted =
            Self { mean: [0.0; INPUTS], spread: [1.0; INPUTS], weights: [0.0; INPUTS], bias: 0.0 };
        for (index, (mean, spread)) in fitted.mean.iter_mut().zip(&mut fitted.spread).enumerate() {
            let column = || items.iter().filter_map(|item| item.0.get(index).map(|input| (*input, item.2)));
            *mean = column().map(|(input, weight)| input * weight).sum::<f32>() / total;
            let centre = *mean;
            let variance =
                column().map(|(input, weight)| weight * (input - centre).powi(2)).sum::<f32>() / total;
            *spread = if variance > 1e-8 { variance.sqrt() } else { 1.0 };
        }
        let mut speed = [0.0_f32; INPUTS + 1];
        for _ in 0..400 {
            let mut slope = [0.0_f32; INPUTS + 1];
            for (inputs, outcome, weight) in items {
                let error = weight * (sigmoid(fitted.score(inputs)) - f32::from(u8::from(*outcome)));
                for (((slope, input), mean), spread) in
                    slope.iter_mut().zip(inputs).zip(&fitted.mean).zip(&fitted.spread)
                {
                    *slope += error * (input - mean) / spread;
                }
                if let Some(last) = slope.last_mut() {
                    *last += error;
                }
            }
            let parameters = fitted.weights.iter_mut().chain(std::iter::once(&mut fitted.bias));
            for (index, ((parameter, slope), speed)) in parameters.zip(slope).zip(&mut speed).enumerate() {
                let pull = if index < INPUTS { ridge * *parameter } else { 0.0 };
                *speed = 0.9 * *speed - 0.5 * (slope / total + pull);
                *parameter += *speed;
            }
        }
        fitted
    }

    pub(super) fn is_sound(&self) -> bool {
        self.mean.iter().chain(&self.weights).chain([&self.bias]).all(|value| value.is_finite())
            && self.spread.iter().all(|value| value.is_finite() && *value > 0.0)
    }
}

fn sigmoid(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_matches_how_often_it_comes_true() {
        // True in three of four when the input is 1, in one of four when it is 0.
        let items: Vec<_> = (0..400)
            .map(|i| {
                let input = f32::from(u8::from(i % 2 == 0));
                ([input, 0.0, 0.0, 0.0, 0.0, 0.0], (i / 2) % 4 == 0 || (i % 2 == 0 && (i / 2) % 4 != 3), 1.0)
            })
            .collect();
        let fitted = Logistic::fit(&items, 0.0);
        assert!((fitted.probability(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]) - 0.75).abs() < 0.02);
        assert!((fitted.probability(&[0.0; INPUTS]) - 0.25).abs() < 0.02);
    }

    #[test]
    fn nothing_to_learn_from_is_an_even_chance() {
        assert!((Logistic::fit(&[], 0.1).probability(&[1.0; INPUTS]) - 0.5).abs() < 1e-6);
    }
}
