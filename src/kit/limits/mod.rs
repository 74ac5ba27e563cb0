//! How often something may be done: the generic cell rate algorithm.
//!
//! A [`Quota`] lets so many come at once and one more every so often. What was taken can be given
//! back: who limits failures takes before the try and gives back after a success, so that tries that
//! run side by side count, too.
//!
//! A [`RateLimiter`] counts in this process or for all processes on Redis: where, say the [`Limiters`].
//! While Redis is away each process counts by itself, so that a limit holds for each of them alone;
//! [`Verdict::degraded`] says so, and so do a metric and the log.

#[cfg(test)]
mod conformance;
mod local;
pub mod metrics;
mod redis;

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::kit::clock::SharedClock;
use crate::kit::redis::Redis;
use local::LocalLimiter;
use redis::{RedisLimiter, Sharing};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// So many at once.
    pub burst: u32,
    /// And one more every so often.
    pub every: Duration,
}

impl Quota {
    /// What one costs, and a whole burst, in microseconds. Bounded, so that an instant in microseconds
    /// since 1970 and a burst are together exact in a floating-point number, which is what Lua has.
    fn costs(&self) -> (i64, i64) {
        const MOST: i64 = 1 << 50;
        let burst = i64::from(self.burst.max(1));
        let every = i64::try_from(self.every.as_micros()).unwrap_or(MOST).clamp(1, MOST / burst);
        (every, every * burst)
    }
}

/// What a limiter says to one that wants to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may.
    pub allowed: bool,
    /// How many may come at once, at most: the quota's burst.
    pub limit: u32,
    /// How many more may come now.
    pub remaining: u32,
    /// How long until one may come; zero if this one may.
    pub retry_after: Duration,
    /// How long until a whole burst may come again.
    pub reset_after: Duration,
    /// Whether this process counted by itself although it should not have had to.
    pub degraded: bool,
}

impl Verdict {
    /// For callers that only want to know whether, and when if not.
    ///
    /// # Errors
    /// How long until one may come.
    pub fn check(self) -> Result<(), Duration> {
        if self.allowed { Ok(()) } else { Err(self.retry_after) }
    }
}

/// Applies one quota to each key by itself.
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync {
    /// Takes one for `key`, a short name such as an address or a hash.
    async fn take(&self, key: &str) -> Verdict;

    /// Gives back the one that was `taken` for `key`.
    async fn give_back(&self, key: &str, taken: Verdict);
}

/// Where limiters come from: all of a process count in the same place.
#[derive(Debug, Clone)]
pub struct Limiters {
    clock: SharedClock,
    shared: Option<Arc<Sharing>>,
}

impl Limiters {
    /// Limiters that count in this process.
    pub fn in_process(clock: SharedClock) -> Self {
        Self { clock, shared: None }
    }

    /// Limiters that count for all processes on this Redis, by its time.
    pub fn on(redis: Redis, clock: SharedClock) -> Self {
        Self { clock, shared: Some(Arc::new(Sharing::on(redis))) }
    }

    /// A limiter of this quota. `name` tells its counts from those of others.
    pub fn limiter(&self, name: impl Into<Cow<'static, str>>, quota: Quota) -> Arc<dyn RateLimiter> {
        let name = name.into();
        match &self.shared {
            Some(shared) => Arc::new(RedisLimiter::new(Arc::clone(shared), name, quota, self.clock.clone())),
            None => Arc::new(LocalLimiter::new(&name, quota, self.clock.clone())),
        }
    }
}
