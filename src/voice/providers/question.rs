//! What the provider is asked.

use jiff::Zoned;
use serde_json::Value;

/// One utterance to understand.
///
/// `text`, `language` and `context` come from the user and are treated as data; `intents` comes from
/// the operator's skills and is trusted.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// What was said, normalised; its length is the caller's limit.
    pub text: &'a str,
    /// The language to reply in, as a BCP 47 tag.
    pub language: &'a str,
    /// Every intent that the answer may name.
    pub intents: &'a [IntentHint],
    /// What the local model thinks, with its confidence, `0.0..=1.0`.
    pub guess: Option<(&'a str, f32)>,
    /// What the client sent along, or null. Left out of the request above 8 KiB of JSON.
    pub context: &'a Value,
    /// The user's local time, for "tomorrow".
    pub now: Zoned,
}

/// What the model is told about one intent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntentHint {
    /// The name, as in the training data.
    pub name: String,
    /// What it is for, in a sentence; may be empty.
    pub description: String,
    /// Utterances that mean it; the first three are sent.
    pub examples: Vec<String>,
    /// The entity types that it uses.
    pub entities: Vec<String>,
}
