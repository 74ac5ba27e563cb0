//! The arithmetic of the figures, on plain numbers.

use super::report::Bin;

/// Hits and misses of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hits {
    /// Given and right.
    pub right: usize,
    /// Given.
    pub given: usize,
    /// Should be given.
    pub due: usize,
}

impl Hits {
    /// Right of given; nothing given is no mistake but no merit either: 0.
    pub(super) fn precision(self) -> f64 {
        share(self.right, self.given).unwrap_or(0.0)
    }

    /// Right of due; 0 where nothing is due.
    pub(super) fn recall(self) -> f64 {
        share(self.right, self.due).unwrap_or(0.0)
    }

    /// The harmonic mean of both, in counts.
    pub(super) fn f1(self) -> f64 {
        share(2 * self.right, self.given + self.due).unwrap_or(0.0)
    }
}

/// `part` of `all`, if there are any.
pub(super) fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// The probability that a positive scores above a negative, a tie counting half (the area under
/// the ROC curve, by the rank sum). `None` without both kinds.
pub(super) fn auroc(scores: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|(_, positive)| *positive).count();
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut below = 0;
    let mut won = 0.0;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let ahead = tied.iter().filter(|(_, positive)| *positive).count();
        let level = tied.len() - ahead;
        won += ahead as f64 * (below as f64 + 0.5 * level as f64);
        below += level;
    }
    Some(won / (positives as f64 * negatives as f64))
}

/// Bins of equal width over 0..=1; a bin without sentences is left out.
pub(super) fn bins(predictions: &[(f64, bool)], count: usize) -> Vec<Bin> {
    let mut sums = vec![(0_usize, 0.0_f64, 0_usize); count];
    for (confidence, right) in predictions {
        let at = ((confidence.clamp(0.0, 1.0) * count as f64) as usize).min(count.saturating_sub(1));
        if let Some((n, sum, hits)) = sums.get_mut(at) {
            *n += 1;
            *sum += confidence;
            *hits += usize::from(*right);
        }
    }
    sums.into_iter()
        .enumerate()
        .filter(|(_, (n, ..))| *n > 0)
        .map(|(at, (n, sum, hits))| Bin {
            from: at as f64 / count as f64,
            to: (at + 1) as f64 / count as f64,
            n,
            confidence: sum / n as f64,
            accuracy: hits as f64 / n as f64,
        })
        .collect()
}

/// The mean distance between how sure and how right, each bin weighed by its sentences.
pub(super) fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let all: usize = bins.iter().map(|bin| bin.n).sum();
    (all > 0).then(|| {
        bins.iter().map(|bin| bin.n as f64 / all as f64 * (bin.accuracy - bin.confidence).abs()).sum()
    })
}

/// The value that `percent` of the sorted values do not exceed (nearest rank).
pub(super) fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    #[test]
    fn hits_make_precision_recall_and_f1() {
        let hits = Hits { right: 2, given: 4, due: 3 };
        close(Some(hits.precision()), 0.5);
        close(Some(hits.recall()), 2.0 / 3.0);
        close(Some(hits.f1()), 4.0 / 7.0);
        let none = Hits::default();
        assert_eq!((none.precision(), none.recall(), none.f1()), (0.0, 0.0, 0.0));
    }

    #[test]
    fn auroc_on_cases_counted_by_hand() {
        let cases: [(&[(f64, bool)], f64); 6] = [
            (&[(0.9, true), (0.8, true), (0.1, false)], 1.0),
            (&[(0.1, true), (0.9, false)], 0.0),
            // All tied: no better than chance.
            (&[(0.5, true), (0.5, false), (0.5, false)], 0.5),
            // Of four pairs three are won.
            (&[(0.9, true), (0.4, true), (0.6, false), (0.1, false)], 0.75),
            // Of four pairs two are won and one is a tie.
            (&[(0.9, true), (0.4, true), (0.4, false), (0.6, false)], 0.625),
            // A tie among three: 1 + 0.5 of two pairs for the first, 0 for the second.
            (&[(0.5, true), (0.2, true), (0.5, false), (0.3, false)], 0.375),
        ];
        for (scores, expected) in cases {
            close(auroc(scores), expected);
        }
        assert_eq!(auroc(&[(0.3, true)]), None);
        assert_eq!(auroc(&[]), None);
    }

    #[test]
    fn calibration_error_weighs_bins_by_their_sentences() {
        // Three sentences at 0.9, two of them right; one at 0.3, wrong.
        let predictions = [(0.9, true), (0.9, true), (0.9, false), (0.3, false)];
        let bins = bins(&predictions, 10);
        assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [1, 3]);
        close(calibration_error(&bins), 0.25 * 0.3 + 0.75 * (0.9 - 2.0 / 3.0));
        assert_eq!(calibration_error(&[]), None);
    }

    #[test]
    fn a_confidence_of_one_is_in_the_last_bin() {
        let bins = bins(&[(1.0, true), (0.0, false)], 15);
        assert_eq!((bins[0].from, bins[1].to), (0.0, 1.0));
        close(calibration_error(&bins), 0.0);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&values, 50), Some(100.0));
        assert_eq!(percentile(&values, 99), Some(198.0));
        assert_eq!(percentile(&[7.0], 50), Some(7.0));
        assert_eq!(percentile(&[7.0], 0), Some(7.0));
        assert_eq!(percentile(&[], 50), None);
    }
}
