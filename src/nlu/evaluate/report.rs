//! The figures of an evaluation, as they are written to JSON. `docs/NLU.md` defines each.

use std::collections::BTreeMap;

use serde::Serialize;

/// All figures. Those of which the data holds nothing are `None`, in JSON `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Sentences.
    pub n: usize,
    /// Of them, those with an intent.
    pub n_in_scope: usize,
    /// Of them, those without.
    pub n_out_of_scope: usize,
    /// Intents, before any threshold.
    pub intent: IntentScores,
    /// Out of scope, at the threshold chosen in training.
    pub oos: OutOfScope,
    /// Entities of the types that the data annotates.
    pub entities: EntityScores,
    /// Share of the sentences with an intent whose likeliest intent and all entities are right.
    pub exact_match: Option<f64>,
    /// Share of all sentences whose answer, none included, and all entities are right.
    pub exact_match_at_threshold: Option<f64>,
    /// Whether confidence means what it says.
    pub calibration: Calibrated,
    /// Time of one parse in microseconds.
    pub parse_us: Option<Latency>,
}

/// How well intents are told apart, over the sentences that have one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IntentScores {
    /// Share whose likeliest intent is right.
    pub accuracy: Option<f64>,
    /// The mean of the F1 of the intents.
    pub macro_f1: Option<f64>,
    /// By intent.
    pub per_intent: BTreeMap<String, NamedScore>,
    /// Mistakes, the most frequent first.
    pub confused: Vec<Confusion>,
}

/// Precision, recall and F1 of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NamedScore {
    /// How often the data has it.
    pub support: usize,
    /// Right of those found.
    pub precision: f64,
    /// Right of those in the data.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// One intent taken for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The intent in the data, `oos` among them.
    pub expected: String,
    /// The intent that was found.
    pub found: String,
    /// How often.
    pub count: usize,
}

/// How well sentences of no intent are told from the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OutOfScope {
    /// Probability that a sentence in scope scores above one out of scope.
    pub auroc: Option<f64>,
    /// Share of the sentences out of scope that are answered with none.
    pub recall: Option<f64>,
    /// Share of the answers none that are right.
    pub precision: Option<f64>,
    /// Share of the sentences in scope that are answered with the right intent.
    pub in_scope_accuracy: Option<f64>,
    /// Share of the sentences in scope that are answered with none.
    pub in_scope_refused: Option<f64>,
}

/// How well entities are found: exact span and type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntityScores {
    /// F1 over all annotations together.
    pub micro_f1: Option<f64>,
    /// Right of those found.
    pub precision: Option<f64>,
    /// Right of those in the data.
    pub recall: Option<f64>,
    /// By type.
    pub per_entity: BTreeMap<String, NamedScore>,
}

/// Confidence against accuracy, over all sentences.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrated {
    /// Expected calibration error.
    pub ece: Option<f64>,
    /// The same over the sentences with an intent alone.
    pub ece_in_scope: Option<f64>,
    /// What the first is made of.
    pub bins: Vec<Bin>,
}

/// Sentences of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Least confidence.
    pub from: f64,
    /// Where the next bin starts.
    pub to: f64,
    /// Sentences.
    pub n: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// Share whose likeliest intent is right.
    pub accuracy: f64,
}

/// Time of one parse in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Half take no longer.
    pub p50: f64,
    /// 99 of 100 take no longer.
    pub p99: f64,
    /// The mean.
    pub mean: f64,
    /// The longest.
    pub max: f64,
}
