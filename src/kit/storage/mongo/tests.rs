use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use super::*;
use crate::kit::clock::ManualClock;
use crate::kit::storage::migration::MigrationStep;
use crate::servers;

const WORDS: Migration = Migration {
    version: 1,
    name: "words",
    body: r#"[
        { "create": "words", "validator": { "$jsonSchema": {
            "required": ["_id", "times"], "properties": { "times": { "bsonType": "long" } } } } },
        { "createIndexes": "words", "indexes": [{ "name": "by_times", "key": { "times": 1 }, "unique": true }] }
    ]"#,
};
const LENGTHS: Migration = Migration {
    version: 2,
    name: "lengths",
    body: r#"[{ "createIndexes": "words", "indexes": [{ "name": "by_length", "key": { "length": 1 } }] }]"#,
};
/// The first step as another binary has it.
const OTHER: Migration = Migration { body: "[]", ..WORDS };

fn clock() -> SharedClock {
    Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH))
}

async fn open(options: &MongoOptions) -> Mongo {
    Mongo::open(options, &[WORDS], &clock(), &|_| {}).await.unwrap()
}

/// Calls that end soon, for what is to fail.
fn impatient(options: MongoOptions) -> MongoOptions {
    MongoOptions {
        server_selection_timeout: Duration::from_millis(300),
        connect_timeout: Duration::from_millis(300),
        operation_timeout: Duration::from_secs(1),
        ..options
    }
}

async fn count(mongo: &Mongo) -> Result<u64, StorageError> {
    let words = mongo.collection::<Document>("words");
    mongo.run(async { words.count_documents(doc! {}).await }).await
}

async fn add(mongo: &Mongo, word: &str, times: i64) -> Result<(), StorageError> {
    let words = mongo.collection::<Document>("words");
    mongo.run(async { words.insert_one(doc! { "_id": word, "times": times }).await }).await.map(drop)
}

#[tokio::test]
async fn steps_are_done_once_in_order_and_remembered() {
    let options = stage::on_replica_set().await;
    let standing = Mongo::standing(&options, &[WORDS, LENGTHS]).await.unwrap();
    assert_eq!((standing.applied.len(), standing.pending), (0, vec![(1, "words"), (2, "lengths")]));

    open(&options).await.close().await;
    let seen = AtomicUsize::new(0);
    let see = |step: MigrationStep| {
        assert_eq!((step.done, step.total, step.name), (0, 1, "lengths"));
        seen.fetch_add(1, Ordering::Relaxed);
    };
    let standing = Mongo::migrate(&options, &[WORDS, LENGTHS], &clock(), &see).await.unwrap();
    assert_eq!((standing.applied.len(), standing.pending), (2, vec![]));
    assert_eq!(
        (standing.applied[1].name.as_str(), standing.applied[1].at),
        ("lengths", Timestamp::UNIX_EPOCH)
    );
    assert_eq!(seen.into_inner(), 1);
    let unchanged = |_| panic!("there is nothing to do");
    Mongo::migrate(&options, &[WORDS, LENGTHS], &clock(), &unchanged).await.unwrap();
}

#[tokio::test]
async fn of_processes_that_start_together_one_migrates() {
    let options = stage::on_replica_set().await;
    let steps = AtomicUsize::new(0);
    let opened = futures_util::future::join_all((0..8).map(|_| {
        let (options, steps) = (&options, &steps);
        async move {
            let count = |_| {
                steps.fetch_add(1, Ordering::Relaxed);
            };
            Mongo::open(options, &[WORDS, LENGTHS], &clock(), &count).await.unwrap()
        }
    }))
    .await;
    for mongo in opened {
        mongo.ready().await.unwrap();
        mongo.close().await;
    }
    assert_eq!(steps.into_inner(), 2);
}

#[tokio::test]
async fn a_step_that_was_cut_short_is_done_again() {
    let options = stage::on_replica_set().await;
    let mongo = Mongo::open(&options, &[], &clock(), &|_| {}).await.unwrap();
    mongo.database().create_collection("words").await.unwrap();
    mongo.close().await;

    let mongo = open(&options).await;
    let refused = mongo.collection::<Document>("words").insert_one(doc! { "_id": "a" }).await.unwrap_err();
    assert!(
        matches!(mongo.error(&refused), StorageError::Rejected { .. }),
        "the validator is there: {refused}"
    );
    mongo.close().await;
}

#[tokio::test]
async fn a_database_of_a_newer_binary_or_another_history_is_refused() {
    let options = stage::on_replica_set().await;
    Mongo::migrate(&options, &[WORDS, LENGTHS], &clock(), &|_| {}).await.unwrap();
    let error = Mongo::open(&options, &[WORDS], &clock(), &|_| {}).await.unwrap_err();
    assert!(matches!(error, StorageError::Newer { found: 2, known: 1, .. }), "{error}");
    let place = format!("database {} on 127.0.0.1:{}", options.database, servers::MONGOD.port());
    assert!(error.to_string().starts_with(&place), "{error}");

    let error = Mongo::open(&options, &[OTHER, LENGTHS], &clock(), &|_| {}).await.unwrap_err();
    assert!(matches!(error, StorageError::Altered { version: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_url_that_cannot_work_is_refused_and_not_repeated() {
    for url in [
        "localhost:27017",
        "mongodb+srv://u:secret@a.b.c",
        "mongodb://u:secret@host/?tls=maybe",
        "mongodb://u:sec/ret@h",
    ] {
        let options = MongoOptions::new(url.to_owned().into(), "words");
        let error = Mongo::open(&options, &[WORDS], &clock(), &|_| {}).await.unwrap_err();
        assert!(matches!(error, StorageError::Address { .. }), "{error}");
        assert!(!error.to_string().contains("sec"), "{error}");
    }
    let options = MongoOptions::new("mongodb://localhost".to_owned().into(), "a.b");
    let error = Mongo::open(&options, &[WORDS], &clock(), &|_| {}).await.unwrap_err();
    assert!(matches!(error, StorageError::Address { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_comes_later_is_used_when_it_is_there() {
    let mut server = stage::replica_set().await;
    let options = impatient(stage::options(&server));
    server.kill9();
    let mongo = open(&options).await;
    let error = mongo.check().await.unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }) && error.is_transient(), "{error}");
    assert!(count(&mongo).await.unwrap_err().is_transient());

    server.start();
    tokio::time::timeout(stage::DEADLINE, mongo.ready()).await.unwrap().unwrap();
    mongo.check().await.unwrap();
    assert_eq!(count(&mongo).await.unwrap(), 0);
    mongo.close().await;
    assert!(matches!(mongo.check().await, Err(StorageError::Closed { .. })));
    assert!(matches!(count(&mongo).await, Err(StorageError::Closed { .. })));
}

#[tokio::test]
async fn a_server_that_hangs_or_dies_costs_a_call_its_deadline_and_nothing_later() {
    let mut server = stage::replica_set().await;
    let mongo = open(&impatient(stage::options(&server))).await;
    add(&mongo, "kept", 1).await.unwrap();

    server.pause();
    let begun = Instant::now();
    let error = count(&mongo).await.unwrap_err();
    assert!(
        error.is_transient() && begun.elapsed() < Duration::from_secs(5),
        "{error}: {:?}",
        begun.elapsed()
    );
    server.resume();
    stage::eventually("it answers again", async || count(&mongo).await.is_ok_and(|count| count == 1)).await;

    server.kill9();
    let begun = Instant::now();
    let error = count(&mongo).await.unwrap_err();
    assert!(
        error.is_transient() && begun.elapsed() < Duration::from_secs(5),
        "{error}: {:?}",
        begun.elapsed()
    );
    server.start();
    stage::eventually("it takes writes again", async || add(&mongo, "after", 2).await.is_ok()).await;
    assert_eq!(count(&mongo).await.unwrap(), 2, "what was accepted is there");
    mongo.close().await;
}

#[tokio::test]
async fn errors_say_whose_they_are() {
    let mongo = open(&stage::on_replica_set().await).await;
    add(&mongo, "a", 1).await.unwrap();
    let error = add(&mongo, "secret", 1).await.unwrap_err();
    assert!(matches!(error, StorageError::Duplicate { .. }) && !error.is_transient(), "{error}");
    assert!(error.to_string().contains("by_times") && !error.to_string().contains("dup key"), "{error}");
    let words = mongo.collection::<Document>("words");
    let error =
        mongo.run(async { words.insert_one(doc! { "_id": "b", "times": "x" }).await }).await.unwrap_err();
    assert!(matches!(error, StorageError::Rejected { .. }) && !error.concerns_all(), "{error}");
    mongo.close().await;
}

/// Moves a number from one word to another.
struct Move {
    by: i64,
    tries: AtomicUsize,
}

#[async_trait::async_trait]
impl Transaction for Move {
    type Outcome = bool;

    async fn run(&self, session: &mut Session) -> Result<bool, mongodb::error::Error> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        let by = |word: &str, by: i64| doc! { "q": { "_id": word }, "u": { "$inc": { "times": by } } };
        session.update("words", vec![by("from", -self.by), by("to", self.by)]).await?;
        let from: Option<Document> = session.find_one("words", doc! { "_id": "from" }).await?;
        if from.is_some_and(|from| from.get_i64("times").unwrap() < 0) {
            return session.insert_new("words", &doc! { "_id": "to", "times": 0_i64 }).await;
        }
        Ok(true)
    }
}

#[tokio::test]
async fn a_transaction_is_whole_or_not_there_and_waits_for_others() {
    let mongo = open(&stage::on_replica_set().await).await;
    add(&mongo, "from", 10).await.unwrap();
    add(&mongo, "to", 100).await.unwrap();
    let moves: Vec<_> = (0..10).map(|_| Move { by: 1, tries: AtomicUsize::new(0) }).collect();
    let moved = futures_util::future::join_all(moves.iter().map(|one| mongo.transact(one))).await;
    assert!(moved.into_iter().all(|moved| moved.unwrap()));

    let too_far = Move { by: 1, tries: AtomicUsize::new(0) };
    assert!(!mongo.transact(&too_far).await.unwrap(), "an outcome may be made of an error");
    let words = mongo.collection::<Document>("words");
    for (word, times) in [("from", 0), ("to", 110)] {
        let found = words.find_one(doc! { "_id": word }).await.unwrap().unwrap();
        assert_eq!(found.get_i64("times").unwrap(), times, "{word}");
    }
    mongo.close().await;
}

/// Adds words, and refuses one.
struct Words;

#[async_trait::async_trait]
impl Apply for Words {
    type Op = i64;
    type Reply = i64;

    async fn apply(&self, session: &mut Session, batch: &[i64]) -> Result<Vec<i64>, mongodb::error::Error> {
        let document = |times: &i64| match times {
            13 => doc! { "_id": times, "times": "unlucky" },
            17 => panic!("a fault in the store"),
            times => doc! { "_id": times, "times": times },
        };
        session.insert("words", &batch.iter().map(document).collect::<Vec<_>>()).await?;
        Ok(batch.to_vec())
    }
}

#[tokio::test]
async fn of_writes_that_share_a_transaction_the_poisoned_fail_alone() {
    let mongo = open(&stage::on_replica_set().await).await;
    let writer = Writer::start(mongo.clone(), Words, 8, 64);
    let written = futures_util::future::join_all((1..=20).map(|times| writer.submit(times))).await;
    for (times, written) in (1..=20).zip(written) {
        match times {
            13 | 17 => assert!(matches!(written, Err(StorageError::Rejected { .. })), "{times}"),
            times => assert_eq!(written.unwrap(), times),
        }
    }
    assert_eq!(count(&mongo).await.unwrap(), 18);
    writer.close().await;
    assert!(matches!(writer.submit(21).await, Err(StorageError::Closed { .. })));
    mongo.close().await;
}

#[tokio::test]
async fn a_server_that_stands_alone_does_without_transactions() {
    let server = servers::mongod(false);
    let mongo = open(&stage::options(&server)).await;
    add(&mongo, "from", 10).await.unwrap();
    add(&mongo, "to", 100).await.unwrap();
    assert!(mongo.transact(&Move { by: 1, tries: AtomicUsize::new(0) }).await.unwrap());
    assert_eq!(count(&mongo).await.unwrap(), 2);
    mongo.close().await;
}
