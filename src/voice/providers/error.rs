//! Why there is no answer: a closed list, so that the pipeline can say which fallback it took.

use std::time::Duration;

/// Why the provider has no answer. No variant carries the key or the utterance, and text that came
/// from the server is one line of at most 300 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The circuit breaker is open: the server was not asked.
    #[error("the language model is left alone for a while: its circuit breaker is open")]
    BreakerOpen,
    /// The call's deadline came before an answer.
    #[error("the language model did not answer within the deadline")]
    Deadline,
    /// The server limits our rate, or the account's quota is used up.
    #[error("the language model limits the request rate")]
    RateLimited {
        /// How long the server asked us to stay away, when it said so; at most a day.
        retry_after: Option<Duration>,
    },
    /// The server refuses the key, or asks for one.
    #[error("the language model refuses the API key")]
    Unauthorized,
    /// None of the configured models exists on the server (any more).
    #[error("none of the configured language models is available")]
    NoModel,
    /// The server cannot be reached, or failed; holds its status or the reason.
    #[error("the language model is unavailable: {0}")]
    Unavailable(String),
    /// The server answered, but not with what was asked for.
    #[error("the language model's reply is unusable: {0}")]
    BadReply(String),
    /// The settings cannot work.
    #[error("the language model is misconfigured: {0}")]
    Configuration(String),
}

impl ProviderError {
    /// The `outcome` label of the metrics, and the word for a log line.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BreakerOpen => "breaker_open",
            Self::Deadline => "deadline",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::NoModel => "no_model",
            Self::Unavailable(_) => "unavailable",
            Self::BadReply(_) => "bad_reply",
            Self::Configuration(_) => "configuration",
        }
    }
}
