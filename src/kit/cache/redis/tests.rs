//! Several processes, and a Redis that is lost and comes back.

use super::super::conformance::{DEADLINE, Maker, conformance, key, seen};
use super::*;
use crate::kit::redis::stage::{at, fresh, until};
use crate::servers;

const OPTIONS: SharedOptions =
    SharedOptions { ttl: Duration::from_mins(1), near: 100, largest: 1_000, flight: Duration::from_secs(10) };

fn process(redis: &Redis, options: SharedOptions) -> RedisCache<String> {
    RedisCache::new("test", redis.clone(), &Entropy::system(), options)
}

conformance!(|ttl| process(&fresh(), SharedOptions { ttl, ..OPTIONS }));

fn two(options: SharedOptions) -> (RedisCache<String>, RedisCache<String>) {
    let redis = fresh();
    (process(&redis, options), process(&redis, options))
}

#[tokio::test]
async fn what_one_process_computed_another_gives_again() {
    let (one, other) = two(OPTIONS);
    let maker = Maker::default();
    one.get_or(key("a"), maker.make("one", true)).await;
    assert_eq!(other.get(key("a")).await.as_deref().map(String::as_str), Some("one"));
    assert_eq!(seen(&other.get_or(key("a"), maker.make("two", true)).await), ("one", false));
}

#[tokio::test]
async fn processes_that_ask_at_once_compute_once() {
    let server = servers::redis();
    let redis = at(&server);
    let (one, other) = (process(&redis, OPTIONS), process(&redis, OPTIONS));
    let looks = async || {
        let stats = redis.query::<String>(cmd("INFO").arg("commandstats")).await.unwrap();
        stats.contains("cmdstat_evalsha:").then_some(())
    };
    for keep in [true, false] {
        let maker = Maker::default();
        let key = key(&keep.to_string());
        let first = one.get_or(key, maker.make_slowly("one", keep));
        let second = async {
            maker.begun().await;
            redis.query::<()>(cmd("CONFIG").arg("RESETSTAT")).await.unwrap();
            let (found, ()) = tokio::join!(other.get_or(key, maker.make("two", true)), async {
                until("the other has looked", looks).await;
                maker.go_on();
            });
            found
        };
        let (first, second) = tokio::join!(first, second);
        assert_eq!((seen(&first), seen(&second)), (("one", true), ("one", !keep)));
        assert_eq!(maker.made(), 1);
    }
}

#[tokio::test]
async fn who_takes_long_to_compute_says_so_and_is_waited_for() {
    let server = servers::redis();
    let redis = at(&server);
    let (one, other) = (process(&redis, OPTIONS), process(&redis, OPTIONS));
    let maker = Maker::default();
    // Three signs of life are as long as one holds.
    let signs = async || {
        let stats = redis.query::<String>(cmd("INFO").arg("commandstats")).await.unwrap();
        let calls = stats.split_once("cmdstat_pexpire:calls=")?.1.split_once(',')?.0;
        (calls.parse::<u32>().unwrap() >= 4).then_some(())
    };
    let first = one.get_or(key("a"), maker.make_slowly("one", true));
    let second = async {
        maker.begun().await;
        let (found, ()) = tokio::join!(other.get_or(key("a"), maker.make("two", true)), async {
            until("it has said so for a while", signs).await;
            maker.go_on();
        });
        found
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((seen(&first), seen(&second)), (("one", true), ("one", false)));
    assert_eq!(maker.made(), 1);
}

#[tokio::test]
async fn what_was_not_to_be_kept_is_nobodys_who_asks_later() {
    let (one, other) = two(OPTIONS);
    let maker = Maker::default();
    one.get_or(key("a"), maker.make("one", false)).await;
    assert_eq!(seen(&other.get_or(key("a"), maker.make("two", false)).await), ("two", true));
}

#[tokio::test]
async fn when_the_process_that_computes_dies_another_takes_over() {
    // However long it might have taken.
    let options = SharedOptions { flight: Duration::from_mins(10), ..OPTIONS };
    let (one, other) = two(options);
    let maker = Maker::default();
    tokio::select! {
        _ = one.get_or(key("a"), maker.make_slowly("one", true)) => panic!("it was not let go on"),
        () = maker.begun() => {}
    }
    drop(one);
    let found = tokio::time::timeout(DEADLINE, other.get_or(key("a"), maker.make("two", true)));
    assert_eq!(seen(&found.await.expect("it is taken over")), ("two", true));
}

#[tokio::test]
async fn a_process_that_was_given_up_for_dead_does_not_overwrite_its_successor() {
    let options = SharedOptions { flight: Duration::from_millis(100), ..OPTIONS };
    let (one, other) = two(options);
    let maker = Maker::default();
    let slow = one.get_or(key("a"), maker.make_slowly("late", true));
    let quick = async {
        maker.begun().await;
        let found = other.get_or(key("a"), maker.make("in time", true)).await;
        maker.go_on();
        found
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((seen(&slow), seen(&quick)), (("late", true), ("in time", true)));
    let third = process(&other.redis, options);
    assert_eq!(seen(&third.get_or(key("a"), maker.make("third", true)).await), ("in time", false));
}

#[tokio::test]
async fn what_is_too_large_stays_in_its_process() {
    let (one, other) = two(OPTIONS);
    let maker = Maker::default();
    let large = "x".repeat(2_000);
    assert_eq!(seen(&one.get_or(key("a"), maker.make(&large, true)).await), (large.as_str(), true));
    assert_eq!(seen(&one.get_or(key("a"), maker.make("two", true)).await), (large.as_str(), false));
    assert_eq!(other.get(key("a")).await, None);
    assert_eq!(seen(&other.get_or(key("a"), maker.make("two", true)).await), ("two", true));
}

#[tokio::test]
async fn what_another_version_wrote_is_computed_anew() {
    let (one, other) = two(OPTIONS);
    one.redis.query::<()>(&Cmd::set(&one.keys(key("a"))[0], "{\"of\":\"old\"}")).await.unwrap();
    let maker = Maker::default();
    assert_eq!(one.get(key("a")).await, None);
    assert_eq!(seen(&one.get_or(key("a"), maker.make("new", true)).await), ("new", true));
    assert_eq!(seen(&other.get_or(key("a"), maker.make("two", true)).await), ("new", false));
}

#[tokio::test]
async fn nothing_gets_older_at_hand_than_on_redis() {
    let (one, other) = two(OPTIONS);
    let maker = Maker::default();
    one.get_or(key("a"), maker.make("one", true)).await;
    one.redis.query::<()>(&Cmd::pexpire(&one.keys(key("a"))[0], 1_000)).await.unwrap();
    other.get_or(key("a"), maker.make("two", true)).await;
    let near = other.near.get(&key("a")).await.unwrap();
    assert!(near.good_for <= Duration::from_secs(1), "{:?}", near.good_for);
}

#[tokio::test]
async fn without_redis_everything_is_computed_and_kept_at_hand() {
    let mut server = servers::redis();
    let redis = at(&server);
    let (one, other) = (process(&redis, OPTIONS), process(&redis, OPTIONS));
    let maker = Maker::default();
    one.get_or(key("a"), maker.make("one", true)).await;
    server.kill9();
    assert_eq!(seen(&one.get_or(key("a"), maker.make("two", true)).await), ("one", false), "at hand");
    assert_eq!(seen(&other.get_or(key("a"), maker.make("two", true)).await), ("two", true));
    assert_eq!(other.get(key("b")).await, None);
    other.put(key("b"), Arc::new("three".to_owned())).await;
    assert_eq!(other.get(key("b")).await.as_deref().map(String::as_str), Some("three"));
    server.start();
    until("there is a Redis", async || redis.ping().await.ok()).await;
    one.get_or(key("c"), maker.make("four", true)).await;
    assert_eq!(seen(&other.get_or(key("c"), maker.make("five", true)).await), ("four", false));
}

#[tokio::test]
async fn a_redis_that_hangs_holds_up_no_more_than_one_question() {
    let server = servers::redis();
    let cache = process(&at(&server), OPTIONS);
    let maker = Maker::default();
    cache.get_or(key("a"), maker.make("one", true)).await;
    server.pause();
    let begun = Instant::now();
    for number in 0..200 {
        let found = cache.get_or(key(&number.to_string()), maker.make("here", true)).await;
        assert_eq!(seen(&found), ("here", true));
    }
    server.resume();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
