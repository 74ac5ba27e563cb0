//! What an operator decides about a provider, and which combinations cannot work.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Nobody waits longer for the answer to a spoken command; and it keeps instants in range.
const LONGEST_DEADLINE: Duration = Duration::from_mins(10);

/// One server and how to treat it.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Where the API starts, version included: `https://api.groq.com/openai/v1`.
    pub base_url: String,
    /// The bearer token; local servers mostly need none. Surrounding white space is ignored.
    pub api_key: Option<SecretString>,
    /// Models by preference: the first is asked, the rest stand in when it is gone or unusable.
    pub models: Vec<String>,
    /// The longest that one call may take, retries included; a caller may ask for less.
    pub deadline: Duration,
    /// The longest that one request may take.
    pub attempt_timeout: Duration,
    /// Failed requests after which a call fails, whichever models they went to; 1 means no retries.
    /// A model that is gone or a rejected parameter is not counted: the call moves on.
    pub max_attempts: u32,
    /// Retries allowed per call over time, `0.0..=1.0`; a small floor is always allowed.
    pub retry_budget_ratio: f64,
    /// Longest output in tokens; models that reason spend from it before they answer.
    pub max_output_tokens: u32,
    /// Sampling temperature, `0.0..=2.0`.
    pub temperature: f32,
    /// Replies with a larger body, in bytes, are refused unread.
    pub max_reply_bytes: usize,
    /// How the shape of the output is asked for.
    pub schema_mode: SchemaMode,
    /// When to leave the server alone.
    pub breaker: BreakerSettings,
}

/// How the shape of the output is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaMode {
    /// `json_schema` with `strict: true`, always.
    JsonSchema,
    /// `json_object`, always; the shape is only described.
    JsonObject,
    /// `json_schema`, and whatever less a server accepts when it rejects that.
    #[default]
    Auto,
}

/// When the circuit breaker opens, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerSettings {
    /// Share of failed requests within the window that opens it, above 0.0 and up to 1.0.
    pub failure_rate: f64,
    /// How far back requests are counted.
    pub window: Duration,
    /// Requests within the window below which it stays closed.
    pub minimum_calls: u32,
    /// How long it stays open before one request may try again.
    pub open_for: Duration,
    /// Counts slow requests too, when set.
    pub slow_calls: Option<SlowCalls>,
}

/// Slow requests open the breaker as failed ones do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowCalls {
    /// A request that takes this long is slow.
    pub longer_than: Duration,
    /// Share of slow requests within the window that opens the breaker, above 0.0 and up to 1.0.
    pub rate: f64,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failure_rate: 0.5,
            window: Duration::from_secs(30),
            minimum_calls: 10,
            open_for: Duration::from_secs(15),
            slow_calls: None,
        }
    }
}

impl Default for ProviderSettings {
    /// Groq without a key.
    fn default() -> Self {
        Self {
            base_url: "https://api.groq.com/openai/v1".to_owned(),
            api_key: None,
            models: vec!["openai/gpt-oss-120b".to_owned(), "openai/gpt-oss-20b".to_owned()],
            deadline: Duration::from_secs(8),
            attempt_timeout: Duration::from_secs(5),
            max_attempts: 3,
            retry_budget_ratio: 0.2,
            max_output_tokens: 1024,
            temperature: 0.2,
            max_reply_bytes: 256 * 1024,
            schema_mode: SchemaMode::Auto,
            breaker: BreakerSettings::default(),
        }
    }
}

impl ProviderSettings {
    /// Everything that is wrong, as key (below the provider's section) and what to do about it.
    /// Empty when the settings can work.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut refuse = |wrong: bool, key, fix: &str| {
            if wrong {
                found.push((key, fix.to_owned()));
            }
        };
        refuse(
            base_url(&self.base_url).is_none(),
            "base_url",
            "give an http:// or https:// address without user, password, query or fragment",
        );
        refuse(self.models.is_empty(), "models", "name at least one model");
        refuse(self.models.iter().any(|model| model.trim().is_empty()), "models", "remove the empty name");
        refuse(self.deadline.is_zero(), "deadline", "must be longer than zero");
        refuse(self.deadline > LONGEST_DEADLINE, "deadline", "must be at most 10 minutes");
        refuse(self.attempt_timeout.is_zero(), "attempt_timeout", "must be longer than zero");
        refuse(self.max_attempts == 0, "max_attempts", "must be at least 1");
        refuse(
            !(0.0..=1.0).contains(&self.retry_budget_ratio),
            "retry_budget_ratio",
            "must be between 0.0 and 1.0",
        );
        refuse(self.max_output_tokens == 0, "max_output_tokens", "must be at least 1");
        refuse(!(0.0..=2.0).contains(&self.temperature), "temperature", "must be between 0.0 and 2.0");
        refuse(self.max_reply_bytes < 1024, "max_reply_bytes", "must be at least 1024");

        let share = |rate: f64| rate > 0.0 && rate <= 1.0;
        let breaker = &self.breaker;
        refuse(!share(breaker.failure_rate), "breaker.failure_rate", "must be above 0.0 and at most 1.0");
        refuse(breaker.window.is_zero(), "breaker.window", "must be longer than zero");
        refuse(breaker.minimum_calls == 0, "breaker.minimum_calls", "must be at least 1");
        if let Some(slow) = breaker.slow_calls {
            refuse(!share(slow.rate), "breaker.slow_calls.rate", "must be above 0.0 and at most 1.0");
            refuse(slow.longer_than.is_zero(), "breaker.slow_calls.longer_than", "must be longer than zero");
        }
        found
    }
}

/// The address, if the API can be below it. A password in it would end up in logs, so it is refused.
pub(super) fn base_url(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && plain).then_some(url)
}
