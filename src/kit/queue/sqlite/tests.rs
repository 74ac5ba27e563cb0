//! The embedded queue passes the suite, and what is its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{ConnectOptions, Row, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::SqliteQueue;
use super::statements::list_sql;
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::queue::conformance::{self, Act, Factory, QUEUE, Script, Worker, clock, enqueue_all, id};
use crate::kit::queue::{ConsumeOptions, Depth, JobState, Queue, QueueOptions};
use crate::kit::storage::sqlite::Options;

struct InFolder {
    folder: TempDir,
}

impl InFolder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
}

#[async_trait]
impl Factory for InFolder {
    async fn open(&self, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
        let file = self.folder.path().join("queue.db");
        let storage = Options { busy_timeout: Duration::from_millis(500), ..Options::new(file) };
        let queue = SqliteQueue::open(&storage, options, clock, Entropy::seeded(1), &|_| {}).await;
        Arc::new(queue.unwrap())
    }

    async fn close(&self, queue: Arc<dyn Queue>) {
        queue.close().await;
    }
}

conformance::conformance!(InFolder::new());
conformance::conformance_manual_clock!(InFolder::new());

/// What the claim costs must not depend on how many wait: it walks one index, and sorts nothing.
#[tokio::test]
async fn a_claim_reads_the_head_of_an_index() {
    let store = InFolder::new();
    store.open(QueueOptions::default(), clock()).await.close().await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(store.folder.path().join("queue.db"));
    let mut conn = file.connect().await.unwrap();
    for (sql, index) in [
        (
            "SELECT seq FROM jobs WHERE queue = ?1 AND state = 0 ORDER BY priority, run_at, id LIMIT ?2",
            "jobs_waiting ",
        ),
        (
            "SELECT seq FROM jobs WHERE queue = ?1 AND state = 2 AND run_at <= ?2 ORDER BY run_at LIMIT 9",
            "jobs_delayed ",
        ),
        ("SELECT seq FROM jobs WHERE queue = ?1 AND state = 1 AND lease_until <= ?2", "jobs_active_by_age"),
        ("SELECT min(priority) FROM jobs WHERE queue = ?1 AND state = 0 AND priority > ?2", "jobs_waiting "),
        ("SELECT min(run_at) FROM jobs WHERE queue = ?1 AND state = 0 AND priority = ?2", "jobs_waiting "),
        ("SELECT min(run_at) FROM jobs WHERE queue = ?1 AND state = 2", "jobs_delayed "),
        ("SELECT seq FROM jobs WHERE queue = ?1 AND state = 3", "jobs_failed_by_age"),
    ] {
        let plan = plan(&mut conn, sql).await;
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

/// What a page costs must not depend on how many jobs there are, of whatever state.
#[tokio::test]
async fn a_list_reads_a_range_of_an_index_and_sorts_nothing() {
    let store = InFolder::new();
    store.open(QueueOptions::default(), clock()).await.close().await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(store.folder.path().join("queue.db"));
    let mut conn = file.connect().await.unwrap();
    let states = [JobState::Waiting, JobState::Active, JobState::Delayed, JobState::Failed];
    for state in [None].into_iter().chain(states.map(Some)) {
        let plan = plan(&mut conn, &list_sql(state)).await;
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
        for state in states.into_iter().filter(|one| state.is_none_or(|only| only == *one)) {
            let range =
                format!("SEARCH jobs USING INDEX jobs_{}_by_age (queue=? AND rowid>?)", state.as_str());
            assert!(plan.contains(&range), "{plan}");
        }
    }
}

async fn plan(conn: &mut SqliteConnection, sql: &str) -> String {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(conn).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail") + "; ").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_sole_owner_another_process_takes_over_when_the_lease_is_over() {
    let store = InFolder::new();
    let shared = QueueOptions { sole_owner: false, ..QueueOptions::default() };
    let (first, second) = (store.open(shared.clone(), clock()).await, store.open(shared, clock()).await);
    enqueue_all(&first, [1]).await;
    let short = ConsumeOptions { lease: Duration::from_millis(200), ..ConsumeOptions::default() };
    let stuck = Script::new(|_| Act::Hold(Arc::new(Semaphore::new(0))));
    let worker = Worker::start(&first, &stuck, short.clone());
    stuck.begun_times(1).await;
    assert_eq!(second.depth(QUEUE).await.unwrap().active, 1, "counted in the file, not in memory");
    worker.drop_in_flight().await;

    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&second, &handler, short);
    handler.ended_times(1).await;
    worker.stop().await;

    assert_eq!(handler.begun(), [(id(1), 2)]);
    assert_eq!(first.depth(QUEUE).await.unwrap(), Depth::default());
    first.close().await;
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_for_a_while_loses_nothing() {
    let store = InFolder::new();
    let queue = store.open(QueueOptions::default(), clock()).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |_| Act::Hold(Arc::clone(&held)));
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    enqueue_all(&queue, 1..=3).await;
    handler.begun_times(3).await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(store.folder.path().join("queue.db"));
    let mut other = file.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

    gate.add_permits(3);
    handler.ended_times(3).await;
    queue.enqueue(conformance::job(4)).await.unwrap_err();
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();

    worker.stop().await;
    assert_eq!(handler.begun().len(), 3);
    assert_eq!(queue.depth(QUEUE).await.unwrap(), Depth::default());
    queue.close().await;
}
