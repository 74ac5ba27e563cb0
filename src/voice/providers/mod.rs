//! Language models behind an OpenAI-compatible API: Groq, and every server that speaks the same.
//!
//! One [`Provider`] is one server with a list of models. [`Provider::understand`] asks it for the
//! intent, the entities and a reply of one utterance, as JSON by schema, and promises:
//!
//! - it returns before the deadline, whatever the server does, and may be dropped at any `.await`;
//! - one retry policy: attempts, a retry budget shared by all calls, backoff with jitter, and the
//!   server's `retry-after` where it fits into the deadline;
//! - a circuit breaker around each attempt, so that a server in trouble costs nothing;
//! - a model that is gone is skipped for a while and the next one of the list is asked;
//! - what the utterance says stays data: it travels in a user message, JSON-encoded;
//! - neither the key nor an utterance reaches a log, an error or `Debug`.
//!
//! Replies are read leniently (servers add, drop and retype fields) and then checked against what
//! was asked, so an [`Answer`] never names an intent or entity that the skills do not have.

mod answer;
mod attempt;
mod breaker;
mod check;
mod error;
mod metrics;
mod models;
mod prompt;
mod provider;
mod question;
mod reply;
mod retry;
mod settings;
mod transport;

#[cfg(test)]
#[path = "../../../tests/support/llm_server.rs"]
mod llm_server;
#[cfg(test)]
mod tests;

pub use answer::{Answer, AnswerEntity, Usage};
pub use breaker::BreakerState;
pub use check::ModelCheck;
pub use error::ProviderError;
pub use metrics::describe;
pub use provider::Provider;
pub use question::{IntentHint, Question};
pub use settings::{BreakerSettings, ProviderSettings, SchemaMode, SlowCalls};
