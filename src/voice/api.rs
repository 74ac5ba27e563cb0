//! The voice module's contract, and the shapes that its clients see.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::kit::error::ApiError;
use crate::kit::health::Probe;
use crate::kit::ids::{JobId, UserId};

/// What other modules may ask of voice. Everything else goes through its public API.
#[async_trait]
pub trait Voice: Probe {
    /// What is kept of somebody, newest first, a page at a time: `after` is the `next` of the page
    /// before. A command that waits is in it as soon as it is done.
    ///
    /// # Errors
    /// 422 for an `after` that no page gave, 503 when it can't be read now.
    async fn export(&self, user: UserId, after: Option<String>) -> Result<ExportPage, ApiError>;

    /// Forgets it: what was said, what was answered, the figures, and what waits to be answered. A
    /// command that is being answered right now is kept when it is done: ask again later.
    ///
    /// # Errors
    /// 503 when it can't be done now, or not to its end; what was removed by then is gone.
    async fn erase(&self, user: UserId) -> Result<(), ApiError>;
}

/// A page of what is kept of somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportPage {
    /// Commands that are done, newest first.
    pub commands: Vec<Command>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// The body of the contract call `export`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ExportRequest {
    /// Whose.
    pub(super) user: UserId,
    /// `next` of the page before.
    pub(super) after: Option<String>,
}

/// The body of the contract call `erase`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EraseRequest {
    /// Whose.
    pub(super) user: UserId,
}

/// Where the contract calls are served, inside the installation only.
pub(super) const EXPORT: &str = "/internal/voice/export";
/// Likewise.
pub(super) const ERASE: &str = "/internal/voice/erase";

/// The intent on the wire when nothing was understood well enough.
pub const NONE: &str = "none";

/// Which tier answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The trained model on this machine.
    Local,
    /// A language model.
    Llm,
    /// An earlier answer to the same command.
    Cache,
    /// A worker of another program's, on the same queue.
    Worker,
}

impl Source {
    /// The word on the wire, in the store and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Llm => "llm",
            Self::Cache => "cache",
            Self::Worker => "worker",
        }
    }
}

/// How a job stands, in the words that existing clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted, not begun.
    Waiting,
    /// Being worked on.
    Active,
    /// Waiting for its time: after a failed attempt.
    Delayed,
    /// Answered.
    Completed,
    /// Given up, or cancelled; `error` says why.
    Failed,
}

/// A piece of the command that means something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    /// Its type: `date`, `duration`, `subject` …
    #[schema(example = "date")]
    pub entity: String,
    /// What it stands for; dates and times as RFC 3339, durations as ISO 8601.
    #[schema(example = "2026-11-24")]
    pub value: Value,
    /// The words as they were said.
    #[schema(example = "tomorrow")]
    pub text: String,
    /// First code point of `text` in the command; absent when the words are not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 21)]
    pub start: Option<usize>,
    /// One past the last code point.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 29)]
    pub end: Option<usize>,
    /// 0 to 1.
    #[schema(example = 1.0)]
    pub confidence: f32,
    /// The part that it plays, when the type can play several: `from`, `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which of several groups it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageTimes {
    /// From acceptance to the start of the work.
    #[schema(example = 0.4)]
    pub queue_ms: f64,
    /// In the trained model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.06)]
    pub local_ms: Option<f64>,
    /// In the language model, retries included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm_ms: Option<f64>,
}

/// What was understood, and the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandResult {
    /// The intent, or `none`.
    #[schema(example = "get_assignments")]
    pub intent: String,
    /// How sure, 0 to 1.
    #[schema(example = 0.97)]
    pub confidence: f32,
    /// The language that was heard, as a BCP 47 tag.
    #[schema(example = "en")]
    pub language: String,
    /// The pieces that mean something, in their order.
    pub entities: Vec<Entity>,
    /// The answer in words; absent when no tier has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Let's look at what is due.")]
    pub reply: Option<String>,
    /// Which tier answered.
    pub source: Source,
    /// True when a better tier was wanted and failed.
    pub degraded: bool,
    /// The version of the trained model.
    #[schema(example = "5f0c1d9a7b3e")]
    pub model_version: String,
    /// The language model that answered, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm_model: Option<String>,
    /// From acceptance to the answer.
    #[schema(example = 0.9)]
    pub processing_time_ms: f64,
    /// Where the time went.
    pub stages: StageTimes,
}

/// The code of a command that its owner cancelled.
pub const CANCELLED: &str = "cancelled";

/// Why a command has no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandError {
    /// `cancelled` or `failed`.
    #[schema(example = "cancelled")]
    pub code: String,
    /// For people.
    #[schema(example = "cancelled by its owner")]
    pub message: String,
}

/// A command that is done: one entry of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// The id under which it was accepted.
    pub job_id: JobId,
    /// Whose it is.
    pub user_id: UserId,
    /// The conversation that it belongs to, in the client's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What was said.
    #[schema(example = "when is my next assignment due")]
    pub command: String,
    /// `completed` or `failed`.
    pub status: Status,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was done.
    pub completed_at: Timestamp,
    /// The answer, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<CommandResult>,
    /// Why not, when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<CommandError>,
    /// What was asked, all of it, as a hash: tells a repeated request from another one.
    #[serde(skip)]
    pub fingerprint: Fingerprint,
}

/// The SHA-256 of a request.
pub type Fingerprint = [u8; 32];

impl Command {
    /// Whether nothing will change it any more: answered, or cancelled. One that was given up can
    /// still be tried again.
    pub fn is_final(&self) -> bool {
        self.status == Status::Completed || self.error.as_ref().is_some_and(|error| error.code == CANCELLED)
    }
}
