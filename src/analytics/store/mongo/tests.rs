use std::sync::Arc;

use super::*;
use crate::analytics::api::Event;
use crate::kit::clock::SystemClock;
use crate::kit::storage::mongo::stage;
use crate::servers;

async fn open(options: &MongoOptions) -> MongoCounters {
    let clock: SharedClock = Arc::new(SystemClock);
    MongoCounters::open(options, &clock, &|_| {}).await.unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn batch(number: u128, count: usize) -> Batch {
    let event = Event::Command {
        at: now(),
        user_id: uuid::Uuid::from_u128(1).into(),
        source: "local".to_owned(),
        intent: "greeting".to_owned(),
        language: "en".to_owned(),
        duration_ms: 2.0,
    };
    Batch { id: uuid::Uuid::from_u128(number).into(), events: vec![event; count] }
}

/// What a day's figures cost must not depend on how long there have been figures.
#[tokio::test]
async fn figures_since_an_hour_read_a_range_and_totals_no_hours() {
    let store = open(&stage::on_replica_set().await).await;
    for (command, index) in [
        (doc! { "aggregate": COUNTERS, "pipeline": since(now()), "cursor": {} }, "command_counters_by_hour"),
        (doc! { "find": BATCHES, "filter": among([uuid::Uuid::nil().into()].into_iter()) }, "_id_"),
        (doc! { "find": TOTALS, "filter": {}, "hint": "command_totals_by_kind" }, "command_totals_by_kind"),
    ] {
        let explain = doc! { "explain": command, "verbosity": "queryPlanner" };
        let plan = store.mongo.database().run_command(explain).await.unwrap().to_string();
        assert!(plan.contains(&format!("\"indexName\": \"{index}\"")), "{plan}");
        assert!(!plan.contains("COLLSCAN") && !plan.contains("\"SORT\""), "{plan}");
    }
    store.close().await;
}

#[tokio::test]
async fn processes_that_count_the_same_things_at_once_lose_nothing() {
    let options = stage::on_replica_set().await;
    let stores = [open(&options).await, open(&options).await];
    let added = (0..40).map(|turn| stores[turn % 2].add(batch(turn as u128, 5)));
    for added in futures_util::future::join_all(added).await {
        added.unwrap();
    }
    assert_eq!(stores[0].sums(None).await.unwrap().commands, 200);
    assert_eq!(stores[1].sums(Some(now())).await.unwrap().commands, 200);
    for store in stores {
        store.close().await;
    }
}

#[tokio::test]
async fn a_batch_that_comes_to_two_processes_is_counted_once() {
    let options = stage::on_replica_set().await;
    let stores = [open(&options).await, open(&options).await];
    let added = (0..20).map(|turn| stores[turn % 2].add(batch(turn as u128 / 4, 5)));
    for added in futures_util::future::join_all(added).await {
        added.unwrap();
    }
    assert_eq!(stores[0].sums(None).await.unwrap().commands, 25);
    for store in stores {
        store.close().await;
    }
}

#[tokio::test]
async fn a_server_that_stands_alone_counts_too() {
    let server = servers::mongod(false);
    let store = open(&stage::options(&server)).await;
    store.add(batch(1, 3)).await.unwrap();
    store.add(batch(1, 3)).await.unwrap();
    assert_eq!(store.sums(None).await.unwrap().commands, 3);
    store.close().await;
}
