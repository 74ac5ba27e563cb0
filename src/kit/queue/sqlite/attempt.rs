//! One attempt at one job: from the handler's word to what becomes of the job.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::Core;
use super::ops::Unfinished;
use crate::kit::queue::metrics::AttemptOutcome;
use crate::kit::queue::{Failure, Handler, Job, JobState};

/// How often [`Handler::exhausted`] may fail, or take the process with it, before the job is dead
/// without it.
const FAREWELLS: u32 = 10;

/// What became of a job.
pub(super) struct Landed {
    pub(super) seq: i64,
    /// How it goes back; absent when it is done.
    pub(super) back: Option<Unfinished>,
}

/// Hands `job` to `handler`, whatever it does with it.
pub(super) async fn run(core: Arc<Core>, handler: Arc<dyn Handler>, seq: i64, job: Job) -> Landed {
    let begun = core.clock.now();
    let metrics = core.lanes.of(&job.queue);
    let metrics = metrics.metrics();
    metrics.begun(begun.duration_since(job.run_at).try_into().unwrap_or(Duration::ZERO));
    let back = attempt(&core, &*handler, seq, &job).await;
    let outcome = match &back {
        None => AttemptOutcome::Completed,
        Some(back) if back.state == JobState::Failed => AttemptOutcome::Failed,
        Some(_) => AttemptOutcome::Retried,
    };
    let took = core.clock.now().duration_since(begun);
    metrics.ended(outcome, took.try_into().unwrap_or(Duration::ZERO));
    Landed { seq, back }
}

async fn attempt(core: &Core, handler: &dyn Handler, seq: i64, job: &Job) -> Option<Unfinished> {
    // Attempts beyond the last are only for telling the handler that they are used up.
    let reason = if job.attempts > job.max_attempts {
        job.last_error.clone().unwrap_or_else(|| "the attempts are used up".to_owned())
    } else {
        let failure = match AssertUnwindSafe(handler.handle(job)).catch_unwind().await {
            Ok(Ok(())) => return None,
            Ok(Err(failure)) => failure,
            Err(panic) => Failure::Retry(format!("the handler panicked: {}", words(&*panic))),
        };
        match failure {
            Failure::Retry(reason) if job.attempts < job.max_attempts => {
                tracing::debug!(job = %job.id, attempt = job.attempts, reason, "an attempt failed");
                return Some(core.delayed(seq, job, job.attempts, reason));
            }
            Failure::Retry(reason) | Failure::Fatal(reason) => reason,
        }
    };
    let told = match AssertUnwindSafe(handler.exhausted(job, &reason)).catch_unwind().await {
        Ok(told) => told,
        Err(panic) => Err(format!("the handler panicked: {}", words(&*panic))),
    };
    match told {
        Err(trouble) if job.attempts < job.max_attempts.saturating_add(FAREWELLS) => {
            tracing::warn!(job = %job.id, trouble, "could not report a failed job; trying again");
            // No attempt is left, so next time it is only this again.
            Some(core.delayed(seq, job, job.attempts.max(job.max_attempts), reason))
        }
        told => {
            if let Err(trouble) = told {
                tracing::error!(job = %job.id, trouble, "a job is dead, and its handler could not be told");
            }
            tracing::warn!(job = %job.id, kind = job.kind, reason, "a job is dead");
            Some(Unfinished {
                seq,
                state: JobState::Failed,
                run_at: job.run_at.as_microsecond(),
                attempts: job.attempts.min(job.max_attempts),
                error: Some(reason),
            })
        }
    }
}

impl Core {
    /// The job again, after a pause drawn evenly from zero to a bound that doubles each time ("full
    /// jitter": jobs that failed together do not come back together).
    fn delayed(&self, seq: i64, job: &Job, attempts: u32, reason: String) -> Unfinished {
        let bound = backoff(self.options.backoff_initial, self.options.backoff_max, job.attempts);
        let pause = bound.mul_f64(self.entropy.unit());
        let run_at = self.clock.now().saturating_add(pause).unwrap_or(jiff::Timestamp::MAX);
        Unfinished {
            seq,
            state: if pause.is_zero() { JobState::Waiting } else { JobState::Delayed },
            run_at: run_at.as_microsecond(),
            attempts,
            error: Some(reason),
        }
    }
}

/// The longest pause after `attempts` failed attempts.
fn backoff(initial: Duration, max: Duration, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    initial.saturating_mul(1 << doublings).min(max)
}

/// What a panic said, if it said it in words.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let (initial, max) = (Duration::from_millis(500), Duration::from_mins(1));
        let pauses = [1, 2, 3, 7, 8, 9, u32::MAX].map(|attempts| backoff(initial, max, attempts).as_millis());
        assert_eq!(pauses, [500, 1_000, 2_000, 32_000, 60_000, 60_000, 60_000]);
    }
}
