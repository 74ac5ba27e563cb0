//! How a queue behaves, and how one consumer of it does.

use std::time::Duration;

/// What holds for all queues of one store.
#[derive(Debug, Clone)]
pub struct QueueOptions {
    /// Attempts a job has unless it says otherwise.
    pub max_attempts: u32,
    /// The longest pause after the first failed attempt; it doubles with each further one.
    pub backoff_initial: Duration,
    /// The longest pause at all.
    pub backoff_max: Duration,
    /// How many may wait in one queue before [`QueueError::Full`](super::QueueError::Full).
    pub max_waiting: u64,
    /// What a caller is told then.
    pub full_retry_after: Duration,
    /// No other process opens this store: what is active when it is opened is left over from a
    /// process that died, and is taken back at once instead of when its lease expires.
    pub sole_owner: bool,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            backoff_initial: Duration::from_millis(500),
            backoff_max: Duration::from_mins(1),
            max_waiting: 1_000_000,
            full_retry_after: Duration::from_secs(5),
            sole_owner: true,
        }
    }
}

/// What holds for one call of [`Queue::consume`](super::Queue::consume).
#[derive(Debug, Clone)]
pub struct ConsumeOptions {
    /// Jobs worked on at the same time.
    pub concurrency: usize,
    /// How long a job is this consumer's without a sign of life. Longer jobs are renewed in time.
    pub lease: Duration,
    /// How long jobs in flight may go on after the shutdown.
    pub grace: Duration,
}

impl Default for ConsumeOptions {
    fn default() -> Self {
        Self { concurrency: 32, lease: Duration::from_secs(30), grace: Duration::from_secs(20) }
    }
}
