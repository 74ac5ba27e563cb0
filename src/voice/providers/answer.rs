//! What comes back, held against what was asked.

use std::ops::Range;

use serde_json::{Map, Value};

use super::question::Question;
use super::reply::Completion;

/// The name a model gives to "none of these"; never an intent of ours.
pub(super) const NONE: &str = "none";

/// What an answer that states no confidence is taken for: neither sure nor unsure.
const UNSTATED_CONFIDENCE: f32 = 0.5;

/// Entities beyond this many in one utterance are a model that repeats itself.
const MAX_ENTITIES: usize = 32;

/// What the model understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// One of the question's intents; `None` when the model sees none, or names one that is unknown.
    pub intent: Option<String>,
    /// The model's own estimate, `0.0..=1.0`; 0.5 when it gives none. Not calibrated.
    pub confidence: f32,
    /// What it found in the utterance, in its order.
    pub entities: Vec<AnswerEntity>,
    /// What to say to the user, in their language; may be empty.
    pub reply: String,
    /// Which of the configured models answered.
    pub model: String,
    /// What the request that gave the answer cost; zeros where the server does not say.
    pub usage: Usage,
    /// Requests that were sent for this answer, the successful one included.
    pub attempts: u32,
}

/// One entity in an [`Answer`].
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerEntity {
    /// Its type: one that the question's intents name, if they name any.
    pub entity: String,
    /// Its value as the model normalised it.
    pub value: Value,
    /// The words it stands for, as the model quotes them.
    pub text: String,
    /// Where those words are in the question's text, in bytes; `None` when they are not there.
    pub span: Option<Range<usize>>,
}

/// Tokens, as the server counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request.
    pub prompt_tokens: u64,
    /// Tokens of the reply, reasoning included.
    pub completion_tokens: u64,
    /// Both.
    pub total_tokens: u64,
}

impl Answer {
    /// Keeps of a completion what answers `question`; what it does not know is dropped.
    pub(super) fn checked(
        completion: Completion,
        question: &Question<'_>,
        model: &str,
        attempts: u32,
    ) -> Self {
        let Completion { output, usage } = completion;
        Self {
            intent: intent(&output, question),
            confidence: confidence(output.get("confidence")),
            entities: entities(&output, question),
            reply: spoken(output.get("reply").and_then(Value::as_str).unwrap_or_default()),
            model: model.to_owned(),
            usage,
            attempts,
        }
    }
}

fn intent(output: &Map<String, Value>, question: &Question<'_>) -> Option<String> {
    let named = output.get("intent")?.as_str()?.trim();
    let known = |hint: &&super::question::IntentHint| hint.name.eq_ignore_ascii_case(named);
    question.intents.iter().find(known).map(|hint| hint.name.clone())
}

fn confidence(stated: Option<&Value>) -> f32 {
    let number = match stated {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    #[allow(clippy::cast_possible_truncation, reason = "clamped before the cast")]
    number
        .filter(|number: &f64| number.is_finite())
        .map_or(UNSTATED_CONFIDENCE, |number| number.clamp(0.0, 1.0) as f32)
}

fn entities(output: &Map<String, Value>, question: &Question<'_>) -> Vec<AnswerEntity> {
    let Some(listed) = output.get("entities").and_then(Value::as_array) else { return Vec::new() };
    listed.iter().filter_map(|found| entity(found, question)).take(MAX_ENTITIES).collect()
}

fn entity(found: &Value, question: &Question<'_>) -> Option<AnswerEntity> {
    let named = found.get("entity")?.as_str()?.trim();
    let mut types = question.intents.iter().flat_map(|hint| &hint.entities).peekable();
    let entity = if types.peek().is_none() {
        named.to_owned()
    } else {
        types.find(|known| known.eq_ignore_ascii_case(named))?.clone()
    };
    let text = match found.get("text") {
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    let value = match found.get("value") {
        None | Some(Value::Null) => Value::String(text.clone()),
        Some(value) => value.clone(),
    };
    let empty = value.as_str().is_some_and(str::is_empty);
    (!entity.is_empty() && !empty).then(|| AnswerEntity {
        entity,
        value,
        span: span(question.text, &text),
        text,
    })
}

/// Where `words` are in `text`, letter case aside where that is cheap to tell (ASCII).
fn span(text: &str, words: &str) -> Option<Range<usize>> {
    if words.is_empty() {
        return None;
    }
    let start = text.find(words).or_else(|| text.to_ascii_lowercase().find(&words.to_ascii_lowercase()))?;
    Some(start..start + words.len())
}

/// The reply as it may be shown: no control characters but line breaks.
fn spoken(reply: &str) -> String {
    reply.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect()
}
