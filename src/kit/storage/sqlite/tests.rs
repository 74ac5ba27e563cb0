//! The writer, the migrations and the errors, on a store that keeps words.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use tempfile::TempDir;

use super::{Apply, Database, Migration, Options, RowInsert, Synchronous};
use crate::kit::clock::{ManualClock, SharedClock, SystemClock};
use crate::kit::storage::StorageError;

const FIRST: Migration = Migration {
    version: 1,
    name: "words",
    body: "CREATE TABLE words (word TEXT PRIMARY KEY, times INTEGER NOT NULL)",
};
const SECOND: Migration = Migration {
    version: 2,
    name: "lengths",
    body: "ALTER TABLE words ADD COLUMN length INTEGER; CREATE INDEX words_length ON words (length)",
};

static INSERT: RowInsert = RowInsert::new("INSERT INTO words (word, times) VALUES", 2, "");

/// A store whose operation is a word, which must be new. "panic" is a fault in the store, "panic late"
/// one that shows after the commit.
#[derive(Default)]
struct Words {
    committed: Arc<AtomicUsize>,
    batches: Arc<AtomicUsize>,
    pages: Option<u32>,
}

#[async_trait]
impl Apply for Words {
    type Op = String;
    type Reply = usize;

    async fn opened(&mut self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if let Some(pages) = self.pages {
            let limit = format!("PRAGMA max_page_count = {pages}");
            sqlx::query(sqlx::AssertSqlSafe(limit)).execute(conn).await?;
        }
        Ok(())
    }

    async fn apply(
        &mut self,
        conn: &mut SqliteConnection,
        batch: &[String],
    ) -> Result<Vec<usize>, sqlx::Error> {
        assert!(!batch.contains(&"panic".to_owned()), "a fault in the store");
        INSERT.run(conn, batch, |query, word| query.bind(word.clone()).bind(1)).await?;
        Ok(batch.iter().map(String::len).collect())
    }

    fn committed(&mut self, batch: Vec<String>, _: &mut [usize]) {
        assert!(!batch.contains(&"panic late".to_owned()), "a fault in the store");
        self.committed.fetch_add(batch.len(), Ordering::SeqCst);
        self.batches.fetch_add(1, Ordering::SeqCst);
    }
}

fn options(folder: &TempDir) -> Options {
    Options { busy_timeout: Duration::from_millis(100), ..Options::new(folder.path().join("words.db")) }
}

async fn open_with(folder: &TempDir, list: &[Migration]) -> Result<Database<Words>, StorageError> {
    let clock: SharedClock = Arc::new(SystemClock);
    Database::open(&options(folder), list, Words::default(), &clock, &|_| {}).await
}

async fn open(folder: &TempDir) -> Database<Words> {
    open_with(folder, &[FIRST]).await.unwrap()
}

async fn count(db: &Database<Words>) -> i64 {
    let mut conn = db.read().await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM words").fetch_one(&mut *conn).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_share_few_commits_and_all_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Words::default();
    let (committed, batches) = (Arc::clone(&store.committed), Arc::clone(&store.batches));
    let clock: SharedClock = Arc::new(SystemClock);
    let db = Database::open(&options(&folder), &[FIRST], store, &clock, &|_| {}).await.unwrap();
    let db = Arc::new(db);
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let db = Arc::clone(&db);
            tokio::spawn(async move {
                for number in 0..30 {
                    let word = format!("{writer}-{number}");
                    let length = word.len();
                    assert_eq!(db.write(word).await.unwrap(), length, "each gets its own answer");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }

    assert_eq!(count(&db).await, 1_920);
    assert_eq!(committed.load(Ordering::SeqCst), 1_920);
    let batches = batches.load(Ordering::SeqCst);
    assert!(batches < 960, "{batches} commits for 1,920 writes");
    db.close().await;
}

#[tokio::test]
async fn a_poisoned_operation_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    db.write("known".to_owned()).await.unwrap();

    let words = ["a", "known", "b", "panic", "c"].map(|word| db.write(word.to_owned()));
    let done = futures_util::future::join_all(words).await;

    assert_eq!(done.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false, true]);
    assert!(matches!(done[1], Err(StorageError::Rejected { .. })), "{:?}", done[1]);
    assert!(done[3].as_ref().unwrap_err().to_string().contains("panicked"));
    assert_eq!(count(&db).await, 4);
    db.close().await;
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_disturb_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let mut dropped = Box::pin(db.write("dropped".to_owned()));
    let mut kept = Box::pin(db.write("kept".to_owned()));
    assert!(futures_util::poll!(&mut dropped).is_pending());
    assert!(futures_util::poll!(&mut kept).is_pending());
    drop(dropped);

    kept.await.unwrap();

    assert_eq!(count(&db).await, 2, "what was submitted is done");
    db.close().await;
}

#[tokio::test]
async fn closing_finishes_what_was_submitted_and_leaves_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    assert_eq!(count(&db).await, 0);
    let mut last = Box::pin(db.write("last".to_owned()));
    assert!(futures_util::poll!(&mut last).is_pending());

    db.close().await;
    db.close().await;

    last.await.unwrap();
    assert!(matches!(db.write("late".to_owned()).await, Err(StorageError::Closed { .. })));
    assert!(matches!(db.read().await, Err(StorageError::Closed { .. })));
    assert!(!folder.path().join("words.db-wal").exists());
    let db = open(&folder).await;
    assert_eq!(count(&db).await, 1);
    db.close().await;
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let mut conn = db.read().await.unwrap();
    let refused = sqlx::query("DELETE FROM words").execute(&mut *conn).await.unwrap_err();
    assert!(matches!(db.error(&refused), StorageError::Permission { .. }), "{refused}");
    drop(conn);
    db.close().await;
}

#[tokio::test]
async fn a_file_is_its_owners_alone_and_kept_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let clock: SharedClock = Arc::new(SystemClock);
    let options = Options { synchronous: Synchronous::Normal, ..options(&folder) };
    let db = Database::open(&options, &[FIRST], Words::default(), &clock, &|_| {}).await.unwrap();
    let mut conn = db.read().await.unwrap();
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *conn).await.unwrap();
    assert_eq!(mode, "wal");
    drop(conn);
    #[cfg(unix)]
    for name in ["words.db", "words.db-wal"] {
        let about = std::fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777, 0o600, "{name}");
    }
    db.close().await;
}

#[tokio::test]
async fn migrations_run_once_in_order_and_are_announced() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await;
    let clock: SharedClock = Arc::new(SystemClock);
    let steps = std::sync::Mutex::new(Vec::new());
    for _ in 0..2 {
        let seen =
            |step: super::MigrationStep| steps.lock().unwrap().push((step.done, step.total, step.name));
        let list = [FIRST, SECOND];
        let db = Database::open(&options(&folder), &list, Words::default(), &clock, &seen).await.unwrap();
        db.close().await;
    }
    assert_eq!(*steps.lock().unwrap(), [(0, 1, "lengths")]);
}

#[tokio::test]
async fn a_newer_file_is_refused_and_an_altered_migration_too() {
    let folder = tempfile::tempdir().unwrap();
    open_with(&folder, &[FIRST, SECOND]).await.unwrap().close().await;

    let newer = open_with(&folder, &[FIRST]).await.unwrap_err();
    assert!(matches!(newer, StorageError::Newer { found: 2, known: 1, .. }), "{newer}");
    assert!(newer.to_string().contains("newer Voicera"), "{newer}");
    let other = Migration { body: "CREATE TABLE words (word TEXT)", ..FIRST };
    let altered = open_with(&folder, &[other, SECOND]).await.unwrap_err();
    assert!(matches!(altered, StorageError::Altered { version: 1, .. }), "{altered}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let broken = Migration { body: "CREATE TABLE half (a); CREATE TABLE words (b)", ..SECOND };
    open_with(&folder, &[FIRST, broken]).await.unwrap_err();

    let db = open_with(&folder, &[FIRST, SECOND]).await.unwrap();
    let mut conn = db.read().await.unwrap();
    let half: Option<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE name = 'half'")
        .fetch_optional(&mut *conn)
        .await
        .unwrap();
    assert_eq!(half, None);
    drop(conn);
    db.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("words.db"), [b'x'; 8192]).unwrap();
    let error = open_with(&folder, &[FIRST]).await.unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("words.db"), "{error}");

    let clock: SharedClock = Arc::new(SystemClock);
    let nowhere = Options::new(folder.path().join("missing").join("words.db"));
    let error = Database::open(&nowhere, &[FIRST], Words::default(), &clock, &|_| {}).await.unwrap_err();
    assert!(matches!(error, StorageError::Io { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_process_holds_is_locked_and_works_again_afterwards() {
    use sqlx::ConnectOptions;
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let other = sqlx::sqlite::SqliteConnectOptions::new().filename(db.file());
    let mut other = other.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

    let error = db.write("held".to_owned()).await.unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }) && error.is_transient(), "{error}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    db.write("free".to_owned()).await.unwrap();
    db.close().await;
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_what_was_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    // A limit on the file gives the result code of a full disk, SQLITE_FULL.
    let store = Words { pages: Some(12), ..Words::default() };
    let clock: SharedClock = Arc::new(SystemClock);
    let db = Database::open(&options(&folder), &[FIRST], store, &clock, &|_| {}).await.unwrap();
    db.write("small".to_owned()).await.unwrap();

    let error = db.write("x".repeat(100_000)).await.unwrap_err();

    assert!(matches!(error, StorageError::Full { .. }) && error.is_transient(), "{error}");
    assert!(error.to_string().contains("words.db: the disk is full"), "{error}");
    db.write("also small".to_owned()).await.unwrap();
    assert_eq!(count(&db).await, 2);
    db.close().await;
}

#[tokio::test]
async fn a_fault_after_the_commit_ends_neither_the_writer_nor_its_callers_wait() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;

    assert_eq!(db.write("panic late".to_owned()).await.unwrap(), 10, "it is on disk");
    db.write("next".to_owned()).await.unwrap();

    db.check().await.unwrap();
    assert_eq!(count(&db).await, 2);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_fails_from_the_first_failed_write_until_one_succeeds() {
    use sqlx::ConnectOptions;
    let folder = tempfile::tempdir().unwrap();
    let time = Arc::new(ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap()));
    let clock: SharedClock = Arc::clone(&time) as SharedClock;
    let db = Database::open(&options(&folder), &[FIRST], Words::default(), &clock, &|_| {}).await.unwrap();
    db.check().await.unwrap();
    let other = sqlx::sqlite::SqliteConnectOptions::new().filename(db.file());
    let mut other = other.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    db.check().await.unwrap();

    db.write("held".to_owned()).await.unwrap_err();
    for _ in 0..2 {
        let error = db.check().await.unwrap_err();
        assert!(matches!(error, StorageError::Locked { .. }), "{error}");
        assert!(count(&db).await == 0, "it can still be read");
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    db.check().await.expect_err("tried a moment ago");
    time.advance(jiff::SignedDuration::from_secs(1));
    db.check().await.expect("noticed without a caller's write");

    db.close().await;
    assert!(matches!(db.check().await, Err(StorageError::Closed { .. })));
}

#[tokio::test]
async fn an_operation_that_fails_alone_says_nothing_about_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    db.write("known".to_owned()).await.unwrap();
    db.write("known".to_owned()).await.unwrap_err();
    db.check().await.unwrap();
    db.close().await;
}

#[tokio::test]
async fn busy_readers_are_told_as_such_and_leave_health_alone() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder).await;
    let held = (db.read().await.unwrap(), db.read().await.unwrap());

    let error = db.read().await.unwrap_err();

    assert!(matches!(error, StorageError::Busy { .. }) && error.is_transient(), "{error}");
    db.check().await.unwrap();
    drop(held);
    db.read().await.unwrap();
    db.close().await;
}
