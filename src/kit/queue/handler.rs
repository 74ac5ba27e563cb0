//! Who does the work.

use async_trait::async_trait;

use super::{BadPayload, Job};

/// Does the jobs of a queue. It may be called for the same job more than once, also at the same time
/// if a process was suspended for longer than its lease, so what it does must bear repetition.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Does one attempt. When it returns `Ok` the job is removed. A panic is [`Failure::Retry`].
    async fn handle(&self, job: &Job) -> Result<(), Failure>;

    /// `job` will not be tried again, because of `reason`; called before it becomes dead, so that its
    /// owner can be told.
    ///
    /// # Errors
    /// Why that was not possible: it will be called again, with backoff.
    async fn exhausted(&self, job: &Job, reason: &str) -> Result<(), String>;

    /// A worker in another language did `job`, which Voicera had accepted, and returned `value`, JSON
    /// text. The job is removed when this returns `Ok`.
    ///
    /// # Errors
    /// Why that could not be written down: it will be called again.
    async fn done_elsewhere(&self, job: &Job, value: &str) -> Result<(), String> {
        tracing::debug!(job = %job.id, bytes = value.len(), "a job was done by another program's worker");
        Ok(())
    }
}

/// Why an attempt failed, in words for the operator: no secret, nothing of the payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Another attempt may succeed.
    #[error("{0}")]
    Retry(String),
    /// No attempt will.
    #[error("{0}")]
    Fatal(String),
}

/// What could not be read once cannot be read the second time.
impl From<BadPayload> for Failure {
    fn from(error: BadPayload) -> Self {
        Self::Fatal(error.to_string())
    }
}
