//! Counting for all processes, in one script call each.

use std::borrow::Cow;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use metrics::Gauge;

use super::local::Limiter;
use super::metrics::{DEGRADED, Decisions};
use super::{Quota, RateLimiter, Verdict};
use crate::kit::clock::SharedClock;
use crate::kit::redis::{Redis, RedisError, Script};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("give_back.lua")));

/// The Redis that limiters count on, and whether they can.
#[derive(Debug)]
pub(super) struct Sharing {
    redis: Redis,
    /// Whose time it is, unless the server's.
    time: Option<SharedClock>,
    alone: AtomicBool,
    degraded: Gauge,
}

impl Sharing {
    pub(super) fn on(redis: Redis) -> Self {
        let degraded = metrics::gauge!(DEGRADED);
        Self { redis, time: None, alone: AtomicBool::new(false), degraded }
    }

    /// Takes the time from `clock` instead of the server.
    #[cfg(test)]
    pub(super) fn timed_by(self, clock: SharedClock) -> Self {
        Self { time: Some(clock), ..self }
    }

    fn together(&self) {
        if self.alone.swap(false, Ordering::Relaxed) {
            tracing::info!("limits hold for all processes together again");
        }
        self.degraded.set(0.0);
    }

    fn alone(&self, error: &RedisError) {
        if !self.alone.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "limits hold for each process by itself until Redis is back");
        }
        self.degraded.set(1.0);
    }
}

/// A limiter whose counts are on Redis; without it, in this process.
#[derive(Debug)]
pub(super) struct RedisLimiter {
    sharing: Arc<Sharing>,
    name: Cow<'static, str>,
    quota: Quota,
    fallback: Limiter,
    decisions: Decisions,
}

impl RedisLimiter {
    pub(super) fn new(
        sharing: Arc<Sharing>,
        name: impl Into<Cow<'static, str>>,
        quota: Quota,
        clock: SharedClock,
    ) -> Self {
        let name = name.into();
        let fallback = Limiter::new(quota, clock);
        Self { sharing, decisions: Decisions::of(&name), name, quota, fallback }
    }

    fn key(&self, key: &str) -> String {
        self.sharing.redis.key("limits", key, &self.name)
    }

    async fn take_together(&self, key: &str) -> Result<Verdict, RedisError> {
        let (every, burst) = self.quota.costs();
        let now = self.sharing.time.as_ref().map(|clock| clock.now().as_microsecond().to_string());
        let arguments = (every, burst, now.unwrap_or_default());
        let answer = self.sharing.redis.run(&TAKE, slice::from_ref(&self.key(key)), arguments).await?;
        let (allowed, remaining, retry_after, reset_after): (bool, u32, u64, u64) = answer;
        Ok(Verdict {
            allowed,
            limit: self.quota.burst.max(1),
            remaining,
            retry_after: Duration::from_micros(retry_after),
            reset_after: Duration::from_micros(reset_after),
            degraded: false,
        })
    }
}

#[async_trait]
impl RateLimiter for RedisLimiter {
    async fn take(&self, key: &str) -> Verdict {
        let verdict = match self.take_together(key).await {
            Ok(verdict) => {
                self.sharing.together();
                verdict
            }
            Err(error) => {
                self.sharing.alone(&error);
                Verdict { degraded: true, ..self.fallback.take(key) }
            }
        };
        self.decisions.count(&verdict);
        verdict
    }

    async fn give_back(&self, key: &str, taken: Verdict) {
        if taken.degraded {
            return self.fallback.give_back(key);
        }
        let (every, _) = self.quota.costs();
        // One that can't be given back now is paid for by waiting.
        let given = self.sharing.redis.run::<i64>(&GIVE_BACK, slice::from_ref(&self.key(key)), every).await;
        if let Err(error) = given {
            tracing::debug!(%error, limit = %self.name, "what was taken is not given back");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use jiff::Timestamp;

    use super::super::conformance::conformance;
    use super::super::{Limiters, RateLimiter};
    use super::*;
    use crate::kit::clock::{ManualClock, SystemClock};
    use crate::kit::redis::stage::{at, fresh, until};
    use crate::servers;

    const QUOTA: Quota = Quota { burst: 3, every: Duration::from_mins(1) };

    conformance!(|quota, clock: SharedClock| {
        let sharing = Sharing::on(fresh()).timed_by(Arc::clone(&clock));
        RedisLimiter::new(Arc::new(sharing), "test", quota, clock)
    });

    fn process(redis: &Redis) -> Arc<dyn RateLimiter> {
        Limiters::on(redis.clone(), Arc::new(SystemClock)).limiter("test", QUOTA)
    }

    #[tokio::test]
    async fn processes_count_together_by_the_servers_time() {
        let redis = fresh();
        let (one, other) = (process(&redis), process(&redis));
        let verdicts = [one.take("ada").await, other.take("ada").await, one.take("ada").await];
        assert_eq!(verdicts.map(|verdict| verdict.remaining), [2, 1, 0]);
        let refused = other.take("ada").await;
        assert!(!refused.allowed && !refused.degraded);
        assert!(refused.retry_after > Duration::from_secs(50), "{refused:?}");
        other.give_back("ada", verdicts[0]).await;
        assert!(one.take("ada").await.allowed);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_who_has_stayed_away() {
        let redis = fresh();
        let quota = Quota { burst: 5, every: Duration::from_millis(10) };
        let limiter = Limiters::on(redis.clone(), Arc::new(SystemClock)).limiter("test", quota);
        limiter.take("ada").await;
        let key = redis.key("limits", "ada", "test");
        let exists = deadpool_redis::redis::Cmd::exists(&key);
        until("the key expires", async || (!redis.query::<bool>(&exists).await.unwrap()).then_some(())).await;
    }

    #[tokio::test]
    async fn without_redis_each_process_counts_by_itself_and_says_so_until_it_is_back() {
        let mut server = servers::redis();
        let (one, other) = (process(&at(&server)), process(&at(&server)));
        assert!(!one.take("ada").await.degraded);
        server.kill9();
        let mut allowed = AtomicUsize::new(0);
        for limiter in [&one, &other] {
            for _ in 0..10 {
                let verdict = limiter.take("ada").await;
                assert!(verdict.degraded);
                *allowed.get_mut() += usize::from(verdict.allowed);
            }
        }
        assert_eq!(allowed.into_inner(), 6, "a burst in each");
        let taken = one.take("bob").await;
        server.start();
        let verdict = until("they count together", async || {
            Some(one.take("ada").await).filter(|verdict| !verdict.degraded)
        });
        assert_eq!(verdict.await.remaining, 1, "the server remembers what was taken before");
        one.give_back("bob", taken).await;
        assert_eq!(other.take("bob").await.remaining, 2, "what was taken here is not given back there");
    }

    #[tokio::test]
    async fn a_redis_that_hangs_holds_up_no_more_than_one_call() {
        let server = servers::redis();
        let limiter = process(&at(&server));
        limiter.take("ada").await;
        server.pause();
        let begun = tokio::time::Instant::now();
        for _ in 0..1_000 {
            assert!(limiter.take("ada").await.degraded);
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        server.resume();
        until("it counts together", async || (!limiter.take("bob").await.degraded).then_some(())).await;
    }

    #[tokio::test]
    async fn a_clock_that_was_ahead_keeps_nobody_out_for_longer_than_a_burst() {
        let redis = fresh();
        let at =
            |seconds| -> SharedClock { Arc::new(ManualClock::at(Timestamp::from_second(seconds).unwrap())) };
        let process = |clock: SharedClock| {
            let sharing = Sharing::on(redis.clone()).timed_by(Arc::clone(&clock));
            RedisLimiter::new(Arc::new(sharing), "test", QUOTA, clock)
        };
        process(at(1_000_000)).take("ada").await;
        let verdict = process(at(0)).take("ada").await;
        assert_eq!((verdict.allowed, verdict.retry_after), (false, Duration::from_mins(1)));
    }
}
