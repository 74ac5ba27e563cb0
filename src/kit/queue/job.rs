//! A piece of work, before, while and after it waits.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kit::ids::{JobId, UserId};

/// A job to be accepted.
#[derive(Clone)]
pub struct NewJob {
    /// Chosen by the caller; repeating it does not repeat the job.
    pub id: JobId,
    /// Where it waits.
    pub queue: &'static str,
    /// What it is: tells the handler how to read `payload`.
    pub kind: String,
    /// JSON text.
    pub payload: String,
    /// Whose it is.
    pub owner: UserId,
    /// 0 goes first. Within a priority the older goes first.
    pub priority: u8,
    /// Not before so long from now.
    pub delay: Option<Duration>,
    /// The W3C trace context in which it was accepted.
    pub traceparent: Option<String>,
    /// How often it is tried; the queue's default if absent.
    pub max_attempts: Option<u32>,
}

impl NewJob {
    /// A job of a typed kind, to run as soon as possible.
    ///
    /// # Errors
    /// [`BadPayload`] when `payload` cannot be written as JSON.
    pub fn of<K: JobKind>(
        id: JobId,
        queue: &'static str,
        owner: UserId,
        payload: &K::Payload,
    ) -> Result<Self, BadPayload> {
        let payload = serde_json::to_string(payload).map_err(|error| BadPayload {
            kind: K::KIND.to_owned(),
            id,
            reason: error.to_string(),
        })?;
        Ok(Self {
            id,
            queue,
            kind: K::KIND.to_owned(),
            payload,
            owner,
            priority: 0,
            delay: None,
            traceparent: None,
            max_attempts: None,
        })
    }
}

/// What users say is in the payload, and stays out of logs.
impl fmt::Debug for NewJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewJob")
            .field("id", &self.id)
            .field("queue", &self.queue)
            .field("kind", &self.kind)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// May run now.
    Waiting,
    /// Being worked on.
    Active,
    /// May run later: it was asked for later, or an attempt has failed.
    Delayed,
    /// Dead: its attempts are used up.
    Failed,
}

impl JobState {
    /// The word for it on the wire, in metrics and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
        }
    }
}

/// A job in the queue.
#[derive(Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Where it waits.
    pub queue: Arc<str>,
    /// What it is.
    pub kind: String,
    /// JSON text.
    pub payload: String,
    /// Whose it is.
    pub owner: UserId,
    /// Where it stands.
    pub state: JobState,
    /// Attempts begun, this one included while it is being worked on.
    pub attempts: u32,
    /// Attempts it has.
    pub max_attempts: u32,
    /// 0 goes first.
    pub priority: u8,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// From when it may run.
    pub run_at: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The W3C trace context in which it was accepted.
    pub traceparent: Option<String>,
    /// How far the current attempt is.
    pub progress: Progress,
    /// What the work comes to, for a producer in another language.
    pub return_value: ReturnValue,
}

impl Job {
    /// The payload as a typed kind.
    ///
    /// # Errors
    /// [`BadPayload`] when the job is of another kind or its payload does not have the kind's shape.
    pub fn decode<K: JobKind>(&self) -> Result<K::Payload, BadPayload> {
        let bad = |reason| BadPayload { kind: self.kind.clone(), id: self.id, reason };
        if self.kind != K::KIND {
            return Err(bad(format!("expected a job of kind {}", K::KIND)));
        }
        let mut json = serde_json::Deserializer::from_str(&self.payload);
        serde_path_to_error::deserialize(&mut json).map_err(|error| bad(shape(&error)))
    }
}

/// Where and of what sort a mismatch is, without the value, which is the user's.
fn shape(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let inner = error.inner();
    let sort = match inner.classify() {
        serde_json::error::Category::Data => "unexpected type or value",
        _ => "not JSON",
    };
    format!("{sort} at {} (line {}, column {})", error.path(), inner.line(), inner.column())
}

/// What users say is in the payload, and stays out of logs.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("queue", &self.queue)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("max_attempts", &self.max_attempts)
            .field("run_at", &self.run_at)
            .field("last_error", &self.last_error)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// How far an attempt is, in percent, shared between its handler and whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<AtomicU8>);

impl Progress {
    /// Says how far it is; above 100 is 100.
    pub fn set(&self, percent: u8) {
        self.0.store(percent.min(100), Ordering::Relaxed);
    }

    /// How far it is.
    pub fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a job came to, as its producer in another language reads it. Kept where the queue has a place for
/// it (BullMQ); Voicera's own record of a job is its handler's business.
#[derive(Debug, Clone, Default)]
pub struct ReturnValue(Arc<OnceLock<String>>);

impl ReturnValue {
    /// Says what it came to. The first word counts.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn set(&self, value: &impl Serialize) -> serde_json::Result<()> {
        let value = serde_json::to_string(value)?;
        let _ = self.0.set(value);
        Ok(())
    }

    /// JSON text, if anything was said.
    pub fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// Ties the name of a kind to the shape of its payload.
pub trait JobKind {
    /// The name, as it is stored and as workers in other languages see it.
    const KIND: &'static str;
    /// The shape.
    type Payload: Serialize + DeserializeOwned;
}

/// A payload that cannot be written or read as its kind. Says where, never what was there.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the payload of job {id} ({kind}) is unusable: {reason}")]
pub struct BadPayload {
    /// The job's kind.
    pub kind: String,
    /// The job.
    pub id: JobId,
    /// What is wrong, and where.
    pub reason: String,
}
