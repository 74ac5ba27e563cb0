use std::sync::Arc;

use mongodb::bson::Bson;
use uuid::Uuid;

use super::*;
use crate::kit::clock::SystemClock;
use crate::kit::http::page::From as PageStart;
use crate::kit::storage::mongo::stage;
use crate::servers;
use crate::voice::api::{CommandResult, Entity, Source, StageTimes, Status};

async fn open(options: &MongoOptions) -> MongoCommands {
    let clock: SharedClock = Arc::new(SystemClock);
    MongoCommands::open(options, &clock, &|_| {}).await.unwrap()
}

fn user() -> UserId {
    Uuid::from_u128(1).into()
}

fn command(number: u128) -> Command {
    let at: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    Command {
        job_id: Uuid::from_u128(number).into(),
        user_id: user(),
        session_id: None,
        command: format!("command number {number}"),
        status: Status::Completed,
        created_at: at + jiff::SignedDuration::from_micros(i64::try_from(number).unwrap() / 4),
        completed_at: at,
        result: Some(CommandResult {
            intent: "greeting".to_owned(),
            confidence: 0.7,
            language: "en".to_owned(),
            entities: Vec::new(),
            reply: None,
            source: Source::Local,
            degraded: false,
            model_version: "m".to_owned(),
            llm_model: None,
            processing_time_ms: 2.0,
            stages: StageTimes::default(),
        }),
        error: None,
        fingerprint: [7; 32],
    }
}

/// The stages of a plan, from the last one down to the index.
fn stages(plan: &Document, found: &mut Vec<(String, Option<String>)>) {
    if let Ok(stage) = plan.get_str("stage") {
        found.push((stage.to_owned(), plan.get_str("indexName").ok().map(str::to_owned)));
    }
    for (key, value) in plan {
        match value {
            Bson::Document(inner) if key.contains("nput") || key.contains("Plan") => stages(inner, found),
            Bson::Array(inner) if key == "inputStages" || key == "stages" => {
                inner.iter().filter_map(Bson::as_document).for_each(|inner| stages(inner, found));
            }
            Bson::Document(inner) if key == "$cursor" => stages(inner, found),
            _ => {}
        }
    }
}

async fn explain(store: &MongoCommands, command: Document, verbosity: &str) -> Document {
    let explain = doc! { "explain": command, "verbosity": verbosity };
    store.mongo.database().run_command(explain).await.unwrap()
}

async fn assert_reads_index(store: &MongoCommands, command: Document, index: &str, covered: bool) {
    let explained = explain(store, command.clone(), "queryPlanner").await;
    let mut found = Vec::new();
    stages(&explained, &mut found);
    let names: Vec<&str> = found.iter().map(|(stage, _)| stage.as_str()).collect();
    for wrong in ["COLLSCAN", "SORT", "SORT_MERGE", "OR"] {
        assert!(!names.contains(&wrong), "{command}: {names:?}");
    }
    assert!(!covered || !names.contains(&"FETCH"), "{command}: {names:?}");
    let read: Vec<_> = found.iter().filter_map(|(_, index)| index.as_deref()).collect();
    assert_eq!(read, [index], "{command}: {names:?}");
}

/// Each filter walks one index from its end, and where the walk stops is read from the index alone.
#[tokio::test]
async fn every_list_reads_a_range_of_an_index_and_sorts_nothing() {
    let store = open(&stage::on_replica_set().await).await;
    let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    let given = |yes: bool| yes.then(|| "x".to_owned());
    let starts = [PageStart::Offset(7), PageStart::After(Cursor { at: now, id: Uuid::nil() })];
    for (case, from) in (0..64_u8).flat_map(|case| starts.map(|from| (case, from))) {
        let has = |bit: u8| case & (1 << bit) != 0;
        let filter = Filter {
            intent: given(has(0)),
            language: given(has(1)),
            session_id: given(has(2)),
            text: given(has(3)),
            from: has(4).then_some(now),
            to: has(5).then_some(now),
        };
        let plan = Plan::of(user(), &filter, Page { limit: 50, from });
        for stop in [None, Some(Cursor { at: now, id: Uuid::nil() })] {
            let query = plan.select(stop);
            assert_reads_index(&store, query.command(), query.index(), false).await;
        }
        let stop = plan.stop(1_000);
        assert_eq!(stop.is_some(), has(3) || [0, 1, 2].into_iter().filter(|bit| has(*bit)).count() > 1);
        if let Some(stop) = stop {
            assert_reads_index(&store, stop.command(), stop.index(), true).await;
        }
    }
    store.close().await;
}

#[tokio::test]
async fn everything_else_reads_an_index_too() {
    let store = open(&stage::on_replica_set().await).await;
    let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    let owner = uuid(user().uuid());
    let entries = [command(1), command(2)].map(|command| Entry::of(&command).unwrap());
    let find = |filter: Document| doc! { "find": COMMANDS, "filter": filter };
    for after in [None, Some(command(1).job_id)] {
        let command =
            doc! { "find": COMMANDS, "filter": plan::beyond(after), "sort": { "_id": 1 }, "limit": 1_000 };
        assert_reads_index(&store, command, "_id_", false).await;
    }
    let delete =
        |from: &str, filter: Document| doc! { "delete": from, "deletes": [{ "q": filter, "limit": 0 }] };
    for command in [
        find(plan::one(user(), command(1).job_id)),
        find(writes::there(entries.iter())),
        delete(COMMANDS, doc! { "owner": owner, "_id": { "$in": [entries[0].id, entries[1].id] } }),
    ] {
        assert_reads_index(&store, command, "_id_", false).await;
    }
    assert_reads_index(
        &store,
        doc! { "find": COMMANDS, "filter": { "owner": owner }, "hint": "commands_by_time", "limit": 1_000 },
        "commands_by_time",
        false,
    )
    .await;
    for (from, to) in [(None, None), (Some(now), None), (None, Some(now)), (Some(now), Some(now))] {
        let command = doc! { "aggregate": STATS, "pipeline": figures(user(), from, to), "cursor": {} };
        assert_reads_index(&store, command, "command_stats_by_day", false).await;
    }
    assert_reads_index(&store, delete(STATS, doc! { "owner": owner }), "command_stats_by_day", false).await;
    store.close().await;
}

#[tokio::test]
async fn a_deep_page_reads_no_more_than_the_first() {
    let store = open(&stage::on_replica_set().await).await;
    let entries: Vec<_> = (1..=3_000).map(|number| Entry::of(&command(number)).unwrap()).collect();
    store.mongo.collection::<Entry>(COMMANDS).insert_many(entries).await.unwrap();
    let deep = command(100);
    let cursor = Cursor { at: deep.created_at, id: deep.job_id.uuid() };
    for from in [PageStart::Offset(0), PageStart::After(cursor)] {
        let filter = Filter::default();
        let query = Plan::of(user(), &filter, Page { limit: 50, from }).select(None);
        let explained = explain(&store, query.command(), "executionStats").await;
        let stats = explained.get_document("executionStats").unwrap();
        let number = |key: &str| stats.get(key).and_then(Bson::as_i32).unwrap();
        assert_eq!(number("nReturned"), 51);
        assert!(number("totalKeysExamined") == 51 && number("totalDocsExamined") == 51, "{stats}");
    }
    store.close().await;
}

#[tokio::test]
async fn whatever_an_entity_stands_for_reads_back() {
    let store = open(&stage::on_replica_set().await).await;
    let values = serde_json::json!([null, 1.5, u64::MAX, { "$set": { "a.b": [] } }, "text", "\u{0}"]);
    let entities = values.as_array().unwrap().iter().map(|value| Entity {
        entity: "thing".to_owned(),
        value: value.clone(),
        text: "thing".to_owned(),
        start: Some(0),
        end: None,
        confidence: 0.3,
        role: None,
        group: None,
    });
    let mut odd = command(1);
    odd.result = odd.result.map(|result| CommandResult { entities: entities.collect(), ..result });
    odd.command = "\u{0} $where \u{10ffff}".to_owned();
    store.record(&odd).await.unwrap();
    assert_eq!(store.get(user(), odd.job_id).await.unwrap(), Some(odd));
    store.close().await;
}

#[tokio::test]
async fn commands_recorded_at_once_by_two_processes_are_counted_once() {
    let options = stage::on_replica_set().await;
    let (one, other) = (open(&options).await, open(&options).await);
    let commands: Vec<_> = (1..=100).map(command).collect();
    let recorded = commands.iter().flat_map(|command| [one.record(command), other.record(command)]);
    for recorded in futures_util::future::join_all(recorded).await {
        recorded.unwrap();
    }
    assert_eq!(one.stats(user(), None, None).await.unwrap().total, 100);
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_server_that_stands_alone_keeps_the_history_too() {
    let server = servers::mongod(false);
    let store = open(&stage::options(&server)).await;
    let failed = Command { status: Status::Failed, result: None, ..command(1) };
    for recorded in [&failed, &command(1), &command(1), &command(2)] {
        store.record(recorded).await.unwrap();
    }
    let page = Page::parse(None, None, None).unwrap();
    let found = store.history(user(), &Filter::default(), page).await.unwrap();
    assert_eq!(found.commands, [command(2), command(1)]);
    let stats = store.stats(user(), None, None).await.unwrap();
    assert_eq!((stats.total, stats.failed), (2, 0));
    store.erase(user()).await.unwrap();
    assert_eq!(store.stats(user(), None, None).await.unwrap().total, 0);
    store.close().await;
}
