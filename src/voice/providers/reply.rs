//! Reading a chat completion: whatever JSON a server sends, down to the object that we asked for.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::answer::Usage;
use super::attempt::AttemptError;

/// The keys of the object that is asked for; an output with none of them is not an answer.
const KEYS: [&str; 4] = ["intent", "confidence", "entities", "reply"];

/// Starts of an object that are tried in one output, so that a page of braces costs little.
const MAX_STARTS: usize = 64;

/// A chat completion as far as it is used. Any JSON deserializes: what is missing or of another type
/// is empty, so that a server's additions (`x_groq`, `service_tier`) never break a reply.
#[derive(Debug, Default)]
pub(super) struct ChatReply {
    choice: Option<Choice>,
    usage: Usage,
}

#[derive(Debug, Default)]
struct Choice {
    content: String,
    finish_reason: String,
}

/// What the model put out, as an object with at least one of the keys, and what it cost.
#[derive(Debug)]
pub(super) struct Completion {
    pub(super) output: Map<String, Value>,
    pub(super) usage: Usage,
}

impl<'de> Deserialize<'de> for ChatReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Value::deserialize(deserializer)?;
        let choice = body.pointer("/choices/0").map(|choice| Choice {
            content: content(choice.pointer("/message/content")),
            finish_reason: text(choice.get("finish_reason")),
        });
        let tokens = |key| body.pointer(key).and_then(Value::as_u64).unwrap_or_default();
        let (prompt_tokens, completion_tokens) =
            (tokens("/usage/prompt_tokens"), tokens("/usage/completion_tokens"));
        let total_tokens = match tokens("/usage/total_tokens") {
            0 => prompt_tokens.saturating_add(completion_tokens),
            total => total,
        };
        Ok(Self { choice, usage: Usage { prompt_tokens, completion_tokens, total_tokens } })
    }
}

impl ChatReply {
    pub(super) const fn usage(&self) -> Usage {
        self.usage
    }

    /// The object that the model put out.
    pub(super) fn completion(self) -> Result<Completion, AttemptError> {
        let unusable = |reason: &str| AttemptError::Unusable(reason.to_owned());
        let choice = self.choice.ok_or_else(|| unusable("the reply has no choices"))?;
        if choice.finish_reason == "length" {
            return Err(AttemptError::CutOff);
        }
        if choice.content.trim().is_empty() {
            return Err(unusable("the output is empty"));
        }
        let output =
            first_object(&choice.content).ok_or_else(|| unusable("the output is not a JSON object"))?;
        if !KEYS.iter().any(|key| output.contains_key(*key)) {
            return Err(unusable("the output breaks the schema"));
        }
        Ok(Completion { output, usage: self.usage })
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A message's content: a string, or a list of parts with text.
fn content(value: Option<&Value>) -> String {
    match value {
        Some(Value::Array(parts)) => parts.iter().map(|part| text(part.get("text"))).collect(),
        other => text(other),
    }
}

/// The first complete JSON object in `output`: all of it as a rule, or what stands between Markdown
/// fences or after an introduction.
fn first_object(output: &str) -> Option<Map<String, Value>> {
    output.match_indices('{').take(MAX_STARTS).find_map(|(start, _)| {
        let mut values =
            serde_json::Deserializer::from_str(&output[start..]).into_iter::<Map<String, Value>>();
        values.next()?.ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_object_is_found_wherever_a_model_puts_it() {
        for output in [
            r#"{"reply":"a } b"}"#,
            "```json\n{\"reply\":\"a } b\"}\n```",
            "Sure! Here it is: {\"reply\":\"a } b\"} Anything else? {\"reply\":\"no\"}",
            "Use {braces} like {\"reply\":\"a } b\"}",
            "\u{feff} {\"reply\":\"a } b\"}",
        ] {
            let object = first_object(output).unwrap();
            assert_eq!(object.get("reply"), Some(&Value::from("a } b")), "{output}");
        }
        for output in ["", "no", "[1]", "{", "{\"a\":", "}{", "{{{{{{"] {
            assert_eq!(first_object(output), None, "{output}");
        }
    }

    #[test]
    fn any_json_reads_as_a_reply() {
        for body in ["null", "[]", "{}", r#"{"choices":[]}"#, r#"{"choices":{"0":1},"usage":"none"}"#, "7"] {
            let reply: ChatReply = serde_json::from_str(body).unwrap();
            assert!(matches!(reply.completion(), Err(AttemptError::Unusable(_))), "{body}");
        }
    }

    #[test]
    fn content_in_parts_is_put_together() {
        let body = serde_json::json!({"choices": [{"message": {"content": [
            {"type": "text", "text": "{\"reply\":"}, {"type": "text", "text": "\"hi\"}"}]}}]});
        let reply: ChatReply = serde_json::from_value(body).unwrap();
        assert_eq!(reply.completion().unwrap().output["reply"], "hi");
    }
}
