//! One request's failure, and what it means: for the breaker, for a retry, for the caller.

use std::time::Duration;

use serde_json::Value;

use super::error::ProviderError;

/// The longest text of a server that travels in an error, in characters.
const TEXT_LIMIT: usize = 300;

/// The same for its error codes.
const CODE_LIMIT: usize = 64;

/// Why one request gave no completion.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum AttemptError {
    /// The server answered with an error.
    #[error("{}", .0.text())]
    Status(Refusal),
    /// No complete reply within the time of the attempt.
    #[error("no reply within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Connection(String),
    /// The body is larger than allowed, in bytes.
    #[error("the reply is larger than {0} bytes")]
    TooLarge(usize),
    /// The body or the model's output is not what was asked for.
    #[error("{0}")]
    Unusable(String),
    /// The output ran into the token limit.
    #[error("the output was cut off at the token limit")]
    CutOff,
}

/// An error reply, as far as it matters.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The machine-readable code, if any: `model_decommissioned`.
    pub(super) code: String,
    /// The server's words, without the key.
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
}

/// What to do after a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same again, later; the reason is the metric's label.
    Retry(&'static str),
    /// This model does not exist here: ask the next, and remember.
    ModelGone,
    /// This model is no use for this question: ask the next.
    NextModel,
    /// Nothing helps.
    Fail,
}

impl AttemptError {
    /// Whether the breaker counts it: the server is in trouble, as opposed to refusing us.
    pub(super) fn counts_against_server(&self) -> bool {
        match self {
            Self::Status(refusal) => {
                matches!(refusal.status, 408 | 429 | 500..) || refusal.broke_the_schema()
            }
            Self::Timeout(_) | Self::Connection(_) | Self::TooLarge(_) | Self::Unusable(_) => true,
            Self::CutOff => false,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Status(refusal) => refusal.verdict(),
            Self::Timeout(_) => Verdict::Retry("timeout"),
            Self::Connection(_) => Verdict::Retry("connection"),
            Self::TooLarge(_) | Self::Unusable(_) | Self::CutOff => Verdict::NextModel,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

impl From<AttemptError> for ProviderError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::Status(refusal) => match refusal.status {
                401 => Self::Unauthorized,
                429 => Self::RateLimited { retry_after: refusal.retry_after },
                _ if refusal.model_gone() => Self::NoModel,
                403 => Self::Unauthorized,
                404 => Self::Configuration(format!("{}; is base_url right?", refusal.text())),
                _ if refusal.broke_the_schema() => Self::BadReply(refusal.text()),
                _ => Self::Unavailable(refusal.text()),
            },
            error @ (AttemptError::Timeout(_) | AttemptError::Connection(_)) => {
                Self::Unavailable(error.to_string())
            }
            error => Self::BadReply(error.to_string()),
        }
    }
}

impl Refusal {
    /// Reads an error body of any of the shapes seen: `{"error": {…}}`, `{"error": "…"}`,
    /// `{"message": …}`, or no JSON at all.
    pub(super) fn read(status: u16, retry_after: Option<Duration>, body: &[u8], key: Option<&str>) -> Self {
        let parsed: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let error = parsed.get("error").unwrap_or(&parsed);
        let code = match error.get("code").or_else(|| parsed.get("code")) {
            Some(Value::String(code)) => code.clone(),
            _ => error.get("type").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        let message = match (error, error.get("message")) {
            (_, Some(Value::String(message))) | (Value::String(message), _) => message.clone(),
            _ if parsed.is_null() => String::from_utf8_lossy(body).into_owned(),
            _ => String::new(),
        };
        // Before anything is cut, so that a cut never leaves a part of it.
        let without_key = |text: String| match key {
            Some(key) if !key.is_empty() => text.replace(key, "[key]"),
            _ => text,
        };
        Self { status, code: without_key(code), message: without_key(message), retry_after }
    }

    /// The same without the user's words, should the server quote the request (as they are, or
    /// escaped as they were sent). Words of less than four bytes are everywhere, and say nothing.
    pub(super) fn without(mut self, utterance: &str) -> Self {
        let escaped = Value::from(utterance).to_string();
        for words in [utterance, escaped.trim_matches('"')] {
            if words.len() >= 4 {
                self.message = self.message.replace(words, "[utterance]");
            }
        }
        self
    }

    /// What an error may say of it.
    pub(super) fn text(&self) -> String {
        let (code, message) = (line(&self.code, CODE_LIMIT), line(&self.message, TEXT_LIMIT));
        match (code.is_empty(), message.is_empty()) {
            (true, true) => format!("status {}", self.status),
            (false, true) => format!("status {} ({code})", self.status),
            (true, false) => format!("status {}: {message}", self.status),
            (false, false) => format!("status {} ({code}): {message}", self.status),
        }
    }

    /// `model_decommissioned`, `model_not_found`, `model_terms_required`, `model_permission_…`; and
    /// servers without codes say it with a 404 that speaks of a model.
    pub(super) fn model_gone(&self) -> bool {
        match self.status {
            400 | 403 | 404 | 410 if self.code.starts_with("model_") => true,
            404 | 410 => self.message.to_ascii_lowercase().contains("model"),
            _ => false,
        }
    }

    /// Groq's word for "the model's own output does not fit the schema": a bad reply, not a bad request.
    pub(super) fn broke_the_schema(&self) -> bool {
        self.code == "json_validate_failed"
    }

    /// Whether the server complains about `parameter` of the request.
    pub(super) fn rejects(&self, parameter: &str) -> bool {
        matches!(self.status, 400 | 422 | 501)
            && !self.broke_the_schema()
            && self.message.to_ascii_lowercase().contains(parameter)
    }

    /// Whether it is the output's format that the server complains about.
    pub(super) fn rejects_format(&self) -> bool {
        ["response_format", "json_schema", "json_object"].iter().any(|name| self.rejects(name))
    }

    fn verdict(&self) -> Verdict {
        if self.model_gone() {
            return Verdict::ModelGone;
        }
        match self.status {
            // Waiting does not fill an account.
            429 if self.code == "insufficient_quota" => Verdict::Fail,
            429 => Verdict::Retry("rate_limited"),
            408 => Verdict::Retry("timeout"),
            409 => Verdict::Retry("conflict"),
            500.. => Verdict::Retry("server_error"),
            _ if self.broke_the_schema() => Verdict::NextModel,
            _ => Verdict::Fail,
        }
    }
}

/// One line of at most `limit` characters.
fn line(text: &str, limit: usize) -> String {
    let mut line: String = text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(limit).is_some() {
        line.pop();
        line.push('…');
    }
    line.trim().to_owned()
}
