//! What every [`PubSub`] has to pass: the same cases, by the same names.
//!
//! An implementation runs `conformance!(expression that makes one)` in its tests.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Heard, PubSub, Subscription};

/// How long anything may take before a case fails.
const DEADLINE: Duration = Duration::from_secs(20);

/// What the cases tell one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) words: String,
}

pub(super) fn note(words: impl Into<String>) -> Arc<Note> {
    Arc::new(Note { words: words.into() })
}

pub(super) async fn next(subscription: &mut Subscription<Note>) -> Heard<Arc<Note>> {
    tokio::time::timeout(DEADLINE, subscription.next()).await.expect("something is heard")
}

/// The next message, and nothing missed before it.
pub(super) async fn words(subscription: &mut Subscription<Note>) -> String {
    match next(subscription).await {
        Heard::Message(note) => note.words.clone(),
        Heard::Missed => panic!("something was missed"),
    }
}

pub(super) async fn everybody_who_listens_hears_it_and_nobody_else(bus: impl PubSub<Note>) {
    let mut first = bus.subscribe("one").await;
    let mut second = bus.subscribe("one").await;
    let mut other = bus.subscribe("two").await;
    bus.publish("one", &note("hello")).await;
    bus.publish("two", &note("there")).await;
    assert_eq!((words(&mut first).await, words(&mut second).await), ("hello".to_owned(), "hello".to_owned()));
    assert_eq!(words(&mut other).await, "there");
}

pub(super) async fn messages_come_in_the_order_in_which_they_were_sent(bus: impl PubSub<Note>) {
    let mut listener = bus.subscribe("one").await;
    for number in 0..10 {
        bus.publish("one", &note(number.to_string())).await;
    }
    for number in 0..10 {
        assert_eq!(words(&mut listener).await, number.to_string());
    }
}

pub(super) async fn what_was_said_before_is_not_heard(bus: impl PubSub<Note>) {
    bus.publish("one", &note("early")).await;
    let mut listener = bus.subscribe("one").await;
    bus.publish("one", &note("late")).await;
    assert_eq!(words(&mut listener).await, "late");
}

pub(super) async fn a_topic_can_be_listened_to_again(bus: impl PubSub<Note>) {
    for round in 0..20 {
        let mut listener = bus.subscribe("one").await;
        bus.publish("one", &note(round.to_string())).await;
        assert_eq!(words(&mut listener).await, round.to_string());
    }
}

pub(super) async fn who_goes_on_listening_hears_on_when_another_leaves(bus: impl PubSub<Note>) {
    let mut stays = bus.subscribe("one").await;
    for round in 0..20 {
        drop(bus.subscribe("one").await);
        bus.publish("one", &note(round.to_string())).await;
        assert_eq!(words(&mut stays).await, round.to_string());
    }
}

pub(super) async fn many_topics_at_once_do_not_mix(bus: impl PubSub<Note> + 'static) {
    let bus = Arc::new(bus);
    let tasks = (0..500).map(|number| {
        let bus = Arc::clone(&bus);
        tokio::spawn(async move {
            let topic = number.to_string();
            let mut listener = bus.subscribe(&topic).await;
            bus.publish(&topic, &note(&topic)).await;
            assert_eq!(words(&mut listener).await, topic);
        })
    });
    for task in futures_util::future::join_all(tasks).await {
        task.unwrap();
    }
}

pub(super) async fn who_is_too_slow_is_told_that_something_was_missed(bus: impl PubSub<Note>) {
    let mut slow = bus.subscribe("one").await;
    let mut quick = bus.subscribe("one").await;
    for number in 0..100 {
        bus.publish("one", &note(number.to_string())).await;
        assert_eq!(words(&mut quick).await, number.to_string());
    }
    while next(&mut slow).await != Heard::Missed {}
}

macro_rules! conformance {
    ($make:expr) => {
        $crate::kit::pubsub::conformance::each_case! { $make;
            everybody_who_listens_hears_it_and_nobody_else
            messages_come_in_the_order_in_which_they_were_sent
            what_was_said_before_is_not_heard
            a_topic_can_be_listened_to_again
            who_goes_on_listening_hears_on_when_another_leaves
            many_topics_at_once_do_not_mix
            who_is_too_slow_is_told_that_something_was_missed
        }
    };
}

macro_rules! each_case {
    ($make:expr; $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::kit::pubsub::conformance::$case($make).await;
            }
        )*
    };
}

pub(super) use {conformance, each_case};
