//! What a queue tells about itself, the same for every implementation.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Unit};

use super::{Depth, JobState};

const JOBS: &str = "voicera_queue_jobs";
const OLDEST: &str = "voicera_queue_oldest_waiting_seconds";
const ATTEMPTS: &str = "voicera_queue_attempts_total";
const DURATION: &str = "voicera_queue_job_duration_seconds";
const WAIT: &str = "voicera_queue_wait_seconds";

/// Names and units for the recorder; call once it is installed.
pub fn describe() {
    metrics::describe_gauge!(JOBS, "Jobs in the queue, by state");
    metrics::describe_gauge!(OLDEST, Unit::Seconds, "Age of the job that has been waiting longest");
    metrics::describe_counter!(ATTEMPTS, "Attempts that ended, by outcome");
    metrics::describe_histogram!(DURATION, Unit::Seconds, "Time one attempt took");
    metrics::describe_histogram!(WAIT, Unit::Seconds, "Time from when a job might run to when it did");
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Done; the job is removed.
    Completed,
    /// Failed; the job will be tried again.
    Retried,
    /// Failed; the job is dead.
    Failed,
    /// Interrupted by the shutdown; the job waits again.
    Returned,
}

/// One queue's series, looked up once: open the queue after the recorder is installed.
#[derive(Debug, Clone)]
pub struct QueueMetrics {
    states: [(JobState, Gauge); 4],
    oldest: Gauge,
    outcomes: [Counter; 4],
    duration: Histogram,
    wait: Histogram,
}

impl QueueMetrics {
    /// The series of `queue`.
    pub fn of(queue: &str) -> Self {
        let queue = queue.to_owned();
        let states = [JobState::Waiting, JobState::Active, JobState::Delayed, JobState::Failed];
        Self {
            states: states.map(|state| {
                (state, metrics::gauge!(JOBS, "queue" => queue.clone(), "state" => state.as_str()))
            }),
            oldest: metrics::gauge!(OLDEST, "queue" => queue.clone()),
            outcomes: ["completed", "retried", "failed", "returned"]
                .map(|outcome| metrics::counter!(ATTEMPTS, "queue" => queue.clone(), "outcome" => outcome)),
            duration: metrics::histogram!(DURATION, "queue" => queue.clone()),
            wait: metrics::histogram!(WAIT, "queue" => queue),
        }
    }

    /// Sets the gauges of the states.
    pub fn jobs(&self, depth: &Depth) {
        for (state, gauge) in &self.states {
            gauge.set(lossy(match state {
                JobState::Waiting => depth.waiting,
                JobState::Active => depth.active,
                JobState::Delayed => depth.delayed,
                JobState::Failed => depth.failed,
            }));
        }
    }

    /// Sets the age of the job that has been waiting longest; zero if none is.
    pub fn oldest_waiting(&self, age: Duration) {
        self.oldest.set(age.as_secs_f64());
    }

    /// A job is about to be handled, `waited` after it might have been.
    pub fn begun(&self, waited: Duration) {
        self.wait.record(waited.as_secs_f64());
    }

    /// An attempt ended, `took` after it began.
    pub fn ended(&self, outcome: AttemptOutcome, took: Duration) {
        self.outcomes[outcome as usize].increment(1);
        self.duration.record(took.as_secs_f64());
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge of more than 2^52 jobs may be off by one")]
fn lossy(count: u64) -> f64 {
    count as f64
}
