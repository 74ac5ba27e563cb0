//! The analytics module's contract: where the other modules say what happened.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::kit::error::ApiError;
use crate::kit::health::Probe;
use crate::kit::ids::{BatchId, UserId};

/// The sink for events.
#[async_trait]
pub trait Analytics: Probe {
    /// Counts the events of `batch`, at most [`LARGEST_BATCH`] of them; they are durable when it returns.
    ///
    /// Once for each id within [`REMEMBERED`]: whoever does not know whether a batch has arrived sends
    /// it again.
    ///
    /// # Errors
    /// 422 for a larger batch, 503 when they could not be kept.
    async fn record(&self, batch: Batch) -> Result<(), ApiError>;
}

/// Events in one call of [`Analytics::record`].
pub const LARGEST_BATCH: usize = 1_000;

/// How long the id of a batch is remembered.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Events that are counted together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Its id, fresh (it carries its time), and the same each time that it is sent.
    pub id: BatchId,
    /// What happened.
    pub events: Vec<Event>,
}

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
