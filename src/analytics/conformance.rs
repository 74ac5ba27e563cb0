//! What every [`Analytics`] has to do; one list, run on the module itself and on its client over HTTP.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::api::{Analytics, Batch, Event, LARGEST_BATCH};
use super::local::LocalAnalytics;
use super::remote::RemoteAnalytics;
use super::store::CounterStore;
use super::store::mongo::MongoCounters;
use super::store::sqlite::SqliteCounters;
use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::error::Code;
use crate::kit::health::{HealthState, Probe, Status, router as health_router};
use crate::kit::peer::Peer;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::stage;
use crate::kit::storage::portable::copy;
use crate::kit::storage::sqlite::Options;

/// An analytics module, and one of its two faces.
struct Stage {
    analytics: Arc<dyn Analytics>,
    store: Arc<dyn CounterStore>,
    local: Arc<LocalAnalytics>,
    stop: CancellationToken,
    _folder: Option<TempDir>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn local() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(folder.path().join("analytics.db"));
    on(Arc::new(SqliteCounters::open(&options, &clock(), &|_| ()).await.unwrap()), Some(folder))
}

async fn mongodb() -> Stage {
    let options = stage::on_replica_set().await;
    on(Arc::new(MongoCounters::open(&options, &clock(), &|_| ()).await.unwrap()), None)
}

fn clock() -> SharedClock {
    Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH))
}

fn on(store: Arc<dyn CounterStore>, folder: Option<TempDir>) -> Stage {
    let local = Arc::new(LocalAnalytics::new(Arc::clone(&store), clock()));
    Stage { analytics: local.clone(), store, local, stop: CancellationToken::new(), _folder: folder }
}

async fn remote() -> Stage {
    let mut stage = local().await;
    let probe: Arc<dyn Probe> = stage.local.clone();
    let app =
        stage.local.internal_router().merge(health_router(HealthState { probe, stopping: Arc::default() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = stage.stop.clone();
    tokio::spawn(
        async move { axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await },
    );
    let peer = Peer::new("analytics", &base, SecretString::from("key"), Duration::from_secs(5)).unwrap();
    stage.analytics = Arc::new(RemoteAnalytics::new(peer));
    stage
}

fn start() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn event(at: Timestamp, source: &str, intent: &str) -> Event {
    Event::Command {
        at,
        user_id: Uuid::from_u128(1).into(),
        source: source.to_owned(),
        intent: intent.to_owned(),
        language: "en".to_owned(),
        duration_ms: 2.0,
    }
}

fn batch(number: u8, events: Vec<Event>) -> Batch {
    Batch { id: uuid::Builder::from_unix_timestamp_millis(0, &[number; 10]).into_uuid().into(), events }
}

async fn events_are_counted_by_what_they_say(stage: Stage) {
    let later = start() + SignedDuration::from_hours(2);
    let first = vec![event(start(), "local", "greeting"), event(start(), "failed", "none")];
    stage.analytics.record(batch(1, first)).await.unwrap();
    stage.analytics.record(batch(2, vec![event(later, "llm", "greeting")])).await.unwrap();

    let all = stage.store.sums(None).await.unwrap();
    assert_eq!((all.commands, all.failed), (3, 1));
    assert_eq!(all.by_intent, [("greeting".to_owned(), 2), ("none".to_owned(), 1)].into());
    assert!((all.average_processing_time_ms - 2.0).abs() < 1e-9);
    assert_eq!(stage.store.sums(Some(later)).await.unwrap().commands, 1);
}

async fn the_largest_batch_is_taken_whole_and_a_larger_one_not_at_all(stage: Stage) {
    let events = |count| vec![event(start(), "local", "a"); count];
    stage.analytics.record(batch(1, events(LARGEST_BATCH))).await.unwrap();
    let refused = stage.analytics.record(batch(2, events(LARGEST_BATCH + 1))).await.unwrap_err();
    assert_eq!(refused.code(), Code::Invalid);
    assert_eq!(stage.store.sums(None).await.unwrap().commands, LARGEST_BATCH as u64);
}

async fn a_batch_that_is_sent_again_is_counted_once(stage: Stage) {
    let sent = batch(1, vec![event(start(), "local", "a"); 3]);
    let other = batch(2, sent.events.clone());
    for batch in [&sent, &sent, &other, &sent] {
        stage.analytics.record(batch.clone()).await.unwrap();
    }
    assert_eq!(stage.store.sums(None).await.unwrap().commands, 6);
}

async fn all_of_it_is_carried_to_another_store_and_counted_once(stage: Stage) {
    let hour = |hours| start() + SignedDuration::from_hours(hours);
    let events = (0..5).flat_map(|hours| ["a", "b"].map(|intent| event(hour(hours), "local", intent)));
    stage.analytics.record(batch(1, events.collect())).await.unwrap();
    let other = local().await;
    let other = &other.store;
    other.add(batch(2, vec![event(hour(0), "local", "a"); 3])).await.unwrap();

    let first = stage.store.export(None, 3).await.unwrap();
    assert_eq!(first.len(), 3);
    let (last, _) = first[2].clone();
    for (after, expected) in [(None, 10), (Some(last), 7)] {
        let mut carried = 0;
        let prepare = Ok::<_, StorageError>;
        copy(&*stage.store, &**other, after, prepare, |_, count| carried += count).await.unwrap();
        assert_eq!(carried, expected);
    }
    assert_eq!(other.entries().await.unwrap(), 10);
    for since in [None, Some(hour(2))] {
        let all = stage.store.sums(since).await.unwrap();
        assert_eq!(other.sums(since).await.unwrap(), all);
    }
    copy(&**other, &*stage.store, None, Ok::<_, StorageError>, |_, _| ()).await.unwrap();
    assert_eq!(stage.store.sums(None).await.unwrap().commands, 10);
}

async fn a_store_that_is_gone_is_an_error_and_bad_health(stage: Stage) {
    assert_eq!(stage.analytics.health().await.status, Status::Up);
    stage.store.close().await;
    assert!(stage.analytics.record(batch(1, vec![event(start(), "local", "a")])).await.is_err());
    assert_eq!(stage.analytics.health().await.status, Status::Down);
}

macro_rules! cases {
    ($($case:ident)*) => {
        mod on_local {
            $(#[tokio::test] async fn $case() { super::$case(super::local().await).await; })*
        }
        mod on_local_with_mongodb {
            $(#[tokio::test] async fn $case() { super::$case(super::mongodb().await).await; })*
        }
        mod on_remote {
            $(#[tokio::test] async fn $case() { super::$case(super::remote().await).await; })*
        }
    };
}

cases! {
    events_are_counted_by_what_they_say
    the_largest_batch_is_taken_whole_and_a_larger_one_not_at_all
    a_batch_that_is_sent_again_is_counted_once
    all_of_it_is_carried_to_another_store_and_counted_once
    a_store_that_is_gone_is_an_error_and_bad_health
}
