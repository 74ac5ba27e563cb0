//! What an endpoint costs: how long it takes to answer, times how many wait for it already.
//!
//! The time is a moving average that follows a peak at once and forgets it slowly (peak EWMA, as
//! Finagle has it): who becomes slow is left alone sooner than one who was fast is trusted again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time in which a measurement loses most of its weight.
const DECAY: Duration = Duration::from_secs(10);
/// What is thought of an endpoint that nothing is known of, in seconds: little, so that it is tried.
pub(super) const UNKNOWN: f64 = 1e-4;
/// What a failure counts as: who fails at once is not to look fast.
const FAILED: Duration = Duration::from_secs(1);

/// One endpoint's load.
#[derive(Debug)]
pub(super) struct Load {
    waiting: AtomicUsize,
    average: Mutex<Average>,
}

#[derive(Debug)]
struct Average {
    seconds: f64,
    measured: Instant,
}

impl Average {
    /// The weight that is left of what was measured before.
    fn weight(&self, now: Instant) -> f64 {
        (-now.duration_since(self.measured).as_secs_f64() / DECAY.as_secs_f64()).exp()
    }
}

/// How a wait for an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Answered,
    /// There will be no answer, or none that is of use.
    Failed,
    /// Nobody waits for it any more.
    GivenUp,
}

impl Load {
    /// One that is expected to take `seconds`.
    pub(super) fn new(seconds: f64, now: Instant) -> Self {
        Self { waiting: AtomicUsize::new(0), average: Mutex::new(Average { seconds, measured: now }) }
    }

    /// What one more request is expected to cost. Who has not been asked for long is thought of as
    /// new, so that one slow answer does not keep an endpoint out for ever.
    pub(super) fn cost(&self, now: Instant) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 requests in flight")]
        let waiting = self.waiting() as f64;
        self.seconds(now) * (waiting + 1.0)
    }

    /// The time to an answer, in seconds.
    pub(super) fn seconds(&self, now: Instant) -> f64 {
        let average = self.average.lock().unwrap_or_else(PoisonError::into_inner);
        let weight = average.weight(now);
        average.seconds * weight + UNKNOWN * (1.0 - weight)
    }

    /// Requests that wait for their answer.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A request is on its way: it counts until [`Self::end`].
    pub(super) fn begin(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that took `took` does not wait any more.
    pub(super) fn end(&self, ended: Ended, took: Duration, now: Instant) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        match ended {
            Ended::Answered => self.measure(took, now),
            Ended::Failed => self.measure(took.max(FAILED), now),
            // It would have taken longer than this, nobody knows how much.
            Ended::GivenUp if took.as_secs_f64() > self.seconds(now) => self.measure(took, now),
            Ended::GivenUp => {}
        }
    }

    fn measure(&self, took: Duration, now: Instant) {
        let mut average = self.average.lock().unwrap_or_else(PoisonError::into_inner);
        let took = took.as_secs_f64();
        let weight = if took > average.seconds { 0.0 } else { average.weight(now) };
        *average = Average { seconds: average.seconds * weight + took * (1.0 - weight), measured: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_peak_counts_at_once_and_is_forgotten_slowly() {
        let start = Instant::now();
        let load = Load::new(UNKNOWN, start);
        load.measure(SECOND / 2, start + SECOND);
        assert!(load.cost(start + SECOND) > 0.49);
        load.measure(SECOND / 100, start + SECOND * 2);
        assert!(load.cost(start + SECOND * 2) > 0.4, "one fast answer is not enough");
        assert!(load.cost(start + SECOND * 120) < 0.02, "after a while it gets another chance");
    }

    #[test]
    fn who_is_waited_for_costs_more() {
        let now = Instant::now();
        let load = Load::new(UNKNOWN, now);
        let alone = load.cost(now);
        load.begin();
        load.begin();
        assert!(load.cost(now) > 2.9 * alone);
        load.end(Ended::GivenUp, Duration::ZERO, now);
        load.end(Ended::GivenUp, Duration::ZERO, now);
        assert!(load.cost(now) < 1.1 * alone);
    }

    #[test]
    fn who_fails_at_once_does_not_look_fast() {
        let now = Instant::now();
        let load = Load::new(UNKNOWN, now);
        load.begin();
        load.end(Ended::Failed, Duration::ZERO, now);
        assert!(load.cost(now) > 0.9);
    }

    #[test]
    fn who_is_given_up_soon_does_not_look_fast() {
        let now = Instant::now();
        let load = Load::new(1.0, now);
        load.begin();
        load.end(Ended::GivenUp, Duration::from_millis(1), now + SECOND);
        assert!(load.cost(now + SECOND) > 0.8);
        load.begin();
        load.end(Ended::GivenUp, 2 * SECOND, now + SECOND);
        assert!(load.cost(now + SECOND) > 1.9, "it takes at least as long as was waited for it");
    }
}
