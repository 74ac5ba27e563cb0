//! The command as it waits in the queue, and the rules that its text has to keep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::kit::error::{ApiError, FieldError};
use crate::kit::queue::JobKind;
use crate::voice::api::Fingerprint;

/// A command that waits for its answer: the payload of a `voice.process` job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Utterance {
    /// What was said.
    pub text: String,
    /// The language that the client says it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The client's name for the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What the client knows about the moment; JSON's null when it said nothing.
    #[serde(default)]
    pub context: Value,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

impl Utterance {
    /// A hash of all that the client asked; not of when.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let context = self.context.to_string();
        for part in
            [Some(self.text.as_str()), self.language.as_deref(), self.session_id.as_deref(), Some(&context)]
        {
            // The length keeps "ab"+"c" apart from "a"+"bc"; what is absent is longer than anything.
            hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
            hash.update(part.unwrap_or_default());
        }
        hash.finalize().into()
    }
}

/// The job kind that carries an [`Utterance`].
#[derive(Debug)]
pub struct Process;

impl JobKind for Process {
    const KIND: &'static str = "voice.process";
    type Payload = Utterance;
}

/// How large a command may be.
#[derive(Debug, Clone, Copy)]
pub struct CommandLimits {
    /// Characters (code points) of text.
    pub text_chars: usize,
    /// Bytes of context, as compact JSON.
    pub context_bytes: usize,
}

const LONGEST_SESSION_ID: usize = 128;
const LONGEST_LANGUAGE: usize = 35;

/// Checks a command as a client sent it; every broken field is named.
///
/// # Errors
/// 422.
pub fn check(
    limits: CommandLimits,
    text: &str,
    language: Option<&str>,
    session_id: Option<&str>,
    context: &Value,
) -> Result<(), ApiError> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, message: String| {
        wrong.push(FieldError { field: field.to_owned(), message });
    };
    if text.trim().is_empty() {
        refuse("command", "must not be empty".to_owned());
    } else if text.chars().nth(limits.text_chars).is_some() {
        refuse("command", format!("must be at most {} characters", limits.text_chars));
    } else if text.contains('\0') {
        refuse("command", "must not contain the character U+0000".to_owned());
    }
    if language.is_some_and(|tag| !is_language_tag(tag)) {
        refuse("language", "must be a BCP 47 language tag such as `en` or `pt-BR`".to_owned());
    }
    if session_id.is_some_and(|id| id.is_empty() || id.len() > LONGEST_SESSION_ID || id.contains('\0')) {
        refuse("sessionId", format!("must be 1 to {LONGEST_SESSION_ID} bytes without U+0000"));
    }
    if !context.is_null() {
        if !context.is_object() {
            refuse("context", "must be a JSON object".to_owned());
        } else if serde_json::to_vec(context).map_or(usize::MAX, |json| json.len()) > limits.context_bytes {
            refuse("context", format!("must be at most {} bytes of JSON", limits.context_bytes));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::invalid_fields(wrong)) }
}

/// The shape of a tag (RFC 5646 §2.1), not whether anybody speaks it.
fn is_language_tag(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let primary = subtags.next().unwrap_or_default();
    tag.len() <= LONGEST_LANGUAGE
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags
            .all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: CommandLimits = CommandLimits { text_chars: 10, context_bytes: 20 };

    #[test]
    fn a_command_within_the_rules_passes() {
        check(LIMITS, "héllo wörl", Some("pt-BR"), Some("s-1"), &json!({"page": 1})).unwrap();
        check(LIMITS, "hello", None, None, &Value::Null).unwrap();
    }

    #[test]
    fn every_broken_field_is_named() {
        for (text, language, session, context, fields) in [
            ("", None, None, Value::Null, "command"),
            (" \t\n", None, None, Value::Null, "command"),
            ("12345678901", None, None, Value::Null, "command"),
            ("a\0b", None, None, Value::Null, "command"),
            ("a", Some("english"), Some(""), json!([]), "language sessionId context"),
            ("a", Some("e"), None, json!({"long": "0123456789012345"}), "language context"),
        ] {
            let error = check(LIMITS, text, language, session, &context).unwrap_err();
            let problem = serde_json::to_value(error.fields()).unwrap();
            let named: Vec<_> =
                problem.as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
            assert_eq!(named.join(" "), fields, "{text:?}");
        }
    }
}
