//! Reading a chat completion: whatever JSON a server sends, down to the object that we asked for.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::answer::Usage;
use super::attempt::AttemptError;

/// An object with neither of these keys is not the one that was asked for.
const KEYS: [&str; 2] = ["intent", "reply"];

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
        let mut objects = objects(&choice.content).peekable();
        if objects.peek().is_none() {
            return Err(unusable("the output is not a JSON object"));
        }
        let output = objects
            .find(|object| KEYS.iter().any(|key| object.contains_key(*key)))
            .ok_or_else(|| unusable("the output breaks the schema"))?;
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

/// The complete JSON objects in `output`: one that is all of it as a rule, or what stands between
/// Markdown fences, after an introduction, or in a wrapper of the model's own invention.
fn objects(output: &str) -> impl Iterator<Item = Map<String, Value>> {
    output.match_indices('{').take(MAX_STARTS).filter_map(|(start, _)| {
        serde_json::Deserializer::from_str(&output[start..]).into_iter().next()?.ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(content: &str) -> Result<Map<String, Value>, AttemptError> {
        let body = serde_json::json!({"choices": [{"message": {"content": content}}]});
        let reply: ChatReply = serde_json::from_value(body).unwrap();
        reply.completion().map(|completion| completion.output)
    }

    #[test]
    fn the_object_is_found_wherever_a_model_puts_it() {
        for content in [
            r#"{"reply":"a } b"}"#,
            "```json\n{\"reply\":\"a } b\"}\n```",
            "Sure! Here it is: {\"reply\":\"a } b\"} Anything else? {\"reply\":\"no\"}",
            "Use {braces} like {\"reply\":\"a } b\"}",
            "<think>{\"plan\": 1}</think>{\"reply\":\"a } b\"}",
            "{\"answer\": {\"reply\":\"a } b\"}}",
            "\u{feff} {\"reply\":\"a } b\"}",
        ] {
            assert_eq!(output(content).unwrap()["reply"], "a } b", "{content}");
        }
    }

    #[test]
    fn an_output_without_the_object_is_unusable() {
        let nested = "{\"a\":".repeat(100_000);
        for content in ["", "no", "[1]", "{", "{\"a\":", "}{", "{{{{{{", "{}", "{\"sure\":true}", &nested] {
            assert!(matches!(output(content), Err(AttemptError::Unusable(_))), "{content:.20}");
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
