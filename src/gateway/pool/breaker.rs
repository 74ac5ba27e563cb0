//! Leaves an upstream alone that fails, and asks now and then whether it is back.
//!
//! The rules stand at [`BreakerOptions`]. One call at a time is let through once the breaker has been open
//! for long enough; its success closes the breaker, its failure opens it again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::Gauge;
use tokio::time::Instant;

use super::options::BreakerOptions;
use super::state::BreakerState;

/// The window slides by so many steps.
const STEPS: usize = 10;

/// The breaker of one upstream.
#[derive(Debug)]
pub(super) struct Breaker {
    rules: BreakerOptions,
    upstream: String,
    began: Instant,
    /// Whether to look at `inner.open` before a call.
    closed: AtomicBool,
    inner: Mutex<Inner>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Inner {
    steps: [Step; STEPS],
    open: Option<Open>,
}

/// The calls within one step of the window.
#[derive(Debug, Default, Clone, Copy)]
struct Step {
    number: u64,
    calls: u32,
    failures: u32,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    /// A call is under way to see whether the upstream is back.
    asking: bool,
}

impl Breaker {
    pub(super) fn new(upstream: &str, rules: BreakerOptions) -> Self {
        let gauge = metrics::gauge!(super::BREAKER_OPEN, "upstream" => upstream.to_owned());
        gauge.set(0.0);
        Self {
            rules,
            upstream: upstream.to_owned(),
            began: Instant::now(),
            closed: AtomicBool::new(true),
            inner: Mutex::default(),
            gauge,
        }
    }

    /// Leave for one call.
    ///
    /// # Errors
    /// When to come back.
    pub(super) fn admit(&self, now: Instant) -> Result<Admission<'_>, Duration> {
        if !self.closed.load(Ordering::Relaxed)
            && let Some(open) = &mut self.inner().open
        {
            if open.asking || now < open.until {
                return Err(open.until.saturating_duration_since(now));
            }
            open.asking = true;
            return Ok(Admission { breaker: self, asks: true, settled: false });
        }
        Ok(Admission { breaker: self, asks: false, settled: false })
    }

    /// There is reason to believe that the upstream is back: the next call may see.
    pub(super) fn ask_now(&self, now: Instant) {
        if let Some(open) = &mut self.inner().open {
            open.until = open.until.min(now);
        }
    }

    /// What it does with the next call.
    pub(super) fn state(&self, now: Instant) -> BreakerState {
        match &self.inner().open {
            None => BreakerState::Closed,
            Some(open) if now < open.until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    fn count(&self, failed: bool, now: Instant) {
        let mut inner = self.inner();
        // Who began before it opened says nothing new.
        if inner.open.is_some() {
            return;
        }
        let number = self.step(now);
        #[allow(clippy::cast_possible_truncation, reason = "below STEPS")]
        let step = &mut inner.steps[(number % STEPS as u64) as usize];
        if step.number != number {
            *step = Step { number, ..Step::default() };
        }
        step.calls = step.calls.saturating_add(1);
        if !failed {
            return;
        }
        step.failures = step.failures.saturating_add(1);
        let recent = inner.steps.iter().filter(|step| step.number + STEPS as u64 > number);
        let (calls, failures) = recent.fold((0_u64, 0_u64), |(calls, failures), step| {
            (calls + u64::from(step.calls), failures + u64::from(step.failures))
        });
        #[allow(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls within a window")]
        let enough = failures as f64 >= self.rules.failure_share * calls as f64;
        if calls >= u64::from(self.rules.minimum_calls) && enough {
            *inner = Inner {
                open: Some(Open { until: now + self.rules.open_for, asking: false }),
                ..Inner::default()
            };
            self.closed.store(false, Ordering::Relaxed);
            self.gauge.set(1.0);
            tracing::warn!(upstream = %self.upstream, calls, failures, "an upstream fails: it is left alone");
        }
    }

    fn step(&self, now: Instant) -> u64 {
        let width = (self.rules.window.as_nanos() / STEPS as u128).max(1);
        u64::try_from(now.duration_since(self.began).as_nanos() / width).unwrap_or(u64::MAX / 2)
    }

    /// The call that was let through to see is over; `None` if it showed nothing.
    fn answered(&self, succeeded: Option<bool>, now: Instant) {
        let mut inner = self.inner();
        let Some(open) = &mut inner.open else { return };
        open.asking = false;
        match succeeded {
            Some(true) => {
                inner.open = None;
                self.closed.store(true, Ordering::Relaxed);
                self.gauge.set(0.0);
                tracing::info!(upstream = %self.upstream, "an upstream is back");
            }
            Some(false) => open.until = now + self.rules.open_for,
            None => {}
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one call, which is to say how it went; otherwise it showed nothing.
#[derive(Debug)]
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    asks: bool,
    settled: bool,
}

impl Admission<'_> {
    /// The call is over.
    pub(super) fn settle(mut self, succeeded: bool, now: Instant) {
        self.settled = true;
        if self.asks {
            self.breaker.answered(Some(succeeded), now);
        } else {
            self.breaker.count(!succeeded, now);
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.asks && !self.settled {
            self.breaker.answered(None, self.breaker.began);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> (Breaker, Instant) {
        let rules = BreakerOptions {
            failure_share: 0.5,
            window: 10 * SECOND,
            minimum_calls: 4,
            open_for: 5 * SECOND,
        };
        let breaker = Breaker::new("test", rules);
        let began = breaker.began;
        (breaker, began)
    }

    fn calls(breaker: &Breaker, outcomes: &[bool], now: Instant) {
        for succeeded in outcomes {
            breaker.admit(now).unwrap().settle(*succeeded, now);
        }
    }

    #[test]
    fn it_opens_once_enough_calls_have_failed() {
        let (breaker, now) = breaker();
        calls(&breaker, &[false, false, false], now);
        assert_eq!(breaker.state(now), BreakerState::Closed, "three calls say nothing");
        calls(&breaker, &[false], now);
        assert_eq!(breaker.state(now), BreakerState::Open);
        assert_eq!(breaker.admit(now + SECOND).unwrap_err(), 4 * SECOND);
    }

    #[test]
    fn a_share_below_the_limit_leaves_it_closed() {
        let (breaker, now) = breaker();
        calls(&breaker, &[true, true, true, false, false, true, true, false], now);
        assert_eq!(breaker.state(now), BreakerState::Closed);
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let (breaker, now) = breaker();
        calls(&breaker, &[false, false, false], now);
        calls(&breaker, &[false], now + 11 * SECOND);
        assert_eq!(breaker.state(now + 11 * SECOND), BreakerState::Closed);
    }

    #[test]
    fn one_call_at_a_time_sees_whether_the_upstream_is_back() {
        let (breaker, now) = breaker();
        calls(&breaker, &[false; 4], now);
        let later = now + 5 * SECOND;
        assert_eq!(breaker.state(later), BreakerState::HalfOpen);
        let asks = breaker.admit(later).unwrap();
        assert!(breaker.admit(later).is_err(), "one is enough");
        asks.settle(false, later);
        assert_eq!(breaker.state(later), BreakerState::Open, "for another while");
        let again = later + 5 * SECOND;
        drop(breaker.admit(again).unwrap());
        breaker.admit(again).expect("who went away showed nothing").settle(true, again);
        assert_eq!(breaker.state(again), BreakerState::Closed);
        calls(&breaker, &[false, false, false], again);
        assert_eq!(breaker.state(again), BreakerState::Closed, "it begins anew");
    }

    #[test]
    fn good_news_shortens_the_wait() {
        let (breaker, now) = breaker();
        calls(&breaker, &[false; 4], now);
        breaker.ask_now(now + SECOND);
        calls(&breaker, &[true], now + SECOND);
        assert_eq!(breaker.state(now + SECOND), BreakerState::Closed);
    }
}
