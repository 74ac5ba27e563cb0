//! From what was expected and what came out to the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::figures::{Hits, auroc, bins, calibration_error, percentile, share};
use super::report::{
    Calibrated, Confusion, EntityScores, Evaluation, IntentScores, Latency, NamedScore, OutOfScope,
};
use crate::nlu::data::OUT_OF_SCOPE;

/// How finely confidence is looked at.
const BINS: usize = 15;

/// A sentence with what it should be and what it was taken for.
#[derive(Debug, Clone)]
pub(super) struct Judged<'a> {
    /// The right intent; `None`: out of scope.
    pub intent: Option<&'a str>,
    /// The first of the ranking, whatever the threshold.
    pub likeliest: Option<String>,
    /// What the model answers; `None`: none.
    pub answer: Option<String>,
    pub confidence: f64,
    pub in_scope: f64,
    pub annotated: BTreeSet<Span>,
    pub found: BTreeSet<Span>,
    pub took: Duration,
}

/// A stretch of a type, in code points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    pub entity: String,
}

impl Judged<'_> {
    /// Whether the likeliest intent is right; out of scope none is.
    fn is_right(&self) -> bool {
        self.intent.is_some() && self.likeliest.as_deref() == self.intent
    }

    fn is_answered_right(&self) -> bool {
        self.answer.as_deref() == self.intent
    }

    /// What was found of the types that count.
    fn counted<'s>(&'s self, types: &'s BTreeSet<&str>) -> impl Iterator<Item = &'s Span> {
        self.found.iter().filter(|span| types.contains(span.entity.as_str()))
    }

    fn has_all_entities(&self, types: &BTreeSet<&str>) -> bool {
        self.counted(types).eq(self.annotated.iter())
    }
}

pub(super) fn tally(judged: &[Judged<'_>]) -> Evaluation {
    let types: BTreeSet<&str> =
        judged.iter().flat_map(|one| &one.annotated).map(|span| span.entity.as_str()).collect();
    let in_scope: Vec<&Judged<'_>> = judged.iter().filter(|one| one.intent.is_some()).collect();
    let matched = in_scope.iter().filter(|one| one.is_right() && one.has_all_entities(&types)).count();
    let answered =
        judged.iter().filter(|one| one.is_answered_right() && one.has_all_entities(&types)).count();
    Evaluation {
        n: judged.len(),
        n_in_scope: in_scope.len(),
        n_out_of_scope: judged.len() - in_scope.len(),
        intent: intents(judged),
        oos: out_of_scope(judged),
        entities: entities(judged, &types),
        exact_match: share(matched, in_scope.len()),
        exact_match_at_threshold: share(answered, judged.len()),
        calibration: calibration(judged),
        parse_us: latency(judged),
    }
}

fn intents(judged: &[Judged<'_>]) -> IntentScores {
    let mut hits: BTreeMap<&str, Hits> = BTreeMap::new();
    let mut confused: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut right, mut due) = (0, 0);
    for one in judged {
        let Some(intent) = one.intent else {
            // Out of scope there is no ranking to be wrong: a mistake is what is answered.
            if let Some(answer) = &one.answer {
                *confused.entry((OUT_OF_SCOPE, answer)).or_default() += 1;
            }
            continue;
        };
        due += 1;
        hits.entry(intent).or_default().due += 1;
        let Some(found) = one.likeliest.as_deref() else {
            continue;
        };
        hits.entry(found).or_default().given += 1;
        if found == intent {
            right += 1;
            hits.entry(intent).or_default().right += 1;
        } else {
            *confused.entry((intent, found)).or_default() += 1;
        }
    }
    let total: f64 = hits.values().map(|hits| hits.f1()).sum();
    IntentScores {
        accuracy: share(right, due),
        macro_f1: (!hits.is_empty()).then(|| total / hits.len() as f64),
        per_intent: named(hits),
        confused: most_frequent(confused),
    }
}

fn most_frequent(confused: BTreeMap<(&str, &str), usize>) -> Vec<Confusion> {
    let mut pairs: Vec<Confusion> = confused
        .into_iter()
        .map(|((expected, found), count)| Confusion {
            expected: expected.to_owned(),
            found: found.to_owned(),
            count,
        })
        .collect();
    // Stable: equals stay in alphabetical order.
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
    pairs
}

fn named(hits: BTreeMap<&str, Hits>) -> BTreeMap<String, NamedScore> {
    hits.into_iter()
        .map(|(name, hits)| {
            let score = NamedScore {
                support: hits.due,
                precision: hits.precision(),
                recall: hits.recall(),
                f1: hits.f1(),
            };
            (name.to_owned(), score)
        })
        .collect()
}

fn out_of_scope(judged: &[Judged<'_>]) -> OutOfScope {
    let refused = |one: &&Judged<'_>| one.answer.is_none();
    let (inside, outside): (Vec<_>, Vec<_>) = judged.iter().partition(|one| one.intent.is_some());
    let outside_refused = outside.iter().copied().filter(refused).count();
    let inside_refused = inside.iter().copied().filter(refused).count();
    let inside_right = inside.iter().filter(|one| one.is_answered_right()).count();
    let scores: Vec<(f64, bool)> = judged.iter().map(|one| (one.in_scope, one.intent.is_some())).collect();
    let precision = share(outside_refused, outside_refused + inside_refused);
    OutOfScope {
        auroc: auroc(&scores),
        recall: share(outside_refused, outside.len()),
        precision: precision.filter(|_| !outside.is_empty()),
        in_scope_accuracy: share(inside_right, inside.len()),
        in_scope_refused: share(inside_refused, inside.len()),
    }
}

fn entities(judged: &[Judged<'_>], types: &BTreeSet<&str>) -> EntityScores {
    let mut hits: BTreeMap<&str, Hits> = BTreeMap::new();
    let mut all = Hits::default();
    for one in judged {
        for span in &one.annotated {
            hits.entry(&span.entity).or_default().due += 1;
            all.due += 1;
        }
        for span in one.counted(types) {
            let right = usize::from(one.annotated.contains(span));
            let of_type = hits.entry(&span.entity).or_default();
            of_type.given += 1;
            of_type.right += right;
            all.given += 1;
            all.right += right;
        }
    }
    let any = |figure: f64| (!types.is_empty()).then_some(figure);
    EntityScores {
        micro_f1: any(all.f1()),
        precision: any(all.precision()),
        recall: any(all.recall()),
        per_entity: named(hits),
    }
}

fn calibration(judged: &[Judged<'_>]) -> Calibrated {
    let predictions = |all: bool| -> Vec<(f64, bool)> {
        judged
            .iter()
            .filter(|one| all || one.intent.is_some())
            .map(|one| (one.confidence, one.is_right()))
            .collect()
    };
    let whole = bins(&predictions(true), BINS);
    Calibrated {
        ece: calibration_error(&whole),
        ece_in_scope: calibration_error(&bins(&predictions(false), BINS)),
        bins: whole,
    }
}

fn latency(judged: &[Judged<'_>]) -> Option<Latency> {
    let mut times: Vec<f64> = judged.iter().map(|one| one.took.as_secs_f64() * 1e6).collect();
    times.sort_unstable_by(f64::total_cmp);
    Some(Latency {
        p50: percentile(&times, 50)?,
        p99: percentile(&times, 99)?,
        mean: times.iter().sum::<f64>() / times.len() as f64,
        max: times.last().copied()?,
    })
}

#[cfg(test)]
mod tests;
