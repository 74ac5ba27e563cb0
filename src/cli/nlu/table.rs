//! The figures of a test as a table for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::nlu::test::Report;
use crate::cli::nlu::{seconds, size};
use crate::nlu::{Evaluation, NamedScore};

/// How many of the worst and of the most confused are shown; the report has them all.
const WORST: usize = 10;

pub(super) fn table(report: &Report) -> String {
    let evaluation = &report.evaluation;
    let mut out = String::new();
    // Writing to a string cannot fail; so also below.
    let _ = writeln!(
        out,
        "{} sentences: {} in scope, {} out of scope\n",
        evaluation.n, evaluation.n_in_scope, evaluation.n_out_of_scope
    );
    figures(&mut out, report);
    worst_intents(&mut out, evaluation);
    confused(&mut out, evaluation);
    entities(&mut out, evaluation);
    out
}

fn figures(out: &mut String, report: &Report) {
    let evaluation = &report.evaluation;
    let (intent, oos) = (&evaluation.intent, &evaluation.oos);
    let shares = [
        ("intent accuracy", intent.accuracy),
        ("intent macro F1", intent.macro_f1),
        ("in-scope accuracy at the threshold", oos.in_scope_accuracy),
        ("out-of-scope recall at the threshold", oos.recall),
        ("out-of-scope precision", oos.precision),
        ("entity micro F1", evaluation.entities.micro_f1),
        ("exact match", evaluation.exact_match),
        ("exact match at the threshold", evaluation.exact_match_at_threshold),
    ];
    for (label, share) in shares {
        row(out, label, &percent(share));
    }
    row(out, "out-of-scope AUROC", &decimal(oos.auroc));
    row(out, "expected calibration error", &decimal(evaluation.calibration.ece));
    if let Some(latency) = evaluation.parse_us {
        let times = format!("p50 {:.0} µs, p99 {:.0} µs", latency.p50, latency.p99);
        row(out, "parse", &times);
    }
    row(out, "trained in", &report.train_seconds.map_or_else(|| "-".to_owned(), seconds));
    row(out, "model", &format!("{}, version {}", size(report.model_bytes), report.model.version));
}

fn row(out: &mut String, label: &str, value: &str) {
    let _ = writeln!(out, "{label:<38}{value}");
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", 100.0 * share))
}

fn decimal(figure: Option<f64>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.4}"))
}

fn worst_intents(out: &mut String, evaluation: &Evaluation) {
    let mut worst: Vec<_> = evaluation.intent.per_intent.iter().filter(|(_, score)| score.f1 < 1.0).collect();
    worst.sort_by(|a, b| a.1.f1.total_cmp(&b.1.f1));
    worst.truncate(WORST);
    scores(out, "worst intents", &worst);
}

fn entities(out: &mut String, evaluation: &Evaluation) {
    let all: &BTreeMap<String, NamedScore> = &evaluation.entities.per_entity;
    scores(out, "entities", &all.iter().collect::<Vec<_>>());
}

fn scores(out: &mut String, title: &str, scores: &[(&String, &NamedScore)]) {
    if scores.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title:<38}{:>9} {:>9} {:>9} {:>9}", "precision", "recall", "F1", "in data");
    for (name, score) in scores {
        let _ = writeln!(
            out,
            "  {name:<36}{:>9.1} {:>9.1} {:>9.1} {:>9}",
            100.0 * score.precision,
            100.0 * score.recall,
            100.0 * score.f1,
            score.support
        );
    }
}

fn confused(out: &mut String, evaluation: &Evaluation) {
    let pairs = evaluation.intent.confused.iter().take(WORST).collect::<Vec<_>>();
    if pairs.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nmost confused");
    for pair in pairs {
        let _ = writeln!(out, "  {:>4} times {} taken for {}", pair.count, pair.expected, pair.found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::nlu::test::ModelNote;
    use crate::nlu::{Bin, Calibrated, Confusion, EntityScores, IntentScores, Latency, OutOfScope};

    fn report() -> Report {
        let score = |support, f1| NamedScore { support, precision: 0.5, recall: 1.0, f1 };
        Report {
            evaluation: Evaluation {
                n: 4,
                n_in_scope: 4,
                n_out_of_scope: 0,
                intent: IntentScores {
                    accuracy: Some(0.75),
                    macro_f1: Some(0.7),
                    per_intent: [("greet".to_owned(), score(3, 1.0)), ("study".to_owned(), score(1, 0.4))]
                        .into(),
                    confused: vec![Confusion { expected: "study".into(), found: "greet".into(), count: 1 }],
                },
                oos: OutOfScope {
                    auroc: None,
                    recall: None,
                    precision: None,
                    in_scope_accuracy: Some(0.5),
                    in_scope_refused: Some(0.25),
                },
                entities: EntityScores {
                    micro_f1: Some(0.666),
                    precision: Some(0.5),
                    recall: Some(1.0),
                    per_entity: [("subject".to_owned(), score(2, 0.666))].into(),
                },
                exact_match: Some(0.75),
                exact_match_at_threshold: Some(0.5),
                calibration: Calibrated {
                    ece: Some(0.0312),
                    ece_in_scope: Some(0.03),
                    bins: vec![Bin { from: 0.0, to: 1.0, n: 4, confidence: 0.7, accuracy: 0.75 }],
                },
                parse_us: Some(Latency { p50: 41.2, p99: 90.0, mean: 45.0, max: 91.0 }),
            },
            train_seconds: Some(1.234),
            model_bytes: 1_234_567,
            model: ModelNote { version: "0123abcd".into(), languages: vec!["en".into()], intents: 2 },
        }
    }

    #[test]
    fn a_table_says_what_is_good_and_what_is_worst() {
        insta::assert_snapshot!(table(&report()));
    }

    #[test]
    fn a_report_has_nested_keys() {
        let json = serde_json::to_value(report()).unwrap();
        for pointer in [
            "/intent/accuracy",
            "/intent/macro_f1",
            "/oos/auroc",
            "/oos/recall",
            "/oos/in_scope_accuracy",
            "/entities/micro_f1",
            "/exact_match",
            "/train_seconds",
            "/model_bytes",
            "/parse_us/p50",
            "/parse_us/p99",
            "/n",
            "/calibration/ece",
        ] {
            assert!(json.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
