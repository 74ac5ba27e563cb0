//! Where finished commands are kept.

#[cfg(test)]
mod conformance;
mod lead;
pub mod mongo;
pub mod sqlite;

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::kit::http::page::{Cursor, Page};
use crate::kit::ids::{JobId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::Portable;
use crate::voice::api::Command;

/// The history of commands. Every read is by owner: nobody sees another's.
#[async_trait]
pub trait CommandStore: Portable<Key = JobId, Entry = Command> {
    /// Keeps a finished command, durably.
    ///
    /// Once for each id: what is there already stays, unless it had failed and is answered now.
    async fn record(&self, command: &Command) -> Result<(), StorageError>;

    /// The command `id`, if it is done and `owner`'s.
    async fn get(&self, owner: UserId, id: JobId) -> Result<Option<Command>, StorageError>;

    /// A page of `owner`'s commands, newest first.
    ///
    /// A page takes a limited time, however little a filter finds: what no index answers (words, or
    /// several filters together) is looked for in a limited number of commands at a time. So a page may
    /// hold fewer commands than asked for, or none, and still say where to go on: only a page without
    /// `next` is the last. An offset counts the commands found by the page itself.
    async fn history(&self, owner: UserId, filter: &Filter, page: Page) -> Result<HistoryPage, StorageError>;

    /// `owner`'s figures, over the days from `from` to before `to` (UTC days).
    async fn stats(
        &self,
        owner: UserId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Stats, StorageError>;

    /// Forgets `owner`'s commands and figures. One that is cut short goes on where it was when it is
    /// done again.
    async fn erase(&self, owner: UserId) -> Result<(), StorageError>;

    /// Whether the store can be read and written, as far as is known.
    async fn check(&self) -> Result<(), StorageError>;

    /// Flushes and closes.
    async fn close(&self);
}

/// Which commands a history shows; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// This intent.
    pub intent: Option<String>,
    /// This language.
    pub language: Option<String>,
    /// These words somewhere in the command, ASCII case aside.
    pub text: Option<String>,
    /// This conversation.
    pub session_id: Option<String>,
    /// Accepted at or after.
    pub from: Option<Timestamp>,
    /// Accepted before.
    pub to: Option<Timestamp>,
}

/// Some commands, and where the next ones begin.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// Newest first.
    pub commands: Vec<Command>,
    /// Where to go on, also from a page that is not full; `None` on the last page.
    pub next: Option<Cursor>,
}

impl HistoryPage {
    /// The page of `commands`, of which there is one more than `limit` if there is another page. A search
    /// that looked no further than at `stop` goes on there where the page is not full.
    fn of(mut commands: Vec<Command>, limit: u32, stop: Option<Cursor>) -> Self {
        let limit = limit as usize;
        let more = commands.len() > limit;
        commands.truncate(limit);
        let last = commands.last().map(|last| Cursor { at: last.created_at, id: last.job_id.uuid() });
        Self { commands, next: if more { last } else { stop } }
    }
}

/// Counts of commands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// All that were accepted and are done.
    pub total: u64,
    /// Those that were answered.
    pub completed: u64,
    /// Those that were cancelled or given up.
    pub failed: u64,
    /// From acceptance to answer, on average, in milliseconds.
    pub average_processing_time_ms: f64,
    /// Answered commands by intent (`none` included).
    pub by_intent: BTreeMap<String, u64>,
    /// Answered commands by language.
    pub by_language: BTreeMap<String, u64>,
    /// Answered commands by the tier that answered.
    pub by_source: BTreeMap<String, u64>,
}

/// One counter, as the stores keep them.
#[derive(Debug)]
pub struct StatRow {
    /// The intent, or `none`.
    pub intent: String,
    /// The language, or `und`.
    pub language: String,
    /// The tier, or [`FAILED`].
    pub source: String,
    /// Commands.
    pub count: u64,
    /// Their time, all together.
    pub duration_ms: f64,
}

/// The `source` of commands that have no answer.
pub const FAILED: &str = "failed";

impl FromIterator<StatRow> for Stats {
    fn from_iter<I: IntoIterator<Item = StatRow>>(rows: I) -> Self {
        let mut stats = Self::default();
        let mut duration_ms = 0.0;
        for row in rows.into_iter().filter(|row| row.count > 0) {
            stats.total += row.count;
            if row.source == FAILED {
                stats.failed += row.count;
                continue;
            }
            stats.completed += row.count;
            duration_ms += row.duration_ms;
            *stats.by_intent.entry(row.intent).or_default() += row.count;
            *stats.by_language.entry(row.language).or_default() += row.count;
            *stats.by_source.entry(row.source).or_default() += row.count;
        }
        if stats.completed > 0 {
            #[allow(
                clippy::cast_precision_loss,
                reason = "an average of more than 2^53 commands may be off a little"
            )]
            let average = duration_ms / stats.completed as f64;
            stats.average_processing_time_ms = (average * 1e3).round() / 1e3;
        }
        stats
    }
}
