//! Where counters are kept.

pub mod mongo;
pub mod sqlite;

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::analytics::api::{Batch, Event};
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::Portable;

/// Counters by hour.
#[async_trait]
pub trait CounterStore: Portable<Key = HourKey, Entry = HourCounter> {
    /// Counts the events of a batch, durably, all or none, and once for each id within [`REMEMBERED`].
    ///
    /// [`REMEMBERED`]: crate::analytics::api::REMEMBERED
    async fn add(&self, batch: Batch) -> Result<(), StorageError>;

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

/// The tier of a command that has no answer.
const FAILED: &str = "failed";

/// One counter, as the stores keep them.
#[derive(Debug)]
pub struct CounterRow {
    /// The intent, or `none`.
    pub intent: String,
    /// The language, or `und`.
    pub language: String,
    /// The tier, or `failed`.
    pub source: String,
    /// Commands.
    pub count: u64,
    /// Their time, all together.
    pub duration_ms: f64,
}

impl FromIterator<CounterRow> for Counts {
    fn from_iter<I: IntoIterator<Item = CounterRow>>(rows: I) -> Self {
        let mut counts = Self::default();
        let (mut answered, mut duration_ms) = (0_u64, 0.0);
        for row in rows {
            counts.commands += row.count;
            if row.source == FAILED {
                counts.failed += row.count;
            } else {
                answered += row.count;
                duration_ms += row.duration_ms;
            }
            *counts.by_intent.entry(row.intent).or_default() += row.count;
            *counts.by_language.entry(row.language).or_default() += row.count;
            *counts.by_source.entry(row.source).or_default() += row.count;
        }
        if answered > 0 {
            #[allow(
                clippy::cast_precision_loss,
                reason = "an average of more than 2^53 commands may be off a little"
            )]
            let average = duration_ms / answered as f64;
            counts.average_processing_time_ms = (average * 1e3).round() / 1e3;
        }
        counts
    }
}

/// What a counter by the hour counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HourKey {
    /// Hours since 1970 UTC.
    pub hour: i64,
    /// The intent, or `none`.
    pub intent: String,
    /// The language, or `und`.
    pub language: String,
    /// The tier, or `failed`.
    pub source: String,
}

impl HourKey {
    /// One that no counter has, and that stands before all.
    fn before_all() -> Self {
        Self { hour: i64::MIN, intent: String::new(), language: String::new(), source: String::new() }
    }
}

/// A counter by the hour, for another store: there it is made the same, and the totals move by the
/// difference.
#[derive(Debug, Clone, PartialEq)]
pub struct HourCounter {
    /// What it counts.
    pub of: HourKey,
    /// Commands.
    pub count: i64,
    /// Their time, all together.
    pub duration_ms: f64,
}

/// One caller's wish.
#[derive(Debug)]
enum Change {
    /// That events are counted.
    Count(Batch),
    /// That counters are made the same as in another store.
    Import(Vec<HourCounter>),
}

impl Change {
    fn batch(&self) -> Option<&Batch> {
        if let Self::Count(batch) = self { Some(batch) } else { None }
    }

    fn counters(&self) -> &[HourCounter] {
        if let Self::Import(counters) = self { counters } else { &[] }
    }
}

/// What a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind<'a> {
    intent: &'a str,
    language: &'a str,
    source: &'a str,
}

/// What events move counters by: commands, and milliseconds.
#[derive(Debug, Default)]
struct Moves<'a> {
    /// By hour (since 1970 UTC) and kind.
    hours: BTreeMap<(i64, Kind<'a>), (i64, f64)>,
    /// By kind alone.
    totals: BTreeMap<Kind<'a>, (i64, f64)>,
}

impl<'a> Moves<'a> {
    fn add(&mut self, at: i64, kind: Kind<'a>, count: i64, duration_ms: f64) {
        for by in [self.hours.entry((at, kind)).or_default(), self.totals.entry(kind).or_default()] {
            by.0 += count;
            by.1 += duration_ms;
        }
    }

    /// What makes the counter `there` (commands, and milliseconds) the same as `counter`.
    fn make(&mut self, counter: &'a HourCounter, there: (i64, f64)) {
        let HourKey { hour, intent, language, source } = &counter.of;
        let kind = Kind { intent, language, source };
        self.add(*hour, kind, counter.count - there.0, counter.duration_ms - there.1);
    }
}

impl<'a> FromIterator<&'a Event> for Moves<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Event>>(events: I) -> Self {
        let mut moves = Self::default();
        for Event::Command { at, source, intent, language, duration_ms, .. } in events {
            moves.add(hour(*at), Kind { intent, language, source }, 1, *duration_ms);
        }
        moves
    }
}

/// Hours since 1970 UTC.
fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}
