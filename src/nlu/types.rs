//! What goes into and comes out of [`Model::parse`](super::Model::parse).

use serde::{Deserialize, Serialize};

/// What an utterance is understood against.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The caller's clock and time zone: "tomorrow" is the day after this one.
    pub now: jiff::Zoned,
    /// The caller's language as a BCP-47 tag. It wins over detection; `None`, `auto` and anything
    /// that is no tag leave it to detection.
    pub language: Option<String>,
}

impl Context {
    /// A context without a language hint.
    pub fn new(now: jiff::Zoned) -> Self {
        Self { now, language: None }
    }
}

/// What the engine understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parse {
    /// BCP-47 primary tag.
    pub language: String,
    /// 0..=1; 1 when the caller named the language.
    pub language_confidence: f32,
    /// The intent, or `None` when the utterance is out of scope or too uncertain.
    pub intent: Option<String>,
    /// The probability, 0..=1, that the first intent of `ranking` is right; calibrated on
    /// held-out sentences. Also given when `intent` is `None`.
    pub confidence: f32,
    /// The calibrated probability, 0..=1, that the utterance is in scope: one of the model's
    /// intents, whichever. It is what is compared with the threshold chosen in training: below it
    /// `intent` is `None`, as it is where `confidence` is very low. A sentence between two intents
    /// is in scope and yet uncertain: that is why this is not `confidence`.
    pub in_scope: f32,
    /// The five likeliest intents, best first. Their confidences add up to at most 1.
    pub ranking: Vec<Ranked>,
    /// In order of their start; they do not overlap.
    pub entities: Vec<Entity>,
    /// Whether some value depends on [`Context::now`], so that the answer ages.
    pub time_dependent: bool,
}

/// One candidate intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ranked {
    /// Its name.
    pub intent: String,
    /// 0..=1.
    pub confidence: f32,
}

/// A stretch of the utterance that means something of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    /// Its type: one of the pack's, or a built-in one such as `date`.
    pub entity: String,
    /// First Unicode code point of the original text.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// The original text of `start..end`.
    pub text: String,
    /// What it stands for. Numbers, ordinals and percentages are JSON numbers. `money` is
    /// `{amount, currency}` with an ISO 4217 code, `temperature` and `distance` are
    /// `{value, unit}`. `interval` is `{from, to}`: two dates, both included, two times or two
    /// date-times. All others are strings: `date` is `2027-03-14`, `time` is `15:00:00`,
    /// `datetime` is RFC 3339 with the offset of the caller's zone, `duration` is ISO 8601
    /// (`PT10M`), `recurrence` a rule of RFC 5545 (`FREQ=WEEKLY;BYDAY=MO`), `phone` its digits
    /// with a leading plus if there is one.
    pub value: serde_json::Value,
    /// 0..=1.
    pub confidence: f32,
    /// What it does in the sentence, where the pack says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// Which others it belongs with, where the pack says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<String>,
    /// What found it.
    pub extractor: Extractor,
}

/// What found an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Extractor {
    /// One of the engine's own recognisers.
    Builtin,
    /// A lookup table, or a value annotated in the examples.
    Lookup,
    /// A regex of the pack.
    Regex,
    /// Learned from the annotated examples' contexts.
    Model,
    /// The utterance is one of the examples, or as a template says, word by word.
    Template,
}

/// What a model knows of one intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntentSummary {
    /// Its name.
    pub name: String,
    /// BCP-47 primary tags, in alphabetical order.
    pub languages: Vec<String>,
    /// Distinct sentences and templates that someone wrote, over all languages.
    pub examples: usize,
    /// Entity types annotated in its examples, in alphabetical order.
    pub entities: Vec<String>,
    /// Up to three of its sentences, in its first language. Only an intent of which there are nothing
    /// but templates shows sentences drawn from these.
    pub samples: Vec<String>,
}

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Decides every choice of chance: one seed and one set of data give one model, byte by byte.
    pub seed: u64,
    /// How many held-out folds confidence is calibrated on; at least 2.
    pub folds: usize,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self { seed: 1, folds: 3 }
    }
}

/// What training is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Turning sentences into features.
    Features,
    /// Training on part of the data to see how sure to be on the rest.
    Calibration,
    /// Training the intents on all of it.
    Intents,
    /// Learning entities.
    Entities,
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What it is at.
    pub stage: Stage,
    /// Steps of the stage that are done.
    pub done: usize,
    /// Steps of the stage in all.
    pub total: usize,
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// The data holds no example of an intent.
    #[error("the training data holds no example sentence: add an intent with examples")]
    Empty,
    /// More intents than a model can tell apart.
    #[error("{0} intents in one language are more than the 4096 that a model holds")]
    TooManyIntents(usize),
}

/// Why bytes are not a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// They do not start as a model does.
    #[error("these bytes are not a Voicera model")]
    NotAModel,
    /// Another version of the engine wrote them.
    #[error("the model has format {found}, this engine reads {expected}: train it again")]
    Version {
        /// The format of the bytes.
        found: u32,
        /// The format of this engine.
        expected: u32,
    },
    /// They were cut or changed.
    #[error("the model is damaged: train it again")]
    Damaged,
}
