//! Understanding: which intent a sentence has, and what in it means something of its own.
//!
//! A pure library: it reads no file, keeps no clock, starts no task and writes no log. Text and
//! the caller's clock go in, values come out. [`TrainingData`] reads skill packs in Rasa's NLU
//! format, [`Model::train`] learns from them in seconds, [`Model::parse`] understands one
//! utterance in microseconds.
//!
//! Promises:
//!
//! - Nothing here panics, whatever the text, the pack or the bytes.
//! - Parsing takes bounded time: at most [`MAX_CHARS`] code points of an utterance are analysed.
//! - One set of data, one seed: one model, byte by byte.
//! - Offsets are Unicode code points of the original text.
//! - Below the threshold chosen in training the intent is none; nothing is invented.
// Counts, lengths and weights are converted all over numeric code. They are bounded far below the
// limits of the types: sentences by MAX_CHARS, classes by 4096, values by quantisation.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::float_cmp
)]

mod codec;
mod data;
mod entity;
mod evaluate;
mod index;
mod intent;
mod language;
mod model;
mod response;
mod rng;
mod template;
mod text;
mod train;
mod types;
mod validate;
mod weights;

pub(crate) use data::primary_tag;
pub use data::{
    Annotation, Document, Entry, Example, Item, LanguagePack, LoadError, OUT_OF_SCOPE, Problem, TrainingData,
};
pub use evaluate::{
    Bin, Calibrated, Case, Confusion, EntityScores, Evaluation, IntentScores, Latency, NamedScore,
    OutOfScope, evaluate,
};
pub use model::Model;
pub use response::ResponseTemplate;
pub use text::MAX_CHARS;
pub use train::ENGINE;
pub use types::{
    Context, Entity, Extractor, IntentSummary, ModelError, Parse, Progress, Ranked, Stage, TrainError,
    TrainOptions,
};
pub use validate::{Check, Finding, Level, validate};
