//! Time, injected.
//!
//! Nothing in Voicera asks the operating system for the time by itself: whoever needs it holds a
//! [`Clock`]. A test that is about expiry moves a [`ManualClock`] and never sleeps.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Where a component reads the time, and waits for it to come.
pub trait Clock: Debug + Send + Sync {
    /// The current instant, UTC.
    fn now(&self) -> Timestamp;

    /// Resolves once [`Clock::now`] has reached `deadline`; at once if it already has.
    fn sleep_until(&self, deadline: Timestamp) -> BoxFuture<'static, ()>;
}

/// The one form in which components keep a clock.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep_until(&self, deadline: Timestamp) -> BoxFuture<'static, ()> {
        let wait = deadline.duration_since(self.now());
        let wait = wait.try_into().unwrap_or(std::time::Duration::ZERO);
        Box::pin(tokio::time::sleep(wait))
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<watch::Sender<Timestamp>>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self { now: Arc::new(watch::Sender::new(start)) }
    }

    /// Moves the clock forward and wakes everybody whose time has come. Saturates at the end of time.
    pub fn advance(&self, by: SignedDuration) {
        self.now.send_modify(|now| *now = now.saturating_add(by).unwrap_or(Timestamp::MAX));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, deadline: Timestamp) -> BoxFuture<'static, ()> {
        let mut seen = self.now.subscribe();
        Box::pin(async move {
            // The sender lives as long as the clock; a clock that is gone never reaches the deadline.
            if seen.wait_for(|now| *now >= deadline).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_manual_clock_passes_its_deadline() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let mut sleeper = clock.sleep_until(clock.now() + SignedDuration::from_secs(60));

        clock.advance(SignedDuration::from_secs(59));
        assert!(futures_util::poll!(&mut sleeper).is_pending());

        clock.advance(SignedDuration::from_secs(1));
        assert!(futures_util::poll!(&mut sleeper).is_ready());
    }

    #[tokio::test]
    async fn a_deadline_in_the_past_is_no_wait() {
        let past = SystemClock.now() - SignedDuration::from_secs(1);
        assert!(
            futures_util::poll!(SystemClock.sleep_until(past)).is_ready() || {
                SystemClock.sleep_until(past).await;
                true
            }
        );
    }
}
