//! Counting in this process.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::metrics::Decisions;
use super::{Quota, RateLimiter, Verdict};
use crate::kit::clock::SharedClock;

/// Keys that a limiter remembers; those that have not come for longest are forgotten first.
const REMEMBERED: u64 = 100_000;

/// Applies one quota to each key by itself, and never waits.
pub(super) struct Limiter {
    quota: Quota,
    clock: SharedClock,
    /// For each key, when everything that was taken is paid for, in microseconds since 1970.
    paid_at: Cache<String, i64>,
}

impl Limiter {
    /// A limiter that knows nobody yet.
    pub(super) fn new(quota: Quota, clock: SharedClock) -> Self {
        let whole = quota.every.saturating_mul(quota.burst.max(1));
        let paid_at = Cache::builder()
            .max_capacity(REMEMBERED)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(whole.max(Duration::from_secs(1)))
            .build();
        Self { quota, clock, paid_at }
    }

    /// Takes one for `key`.
    pub(super) fn take(&self, key: &str) -> Verdict {
        let (every, burst) = self.quota.costs();
        let now = self.clock.now().as_microsecond();
        let taken = self.paid_at.entry_by_ref(key).and_compute_with(|known| {
            let paid_at = known.map_or(now, moka::Entry::into_value).max(now);
            if paid_at - now > burst - every { Op::Nop } else { Op::Put(paid_at + every) }
        });
        let (allowed, paid_at) = match taken {
            CompResult::Unchanged(entry) => (false, entry.into_value()),
            CompResult::Inserted(entry) | CompResult::ReplacedWith(entry) => (true, entry.into_value()),
            // Nothing is ever removed by it.
            CompResult::StillNone(_) | CompResult::Removed(_) => (true, now + every),
        };
        let room = now + burst - paid_at;
        let micros = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        Verdict {
            allowed,
            limit: self.quota.burst.max(1),
            remaining: u32::try_from(room / every).unwrap_or(0),
            retry_after: if allowed { Duration::ZERO } else { micros(every - room) },
            reset_after: micros(paid_at - now),
            degraded: false,
        }
    }

    /// Gives back one that was taken for `key`.
    pub(super) fn give_back(&self, key: &str) {
        let (every, _) = self.quota.costs();
        self.paid_at.entry_by_ref(key).and_compute_with(|known| match known {
            Some(entry) => Op::Put(entry.into_value() - every),
            None => Op::Nop,
        });
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("quota", &self.quota).finish_non_exhaustive()
    }
}

/// A limiter for who asks whichever there is.
#[derive(Debug)]
pub(super) struct LocalLimiter {
    limiter: Limiter,
    decisions: Decisions,
}

impl LocalLimiter {
    pub(super) fn new(name: &str, quota: Quota, clock: SharedClock) -> Self {
        Self { limiter: Limiter::new(quota, clock), decisions: Decisions::of(name) }
    }
}

#[async_trait]
impl RateLimiter for LocalLimiter {
    async fn take(&self, key: &str) -> Verdict {
        let verdict = self.limiter.take(key);
        self.decisions.count(&verdict);
        verdict
    }

    async fn give_back(&self, key: &str, _: Verdict) {
        self.limiter.give_back(key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::conformance;
    use super::*;

    conformance!(|quota, clock| LocalLimiter::new("test", quota, clock));
}
