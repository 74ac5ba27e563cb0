//! The analytics module's contract: where the other modules say what happened.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::kit::error::ApiError;
use crate::kit::health::Probe;
use crate::kit::ids::UserId;

/// The sink for events.
#[async_trait]
pub trait Analytics: Probe {
    /// Counts `events`, at most [`LARGEST_BATCH`] of them; they are durable when it returns.
    ///
    /// # Errors
    /// 422 for a larger batch, 503 when they could not be kept.
    async fn record(&self, events: Vec<Event>) -> Result<(), ApiError>;
}

/// Events in one call of [`Analytics::record`].
pub const LARGEST_BATCH: usize = 1_000;

/// Something that happened, as one row of counters sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A command was answered, or given up.
    Command {
        /// When.
        at: Timestamp,
        /// Whose it was.
        user_id: UserId,
        /// `local`, `llm`, `cache`, or `failed`.
        source: String,
        /// The intent, or `none`.
        intent: String,
        /// BCP 47, or `und`.
        language: String,
        /// From acceptance to answer, in milliseconds.
        duration_ms: f64,
    },
}

/// Where the contract call `record` is served, inside the installation only.
pub(super) const RECORD: &str = "/internal/analytics/record";
