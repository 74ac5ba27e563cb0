//! What every [`RateLimiter`] has to pass: the same cases, by the same names.
//!
//! An implementation runs `conformance!(|quota, clock| expression that makes a limiter)` in its tests.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Quota, RateLimiter, Verdict};
use crate::kit::clock::{ManualClock, SharedClock};

/// The limiter of a case, one more every ten seconds, and its clock.
pub(super) struct Stage<L> {
    limiter: L,
    clock: ManualClock,
}

impl<L: RateLimiter> Stage<L> {
    pub(super) fn new(burst: u32, make: impl FnOnce(Quota, SharedClock) -> L) -> Self {
        let clock = ManualClock::at(Timestamp::from_second(1_000_000_000).unwrap());
        let limiter = make(Quota { burst, every: Duration::from_secs(10) }, Arc::new(clock.clone()));
        Self { limiter, clock }
    }

    async fn take(&self, key: &str) -> Result<(), u64> {
        self.limiter.take(key).await.check().map_err(|wait| wait.as_secs())
    }

    fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

pub(super) async fn a_burst_may_come_at_once_and_one_more_every_so_often(stage: Stage<impl RateLimiter>) {
    for _ in 0..3 {
        stage.take("ada").await.unwrap();
    }
    assert_eq!(stage.take("ada").await, Err(10));
    stage.wait(4);
    assert_eq!(stage.take("ada").await, Err(6));
    stage.wait(6);
    stage.take("ada").await.unwrap();
    assert_eq!(stage.take("ada").await, Err(10));
}

pub(super) async fn each_key_is_counted_by_itself(stage: Stage<impl RateLimiter>) {
    for key in ["ada", "bob", "ada:bob", "{ada}", "}{"] {
        for _ in 0..3 {
            stage.take(key).await.unwrap();
        }
        stage.take(key).await.unwrap_err();
    }
}

pub(super) async fn a_verdict_says_what_remains_and_when_to_come_back(stage: Stage<impl RateLimiter>) {
    let secs = Duration::from_secs;
    let whole = Verdict {
        allowed: true,
        limit: 3,
        remaining: 2,
        retry_after: Duration::ZERO,
        reset_after: secs(10),
        degraded: false,
    };
    assert_eq!(stage.limiter.take("ada").await, whole);
    stage.wait(4);
    assert_eq!(stage.limiter.take("ada").await, Verdict { remaining: 1, reset_after: secs(16), ..whole });
    assert_eq!(stage.limiter.take("ada").await, Verdict { remaining: 0, reset_after: secs(26), ..whole });
    let refused =
        Verdict { allowed: false, remaining: 0, retry_after: secs(6), reset_after: secs(26), ..whole };
    assert_eq!(stage.limiter.take("ada").await, refused);
    assert_eq!(stage.limiter.take("ada").await, refused, "being refused costs nothing");
}

pub(super) async fn what_is_given_back_can_be_taken_again(stage: Stage<impl RateLimiter>) {
    for _ in 0..2 {
        stage.take("ada").await.unwrap();
    }
    let taken = stage.limiter.take("ada").await;
    stage.take("ada").await.unwrap_err();
    stage.limiter.give_back("ada", taken).await;
    stage.take("ada").await.unwrap();
    stage.take("ada").await.unwrap_err();
}

pub(super) async fn what_is_given_back_after_it_was_paid_for_is_no_gain(stage: Stage<impl RateLimiter>) {
    let taken = stage.limiter.take("ada").await;
    stage.wait(3_600);
    stage.limiter.give_back("ada", taken).await;
    for _ in 0..3 {
        stage.take("ada").await.unwrap();
    }
    stage.take("ada").await.unwrap_err();
}

pub(super) async fn who_waits_long_gets_a_burst_and_no_more(stage: Stage<impl RateLimiter>) {
    stage.take("ada").await.unwrap();
    stage.wait(3_600);
    for _ in 0..3 {
        stage.take("ada").await.unwrap();
    }
    stage.take("ada").await.unwrap_err();
}

pub(super) async fn side_by_side_no_more_than_a_burst_get_through(stage: Stage<impl RateLimiter>) {
    let taken = futures_util::future::join_all((0..64).map(|_| stage.take("ada"))).await;
    assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 3);
}

macro_rules! conformance {
    ($make:expr) => {
        $crate::kit::limits::conformance::each_case! { $make;
            a_burst_may_come_at_once_and_one_more_every_so_often
            each_key_is_counted_by_itself
            a_verdict_says_what_remains_and_when_to_come_back
            what_is_given_back_can_be_taken_again
            what_is_given_back_after_it_was_paid_for_is_no_gain
            who_waits_long_gets_a_burst_and_no_more
            side_by_side_no_more_than_a_burst_get_through
        }
    };
}

macro_rules! each_case {
    ($make:expr; $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                use crate::kit::limits::conformance;
                conformance::$case(conformance::Stage::new(3, $make)).await;
            }
        )*
    };
}

pub(super) use {conformance, each_case};
