//! How often something may be done: the generic cell rate algorithm, in this process.
//!
//! A [`Quota`] lets so many come at once and one more every so often. What was taken can be given
//! back: who limits failures takes before the try and gives back after a success, so that tries that
//! run side by side count, too.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use jiff::SignedDuration;
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::kit::clock::SharedClock;

/// Keys that a limiter remembers; those that have not come for longest are forgotten first.
const REMEMBERED: u64 = 100_000;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// So many at once.
    pub burst: u32,
    /// And one more every so often.
    pub every: Duration,
}

/// Applies one quota to each key by itself.
pub struct Limiter<K> {
    quota: Quota,
    clock: SharedClock,
    /// For each key, when everything that was taken is paid for, in microseconds since 1970.
    paid_at: Cache<K, i64>,
}

impl<K: Hash + Eq + Send + Sync + Clone + 'static> Limiter<K> {
    /// A limiter that knows nobody yet.
    pub fn new(quota: Quota, clock: SharedClock) -> Self {
        let whole = quota.every.saturating_mul(quota.burst.max(1));
        let paid_at = Cache::builder()
            .max_capacity(REMEMBERED)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(whole.max(Duration::from_secs(1)))
            .build();
        Self { quota, clock, paid_at }
    }

    /// Takes one for `key`.
    ///
    /// # Errors
    /// How long until there is one again.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        let (now, every, whole) = self.figures();
        let taken = self.paid_at.entry(key).and_compute_with(|known| {
            let paid_at = known.map_or(now, moka::Entry::into_value).max(now);
            if paid_at - now > whole - every { Op::Nop } else { Op::Put(paid_at + every) }
        });
        match taken {
            CompResult::Unchanged(entry) => {
                let wait = entry.into_value() - now - (whole - every);
                Err(Duration::from_micros(wait.max(1).unsigned_abs()))
            }
            _ => Ok(()),
        }
    }

    /// Gives back one that was taken for `key`.
    pub fn give_back(&self, key: K) {
        let (_, every, _) = self.figures();
        self.paid_at.entry(key).and_compute_with(|known| match known {
            Some(entry) => Op::Put(entry.into_value() - every),
            None => Op::Nop,
        });
    }

    /// Now, the time that one costs and that of a whole burst, in microseconds.
    fn figures(&self) -> (i64, i64, i64) {
        let every = SignedDuration::try_from(self.quota.every).unwrap_or(SignedDuration::MAX);
        let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX / 4096).max(1);
        let whole = every.saturating_mul(i64::from(self.quota.burst.max(1)));
        (self.clock.now().as_microsecond(), every, whole)
    }
}

impl<K> fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("quota", &self.quota).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kit::clock::ManualClock;
    use jiff::Timestamp;

    fn limiter(burst: u32) -> (Limiter<&'static str>, ManualClock) {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let quota = Quota { burst, every: Duration::from_secs(10) };
        (Limiter::new(quota, Arc::new(clock.clone())), clock)
    }

    #[test]
    fn a_burst_may_come_at_once_and_one_more_every_so_often() {
        let (limiter, clock) = limiter(3);
        for _ in 0..3 {
            limiter.take("ada").unwrap();
        }
        assert_eq!(limiter.take("ada"), Err(Duration::from_secs(10)));
        limiter.take("bob").unwrap();
        clock.advance(SignedDuration::from_secs(4));
        assert_eq!(limiter.take("ada"), Err(Duration::from_secs(6)));
        clock.advance(SignedDuration::from_secs(6));
        limiter.take("ada").unwrap();
        limiter.take("ada").unwrap_err();
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (limiter, _) = limiter(1);
        limiter.take("ada").unwrap();
        limiter.give_back("ada");
        limiter.take("ada").unwrap();
        limiter.take("ada").unwrap_err();
        limiter.give_back("nobody");
    }

    #[test]
    fn who_waits_long_gets_a_burst_and_no_more() {
        let (limiter, clock) = limiter(2);
        limiter.take("ada").unwrap();
        clock.advance(SignedDuration::from_hours(1));
        limiter.take("ada").unwrap();
        limiter.take("ada").unwrap();
        limiter.take("ada").unwrap_err();
    }
}
