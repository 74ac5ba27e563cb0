//! What every [`Cache`] has to pass: the same cases, by the same names.
//!
//! An implementation runs `conformance!(|ttl| expression that makes one)` in its tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::Notify;

use super::{Cache, Computed, Found, Key};

/// How long anything may take before a case fails.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

pub(super) fn key(name: &str) -> Key {
    Key::of([name.as_bytes()])
}

/// Makes one value, and counts how often.
#[derive(Debug, Default)]
pub(super) struct Maker {
    made: AtomicUsize,
    begun: Notify,
    go: Notify,
}

impl Maker {
    pub(super) fn make(&self, value: &str, keep: bool) -> BoxFuture<'_, Computed<String>> {
        let value = value.to_owned();
        async move {
            self.made.fetch_add(1, Ordering::SeqCst);
            Computed { value, keep }
        }
        .boxed()
    }

    /// Says that it has begun, and goes on when it is let.
    pub(super) fn make_slowly(&self, value: &str, keep: bool) -> BoxFuture<'_, Computed<String>> {
        let value = value.to_owned();
        async move {
            self.begun.notify_one();
            self.go.notified().await;
            self.make(&value, keep).await
        }
        .boxed()
    }

    pub(super) async fn begun(&self) {
        tokio::time::timeout(DEADLINE, self.begun.notified()).await.expect("it is begun");
    }

    pub(super) fn go_on(&self) {
        self.go.notify_one();
    }

    pub(super) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

/// What was found, and whether it was fresh.
pub(super) fn seen(found: &Found<String>) -> (&str, bool) {
    (found.value.as_str(), found.fresh)
}

pub(super) async fn what_was_computed_is_given_again(cache: impl Cache<String>) {
    let maker = Maker::default();
    let first = cache.get_or(key("a"), maker.make("one", true)).await;
    let again = cache.get_or(key("a"), maker.make("two", true)).await;
    assert_eq!((seen(&first), seen(&again)), (("one", true), ("one", false)));
    let other = cache.get_or(key("b"), maker.make("other", true)).await;
    assert_eq!((seen(&other), maker.made()), (("other", true), 2));
}

pub(super) async fn what_is_not_to_be_kept_is_computed_again(cache: impl Cache<String>) {
    let maker = Maker::default();
    let first = cache.get_or(key("a"), maker.make("one", false)).await;
    let again = cache.get_or(key("a"), maker.make("two", true)).await;
    let third = cache.get_or(key("a"), maker.make("three", true)).await;
    assert_eq!((seen(&first), seen(&again), seen(&third)), (("one", true), ("two", true), ("two", false)));
}

pub(super) async fn what_was_put_is_got(cache: impl Cache<String>) {
    assert_eq!(cache.get(key("a")).await, None);
    cache.put(key("a"), Arc::new("one".to_owned())).await;
    assert_eq!(cache.get(key("a")).await.as_deref().map(String::as_str), Some("one"));
    let maker = Maker::default();
    assert_eq!(seen(&cache.get_or(key("a"), maker.make("two", true)).await), ("one", false));
    assert_eq!(cache.get(key("b")).await, None);
}

pub(super) async fn many_who_ask_at_once_get_what_one_of_them_computed(cache: impl Cache<String>) {
    let maker = Maker::default();
    let asked = join_all((0..50).map(|_| cache.get_or(key("a"), maker.make_slowly("one", true))));
    let (found, ()) = tokio::join!(asked, async {
        maker.begun().await;
        maker.go_on();
    });
    assert!(found.iter().all(|found| found.value.as_str() == "one"));
    assert_eq!((found.iter().filter(|found| found.fresh).count(), maker.made()), (1, 1));
}

pub(super) async fn who_waits_gets_what_is_not_to_be_kept(cache: impl Cache<String>) {
    let maker = Maker::default();
    let asked = join_all((0..50).map(|_| cache.get_or(key("a"), maker.make_slowly("one", false))));
    let (found, ()) = tokio::join!(asked, async {
        maker.begun().await;
        maker.go_on();
    });
    assert!(found.iter().all(|found| seen(found) == ("one", true)));
    assert_eq!(maker.made(), 1);
}

pub(super) async fn a_flight_that_is_given_up_is_taken_over(cache: impl Cache<String>) {
    let maker = Maker::default();
    {
        let given_up = cache.get_or(key("a"), maker.make_slowly("one", true));
        tokio::select! {
            _ = given_up => panic!("it was not let go on"),
            () = maker.begun() => {}
        }
    }
    let next = cache.get_or(key("a"), maker.make("two", true));
    let found = tokio::time::timeout(DEADLINE, next).await.expect("it is taken over");
    assert_eq!((seen(&found), maker.made()), (("two", true), 1));
}

pub(super) async fn a_value_is_good_for_its_time(cache: impl Cache<String>) {
    let maker = Maker::default();
    cache.get_or(key("a"), maker.make("one", true)).await;
    let expired = async {
        while cache.get_or(key("a"), maker.make("two", true)).await.value.as_str() == "one" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, expired).await.expect("it expires");
    assert_eq!(maker.made(), 2);
}

macro_rules! conformance {
    ($make:expr) => {
        $crate::kit::cache::conformance::each_case! { $make, std::time::Duration::from_mins(1);
            what_was_computed_is_given_again
            what_is_not_to_be_kept_is_computed_again
            what_was_put_is_got
            many_who_ask_at_once_get_what_one_of_them_computed
            who_waits_gets_what_is_not_to_be_kept
            a_flight_that_is_given_up_is_taken_over
        }
        $crate::kit::cache::conformance::each_case! { $make, std::time::Duration::from_millis(300);
            a_value_is_good_for_its_time
        }
    };
}

macro_rules! each_case {
    ($make:expr, $ttl:expr; $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let make = $make;
                crate::kit::cache::conformance::$case(make($ttl)).await;
            }
        )*
    };
}

pub(super) use {conformance, each_case};
