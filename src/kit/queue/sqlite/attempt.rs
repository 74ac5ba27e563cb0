//! One attempt at one job: from the handler's word to what becomes of the job.

use std::sync::Arc;
use std::time::Duration;

use super::Core;
use super::ops::Unfinished;
use crate::kit::queue::attempt::{Verdict, backoff, judge};
use crate::kit::queue::metrics::AttemptOutcome;
use crate::kit::queue::{Handler, Job, JobState};

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
    let (outcome, back) = match judge(&*handler, &job).await {
        Verdict::Done => (AttemptOutcome::Completed, None),
        Verdict::Again { attempts, reason } => {
            (AttemptOutcome::Retried, Some(core.delayed(seq, &job, attempts, reason)))
        }
        Verdict::Dead { reason } => {
            let dead = Unfinished {
                seq,
                state: JobState::Failed,
                run_at: job.run_at.as_microsecond(),
                attempts: job.attempts.min(job.max_attempts),
                error: Some(reason),
            };
            (AttemptOutcome::Failed, Some(dead))
        }
    };
    let took = core.clock.now().duration_since(begun);
    metrics.ended(outcome, took.try_into().unwrap_or(Duration::ZERO));
    Landed { seq, back }
}

impl Core {
    /// The job again, after a pause.
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
