//! Linear weights: dense while they are learned, packed where they are kept.

use serde::{Deserialize, Serialize};

/// Weights that training may hold at once (512 MB): with more, rare features are left out.
pub(crate) const MOST: usize = 1 << 27;

/// A sparse vector: feature number and value, in order of the number.
pub(crate) type Sparse = Vec<(u32, f32)>;

/// Weights of `features` × `classes`, one row a feature.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    pub rows: Vec<f32>,
    pub classes: usize,
}

impl Dense {
    pub(crate) fn new(features: usize, classes: usize) -> Self {
        Self { rows: vec![0.0; features * classes], classes }
    }

    pub(crate) fn row(&self, feature: u32) -> &[f32] {
        let start = feature as usize * self.classes;
        self.rows.get(start..start + self.classes).unwrap_or_default()
    }

    pub(crate) fn row_mut(&mut self, feature: u32) -> &mut [f32] {
        let start = feature as usize * self.classes;
        self.rows.get_mut(start..start + self.classes).unwrap_or_default()
    }

    /// The margin of every class.
    pub(crate) fn margins(&self, vector: &Sparse, margins: &mut Vec<f32>) {
        margins.clear();
        margins.resize(self.classes, 0.0);
        for (feature, value) in vector {
            for (margin, weight) in margins.iter_mut().zip(self.row(*feature)) {
                *margin += value * weight;
            }
        }
    }
}

/// Weights as signed bytes, row by row, without those that are near nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Weights {
    classes: u32,
    /// What one step of a byte is worth, for each row.
    steps: Vec<f32>,
    /// How many weights each row keeps.
    lengths: Vec<u16>,
    /// For each kept weight: its class, less the class of the one before in the row.
    gaps: Vec<u16>,
    values: Vec<i8>,
    /// Where each row starts, and each weight's class: computed.
    #[serde(skip)]
    starts: Vec<u32>,
    #[serde(skip)]
    columns: Vec<u16>,
}

impl Weights {
    /// Keeps weights of at least `least`.
    pub(crate) fn pack(dense: &Dense, rows: usize, least: f32) -> Self {
        let mut packed = Self { classes: dense.classes as u32, ..Self::default() };
        for feature in 0..rows as u32 {
            let row = dense.row(feature);
            let largest = row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
            let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            let (mut length, mut previous) = (0, 0);
            for (class, weight) in (0_u16..).zip(row) {
                let value = (weight / step).round() as i8;
                if weight.abs() >= least && value != 0 {
                    packed.gaps.push(class - previous);
                    packed.values.push(value);
                    previous = class;
                    length += 1;
                }
            }
            packed.steps.push(step);
            packed.lengths.push(length);
        }
        packed.restore();
        packed
    }

    pub(crate) fn classes(&self) -> usize {
        self.classes as usize
    }

    /// Rebuilds what is not stored.
    pub(crate) fn restore(&mut self) {
        self.starts.clear();
        self.columns.clear();
        let mut start = 0;
        let mut gaps = self.gaps.iter();
        for length in &self.lengths {
            self.starts.push(start);
            start += u32::from(*length);
            let mut class = 0_u16;
            for gap in gaps.by_ref().take(usize::from(*length)) {
                class = class.saturating_add(*gap);
                self.columns.push(class);
            }
        }
        self.starts.push(start);
    }

    /// Whether what was read from bytes can be used.
    pub(crate) fn is_sound(&self, rows: usize) -> bool {
        self.steps.len() == rows
            && self.lengths.len() == rows
            && self.gaps.len() == self.values.len()
            && self.gaps.len() == self.lengths.iter().map(|length| usize::from(*length)).sum::<usize>()
            && u16::try_from(self.classes).is_ok()
            && self.steps.iter().all(|step| step.is_finite())
    }

    /// The margin of every class.
    pub(crate) fn margins(&self, vector: &[(u32, f32)], margins: &mut Vec<f32>) {
        margins.clear();
        margins.resize(self.classes as usize, 0.0);
        for (feature, value) in vector {
            let at = *feature as usize;
            let (Some(start), Some(end), Some(step)) =
                (self.starts.get(at), self.starts.get(at + 1), self.steps.get(at))
            else {
                continue;
            };
            let range = *start as usize..*end as usize;
            let (Some(columns), Some(values)) = (self.columns.get(range.clone()), self.values.get(range))
            else {
                continue;
            };
            let unit = value * step;
            for (class, weight) in columns.iter().zip(values) {
                if let Some(margin) = margins.get_mut(usize::from(*class)) {
                    *margin += unit * f32::from(*weight);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_weights_give_nearly_the_same_margins() {
        let dense = Dense { rows: vec![1.0, -0.5, 0.0001, 0.25, 0.0, 2.0], classes: 3 };
        let packed = Weights::pack(&dense, 2, 0.001);
        let mut margins = Vec::new();
        packed.margins(&[(0, 1.0), (1, 2.0), (9, 1.0)], &mut margins);
        for (found, wanted) in margins.iter().zip([1.5, -0.5, 4.0]) {
            assert!((found - wanted).abs() < 0.05, "{found} {wanted}");
        }
        assert!(packed.is_sound(2));
        assert!(!packed.is_sound(3));
    }
}
