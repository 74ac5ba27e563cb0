//! What an attempt comes to, the same for every implementation: the handler's word, a panic that counts
//! as a failure, and the farewell before a job is dead.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::{Failure, Handler, Job};

/// How often [`Handler::exhausted`] may fail, or take the process with it, before the job is dead
/// without it.
const FAREWELLS: u32 = 10;

/// What is to become of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is done.
    Done,
    /// It is to be tried again after a pause.
    Again {
        /// Attempts that it has behind it then.
        attempts: u32,
        /// Why this one failed.
        reason: String,
    },
    /// It is dead.
    Dead {
        /// Why the last attempt failed.
        reason: String,
    },
}

/// Hands `job` to `handler`, whatever it does with it.
pub(super) async fn judge(handler: &dyn Handler, job: &Job) -> Verdict {
    // Attempts beyond the last are only for telling the handler that they are used up.
    let reason = if job.attempts > job.max_attempts {
        job.last_error.clone().unwrap_or_else(|| "the attempts are used up".to_owned())
    } else {
        let failure = match caught(handler.handle(job)).await {
            Ok(Ok(())) => return Verdict::Done,
            Ok(Err(failure)) => failure,
            Err(panic) => Failure::Retry(panic),
        };
        match failure {
            Failure::Retry(reason) if job.attempts < job.max_attempts => {
                tracing::debug!(job = %job.id, attempt = job.attempts, reason, "an attempt failed");
                return Verdict::Again { attempts: job.attempts, reason };
            }
            Failure::Retry(reason) | Failure::Fatal(reason) => reason,
        }
    };
    farewell(handler, job, reason).await
}

async fn farewell(handler: &dyn Handler, job: &Job, reason: String) -> Verdict {
    match caught(handler.exhausted(job, &reason)).await.flatten() {
        Err(trouble) if job.attempts < job.max_attempts.saturating_add(FAREWELLS) => {
            tracing::warn!(job = %job.id, trouble, "could not report a failed job; trying again");
            // No attempt is left, so next time it is only this again.
            return Verdict::Again { attempts: job.attempts.max(job.max_attempts), reason };
        }
        Err(trouble) => {
            tracing::error!(job = %job.id, trouble, "a job is dead, and its handler could not be told");
        }
        Ok(()) => {}
    }
    tracing::warn!(job = %job.id, kind = job.kind, reason, "a job is dead");
    Verdict::Dead { reason }
}

/// The longest pause after `attempts` failed attempts; the pause itself is drawn evenly from zero to it
/// ("full jitter": jobs that failed together do not come back together).
pub(super) fn backoff(initial: Duration, max: Duration, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    initial.saturating_mul(1 << doublings).min(max)
}

/// What a handler's `work` comes to, or what it said when it panicked.
pub(super) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|panic| format!("the handler panicked: {}", words(&*panic)))
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
