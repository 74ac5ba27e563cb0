//! Durable jobs: accepted work that survives the process.
//!
//! A module enqueues through [`Queue`] and does the work in a [`Handler`]; neither knows whether the
//! jobs are kept in a file ([`sqlite`]) or on a Redis server ([`bullmq`]). What every implementation promises, and
//! the conformance suite checks on each:
//!
//! - A job is durable when `enqueue` returns; the same id twice is one job.
//! - At least once: an attempt is counted before it begins, so a job that kills the process is not
//!   tried for ever; a job of a dead process is taken over. Where several were in flight nobody knows
//!   which of them it was: their attempts are forgiven, a limited number of times, and those that it
//!   happens to again are tried one after the other.
//! - Failed attempts are repeated with exponential backoff and full jitter; when they are used up
//!   [`Handler::exhausted`] is told, then the job is dead (`failed`) until retried by hand.
//! - A completed job is gone. Its record is the business of whoever handled it.
//! - Order: priority, then the time from which the job may run, then its id.

mod attempt;
pub mod bullmq;
#[cfg(test)]
pub(crate) mod conformance;
mod handler;
mod job;
pub mod metrics;
mod options;
pub mod sqlite;

use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use handler::{Failure, Handler};
pub use job::{BadPayload, Job, JobKind, JobState, NewJob, Progress, ReturnValue};
pub use options::{ConsumeOptions, QueueOptions};

use crate::kit::ids::{JobId, UserId};
use crate::kit::storage::StorageError;

/// A durable queue. `owner: None` is an administrator, who sees everybody's jobs.
#[async_trait]
pub trait Queue: Send + Sync + Debug {
    /// Accepts a job, durably. With an id that the queue already has nothing changes.
    ///
    /// # Errors
    /// [`QueueError::Full`] when too many are waiting.
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, QueueError>;

    /// The job with this id, if it is in the queue and `owner`'s.
    async fn get(&self, id: JobId, owner: Option<UserId>) -> Result<Option<Job>, QueueError>;

    /// Removes a job, unless it is being worked on or dead.
    async fn cancel(&self, id: JobId, owner: Option<UserId>) -> Result<Cancel, QueueError>;

    /// Jobs in the order in which they were accepted, a page at a time.
    async fn list(&self, filter: JobFilter) -> Result<JobPage, QueueError>;

    /// Gives a dead job all its attempts again. False if there is no dead job with this id.
    async fn retry(&self, id: JobId) -> Result<bool, QueueError>;

    /// The same for every dead job of `queue`; how many there were.
    async fn retry_all(&self, queue: &str) -> Result<u64, QueueError>;

    /// Removes all of `owner`'s jobs in `queue`, dead ones too, but for those that are being worked on;
    /// how many there were.
    async fn erase(&self, queue: &str, owner: UserId) -> Result<u64, QueueError>;

    /// How full `queue` is.
    ///
    /// # Errors
    /// Also while jobs can be read but nothing can be written: then nothing is accepted.
    async fn depth(&self, queue: &str) -> Result<Depth, QueueError>;

    /// Works on `queue` until `shutdown`: then claims no more, lets what is in flight finish within
    /// the grace period, hands the rest back and returns. May be called several times at once.
    ///
    /// # Errors
    /// [`QueueError::Storage`] or [`QueueError::Closed`] when the store has been closed; lesser faults are
    /// logged and waited out.
    async fn consume(
        &self,
        queue: &'static str,
        handler: Arc<dyn Handler>,
        options: ConsumeOptions,
        shutdown: CancellationToken,
    ) -> Result<(), QueueError>;

    /// Writes down what is under way and lets go of the store. Stop the consumers first; whatever is
    /// asked afterwards fails.
    async fn close(&self);
}

/// What `enqueue` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// The job is in the queue now.
    Created,
    /// A job with this id already was, and is unchanged.
    Existing,
}

/// What `cancel` found.
#[derive(Debug, Clone)]
pub enum Cancel {
    /// The job is out of the queue; this is how it was.
    Removed(Box<Job>),
    /// The job is being worked on and was left alone.
    Active,
    /// The job is dead, and its handler has been told: there is nothing left to prevent.
    Dead,
    /// No such job, or not this owner's.
    NotFound,
}

/// Which jobs to list.
#[derive(Debug, Clone)]
pub struct JobFilter {
    /// Of this queue.
    pub queue: String,
    /// In this state alone.
    pub state: Option<JobState>,
    /// Where the page before ended.
    pub after: Option<JobCursor>,
    /// At most so many; 0 is 50, and 1,000 is the most.
    pub limit: usize,
}

impl JobFilter {
    /// The first jobs of `queue`, whatever their state.
    pub fn of(queue: &str) -> Self {
        Self { queue: queue.to_owned(), state: None, after: None, limit: 0 }
    }
}

/// Some jobs, and where the next ones begin.
#[derive(Debug, Clone)]
pub struct JobPage {
    /// Oldest first.
    pub jobs: Vec<Job>,
    /// `None` on the last page.
    pub next: Option<JobCursor>,
}

/// A place in a list of jobs. It stays good when the job that stood there is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobCursor(u64);

impl fmt::Display for JobCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<JobCursor> for String {
    fn from(cursor: JobCursor) -> Self {
        cursor.to_string()
    }
}

/// A text that no list of jobs gave as a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one that this server gave: use `nextCursor` as it came")]
pub struct NoCursor;

impl TryFrom<String> for JobCursor {
    type Error = NoCursor;

    fn try_from(text: String) -> Result<Self, NoCursor> {
        text.parse()
    }
}

impl FromStr for JobCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let plain = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !plain {
            return Err(NoCursor);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NoCursor)
    }
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// May run now.
    pub waiting: u64,
    /// May run later.
    pub delayed: u64,
    /// Being worked on.
    pub active: u64,
    /// Dead.
    pub failed: u64,
    /// Since when the longest waiting job has been allowed to run.
    pub oldest_waiting: Option<Timestamp>,
}

/// Why the queue did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// Too many jobs are waiting.
    #[error("the queue {queue} is full; try again in {} s", retry_after.as_secs())]
    Full {
        /// The queue.
        queue: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// The embedded store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The queue's server did not do it, or not in time; whether it did later is not known. Repeating
    /// the call is safe.
    #[error("the queue's server {server} does not answer: {detail}; see that it runs and can be reached")]
    Unreachable {
        /// The server, without its password.
        server: String,
        /// What the driver said.
        detail: String,
    },
    /// The server answered, and does not take it.
    #[error("the queue's server {server} refused: {detail}")]
    Refused {
        /// The server, without its password.
        server: String,
        /// What it said.
        detail: String,
    },
    /// The queue has been closed, which happens at shutdown.
    #[error("the queue is closed: Voicera is shutting down")]
    Closed,
}
