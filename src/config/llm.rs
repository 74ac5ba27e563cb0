//! `[llm]`: the language model that is asked where the local one is unsure.

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::secret::Secret;
use super::span::Span;
use super::url::BaseUrl;

/// Groq's OpenAI-compatible API.
pub const DEFAULT_BASE_URL: &str = "https://api.groq.com/openai/v1";

/// `[llm]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Llm {
    /// The base URL of an OpenAI-compatible API.
    pub base_url: BaseUrl,
    /// The key for it.
    pub api_key: Secret,
    /// The models, each the fallback of the one before.
    pub models: Vec<String>,
    /// How long all attempts together may take.
    pub deadline: Span,
    /// How long one attempt may take.
    pub attempt_timeout: Span,
    /// How many attempts one command may cause.
    pub max_attempts: u32,
    /// Retries per first attempt, over all commands.
    pub retry_budget: f64,
    /// The longest reply, in tokens.
    pub max_output_tokens: u32,
    /// How freely the model words its replies.
    pub temperature: f64,
    /// `[llm.breaker]`
    pub breaker: Breaker,
}

impl Default for Llm {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.parse().unwrap_or_default(),
            api_key: Secret::default(),
            models: vec!["openai/gpt-oss-20b".to_owned(), "openai/gpt-oss-120b".to_owned()],
            deadline: Span::from_secs(8),
            attempt_timeout: Span::from_secs(5),
            max_attempts: 3,
            retry_budget: 0.2,
            max_output_tokens: 1024,
            temperature: 0.2,
            breaker: Breaker::default(),
        }
    }
}

impl Llm {
    /// Whether there is an LLM to ask: a key is set, or the server is not the default one (a local
    /// server needs no key).
    pub fn enabled(&self) -> bool {
        self.base_url.is_set() && (self.api_key.is_set() || self.base_url.as_str() != DEFAULT_BASE_URL)
    }

    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        if !self.base_url.is_set() {
            checks.refuse(
                "base_url",
                "is empty",
                "leave it out for Groq; without a key no LLM is asked, and voice.understanding.mode = \
                 \"local_only\" rules it out for good",
            );
        }
        checks.secret("api_key", &self.api_key);
        if self.models.is_empty() {
            checks.refuse("models", "is empty", "name at least one model");
        }
        if self.models.iter().any(|model| model.trim().is_empty()) {
            checks.refuse("models", "has an empty entry", "name a model, or leave the entry out");
        }
        checks.millis("deadline", self.deadline, 100..=120_000);
        checks.millis("attempt_timeout", self.attempt_timeout, 100..=120_000);
        checks.range("max_attempts", self.max_attempts, 1..=10);
        checks.range("retry_budget", self.retry_budget, 0.0..=1.0);
        checks.range("max_output_tokens", self.max_output_tokens, 16..=32_768);
        checks.range("temperature", self.temperature, 0.0..=2.0);
        checks.pair(
            self.attempt_timeout <= self.deadline,
            ["attempt_timeout", "deadline"],
            format!(
                "llm.attempt_timeout ({}) is longer than llm.deadline ({})",
                self.attempt_timeout, self.deadline
            ),
            "lower llm.attempt_timeout, or raise llm.deadline",
        );
        checks.pair(
            !(self.api_key.is_set() && self.base_url.is_exposed()),
            ["base_url", "api_key"],
            "llm.api_key would go to llm.base_url over the network unencrypted",
            "use https://, or a server on this machine, or take the key away if the server needs none",
        );
        self.breaker.validate(checks.nested("llm.breaker"));
    }
}

/// `[llm.breaker]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// The share of failed calls at which the breaker opens.
    pub failure_rate: f64,
    /// The time over which calls are counted.
    pub window: Span,
    /// How many calls it takes to judge.
    pub minimum_calls: usize,
    /// How long it stays open before it tries again.
    pub open_for: Span,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failure_rate: 0.5,
            window: Span::from_secs(30),
            minimum_calls: 5,
            open_for: Span::from_secs(15),
        }
    }
}

impl Breaker {
    fn validate(&self, mut checks: Checks<'_>) {
        checks.range("failure_rate", self.failure_rate, 0.01..=1.0);
        checks.secs("window", self.window, 1..=3600);
        checks.range("minimum_calls", self.minimum_calls, 1..=10_000);
        checks.millis("open_for", self.open_for, 100..=3_600_000);
    }
}
