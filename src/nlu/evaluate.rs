//! How good a model is on sentences that somebody labelled.
//!
//! [`evaluate`] parses each sentence once and compares; the figures are counted apart from the
//! model, in [`tally`], on what came out. Their definitions stand in `docs/NLU.md`.
//!
//! An intent named [`OUT_OF_SCOPE`] in the data means that the sentence belongs to no intent.
//! Figures of a part of the data that there is nothing of are none, never zero.

mod figures;
mod report;
mod tally;

use std::time::Duration;

use super::data::{Example, OUT_OF_SCOPE};
use super::model::Model;
use super::types::{Context, Parse};

pub use report::{
    Bin, Calibrated, Confusion, EntityScores, Evaluation, IntentScores, Latency, NamedScore, OutOfScope,
};
use tally::{Judged, Span};

/// Sentences parsed before time is taken, so that the model is in the processor's caches.
const WARM_UP: usize = 50;

/// One labelled sentence.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The intent that it has.
    pub intent: &'a str,
    /// The sentence, and the entities in it.
    pub example: &'a Example,
    /// The language that the caller would name; `None` leaves it to detection.
    pub language: Option<&'a str>,
}

/// Parses every case once, in order, and counts. `elapsed` is a clock that only goes forward:
/// this library keeps none.
pub fn evaluate(
    model: &Model,
    cases: &[Case<'_>],
    now: &jiff::Zoned,
    elapsed: &dyn Fn() -> Duration,
) -> Evaluation {
    let context = |case: &Case<'_>| Context { now: now.clone(), language: case.language.map(str::to_owned) };
    for case in cases.iter().take(WARM_UP) {
        let _ = model.parse(&case.example.text, &context(case));
    }
    let judged: Vec<Judged<'_>> = cases
        .iter()
        .map(|case| {
            let context = context(case);
            let start = elapsed();
            let parse = model.parse(&case.example.text, &context);
            judged(case, parse, elapsed().saturating_sub(start))
        })
        .collect();
    tally::tally(&judged)
}

fn judged<'a>(case: &Case<'a>, parse: Parse, took: Duration) -> Judged<'a> {
    Judged {
        intent: Some(case.intent).filter(|intent| *intent != OUT_OF_SCOPE),
        likeliest: parse.ranking.into_iter().next().map(|ranked| ranked.intent),
        answer: parse.intent,
        confidence: f64::from(parse.confidence),
        in_scope: f64::from(parse.in_scope),
        annotated: case
            .example
            .annotations
            .iter()
            .map(|annotation| Span {
                start: annotation.start,
                end: annotation.end,
                entity: annotation.entity.clone(),
            })
            .collect(),
        found: parse
            .entities
            .into_iter()
            .map(|entity| Span { start: entity.start, end: entity.end, entity: entity.entity })
            .collect(),
        took,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::nlu::{Document, TrainOptions};

    const DATA: &str = "nlu:\n- intent: greet\n  examples: |\n    - hello\n    - hi there\n    - good morning\n    - hey you\n- intent: study\n  examples: |\n    - help with [algebra](subject)\n    - teach me [art](subject)\n    - explain [physics](subject)\n    - i need [music](subject)\n- intent: oos\n  examples: |\n    - book a flight\n    - order pizza\n";

    #[test]
    fn a_model_knows_its_own_sentences() {
        let document = Document::read("t.yml", DATA);
        let cases: Vec<Case<'_>> =
            document.examples().map(|(intent, example)| Case { intent, example, language: None }).collect();
        let data = document.clone().into_data().unwrap();
        let model = Model::train(&data, &TrainOptions::default(), &mut |_| {}).unwrap();
        let ticks = Cell::new(0);
        let elapsed = || {
            ticks.set(ticks.get() + 1);
            Duration::from_micros(10 * ticks.get())
        };
        let now = "2027-03-10T09:00:00+00:00[UTC]".parse().unwrap();
        let report = evaluate(&model, &cases, &now, &elapsed);
        assert_eq!((report.n, report.n_in_scope, report.n_out_of_scope), (10, 8, 2));
        assert_eq!(report.intent.accuracy, Some(1.0));
        assert_eq!(report.exact_match, Some(1.0));
        assert_eq!(report.entities.micro_f1, Some(1.0));
        assert_eq!((report.oos.recall, report.oos.auroc), (Some(1.0), Some(1.0)));
        assert_eq!(report.parse_us.map(|latency| latency.p50), Some(10.0));
    }
}
