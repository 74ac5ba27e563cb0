//! Where counters are kept.

pub mod sqlite;

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::analytics::api::Event;
use crate::kit::storage::StorageError;

/// Counters by hour.
#[async_trait]
pub trait CounterStore: Debug + Send + Sync {
    /// Counts events, durably, all or none.
    async fn add(&self, events: Vec<Event>) -> Result<(), StorageError>;

    /// The sums from the UTC hour of `since` on, or over all time.
    async fn sums(&self, since: Option<Timestamp>) -> Result<Counts, StorageError>;

    /// Whether the store can be read and written, as far as is known.
    async fn check(&self) -> Result<(), StorageError>;

    /// Flushes and closes.
    async fn close(&self);
}

/// Sums of counters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Commands that are done.
    pub commands: u64,
    /// Those of them that have no answer.
    pub failed: u64,
    /// From acceptance to answer, on average, in milliseconds.
    pub average_processing_time_ms: f64,
    /// By intent (`none` included).
    pub by_intent: BTreeMap<String, u64>,
    /// By language (`und` for those that have no answer).
    pub by_language: BTreeMap<String, u64>,
    /// By the tier that answered, or `failed`.
    pub by_source: BTreeMap<String, u64>,
}
