//! A `SQLite` file: one writer that groups commits, a small pool of readers, migrations.
//!
//! A store implements [`Apply`] for its own operations and opens a [`Database`] over it. Writes go
//! through [`Database::write`], which answers once the change is on disk; reads go through
//! [`Database::read`], which sees every write that has been answered. [`Database::check`] says
//! whether both can be done.

mod condition;
mod migrations;
mod rows;
#[cfg(test)]
mod tests;
mod transaction;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, SqlitePool};

pub use super::migration::{Migration, MigrationStep, OnMigration};
pub use migrations::standing;
pub use rows::RowInsert;
pub use transaction::{Transaction, Transactions};
pub use writer::Apply;

use super::StorageError;
use super::migration::Standing;
use crate::kit::clock::SharedClock;
use writer::Writer;

/// How sure a commit is to survive a loss of power (`PRAGMA synchronous`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synchronous {
    /// Flushed to the disk before a write is answered.
    #[default]
    Full,
    /// Safe against a crash of the process; the last moments may go with a loss of power.
    Normal,
}

/// How a file is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the file is; its folder must exist. Created readable by its owner alone.
    pub file: PathBuf,
    /// What a commit waits for.
    pub synchronous: Synchronous,
    /// Read-only connections, opened when first needed.
    pub readers: u32,
    /// How long to wait for another process before a write is [`StorageError::Locked`].
    pub busy_timeout: Duration,
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// The most operations in one transaction.
    pub batch: usize,
    /// Operations that may wait for the writer; further callers wait for a place.
    pub backlog: usize,
}

impl Options {
    /// The defaults for `file`: flushed commits, two readers, five seconds of patience, 8 MiB of cache.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            synchronous: Synchronous::Full,
            readers: 2,
            busy_timeout: Duration::from_secs(5),
            cache_kib: 8 * 1024,
            batch: 512,
            backlog: 2048,
        }
    }
}

/// An open file, written through the store `A`.
pub struct Database<A: Apply> {
    file: Arc<Path>,
    readers: SqlitePool,
    /// One connection that no history is read on, so that health is known while the readers are busy.
    spare: SqlitePool,
    writer: Writer<A>,
}

impl<A: Apply> std::fmt::Debug for Database<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<A: Apply> Database<A> {
    /// Opens or creates the file, brings its schema up to date, and lets `store` prepare itself on
    /// the write connection ([`Apply::opened`]).
    ///
    /// # Errors
    /// Any [`StorageError`]; [`StorageError::Newer`] when a later binary has been here.
    pub async fn open(
        options: &Options,
        migrations: &[Migration],
        mut store: A,
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        let file: Arc<Path> = options.file.as_path().into();
        let mut conn = migrated(options, migrations, clock, on_migration).await?;
        store.opened(&mut conn).await.map_err(|error| StorageError::from_sqlx(&file, &error))?;
        let connect = connect_options(options).read_only(true);
        let readers = pool(options, options.readers.max(1)).connect_lazy_with(connect.clone());
        let spare = pool(options, 1).connect_lazy_with(connect);
        let writer = Writer::start(conn, store, Arc::clone(&file), options, Arc::clone(clock));
        Ok(Self { file, readers, spare, writer })
    }

    /// Does `op` in a transaction that it shares with whoever else is writing, and answers once it
    /// is committed. A caller that stops waiting does not undo what it has submitted.
    ///
    /// # Errors
    /// What kept the operation from being committed; then nothing of it is in the file.
    pub async fn write(&self, op: A::Op) -> Result<A::Reply, StorageError> {
        self.writer.submit(op).await
    }

    /// A read-only connection; it goes back to the pool when dropped.
    ///
    /// # Errors
    /// [`StorageError::Closed`] after [`Database::close`], [`StorageError::Busy`] when none came free
    /// within the busy timeout.
    pub async fn read(&self) -> Result<PoolConnection<Sqlite>, StorageError> {
        self.readers.acquire().await.map_err(|error| self.error(&error))
    }

    /// A read-only connection beside the others, for figures that take no time.
    ///
    /// # Errors
    /// Those of [`Database::read`].
    pub async fn glance(&self) -> Result<PoolConnection<Sqlite>, StorageError> {
        self.spare.acquire().await.map_err(|error| self.error(&error))
    }

    /// Whether the file can be read, and written as far as is known: a write that failed for a reason
    /// that concerns all is remembered until one succeeds. While it is, a check tries a write of its
    /// own, at most once a second, so that the end of the trouble is noticed without traffic.
    ///
    /// # Errors
    /// What keeps it from being read or written.
    pub async fn check(&self) -> Result<(), StorageError> {
        self.writer.check().await?;
        let mut conn = self.glance().await?;
        sqlx::query("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut *conn)
            .await
            .map(drop)
            .map_err(|error| self.error(&error))
    }

    /// Sorts a driver's error that a store met on a connection of this file.
    pub fn error(&self, error: &sqlx::Error) -> StorageError {
        StorageError::from_sqlx(&self.file, error)
    }

    /// The file's path.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Commits what has been submitted, moves the write-ahead log into the file and closes it.
    /// Later calls fail with [`StorageError::Closed`]. May be called more than once.
    pub async fn close(&self) {
        self.readers.close().await;
        self.spare.close().await;
        self.writer.close().await;
    }
}

/// Brings the file up to date, or makes it, and says how it stands then.
///
/// # Errors
/// Those of [`Database::open`].
pub async fn migrate(
    options: &Options,
    migrations: &[Migration],
    clock: &SharedClock,
    on_migration: OnMigration<'_>,
) -> Result<Standing, StorageError> {
    let conn = migrated(options, migrations, clock, on_migration).await?;
    conn.close().await.map_err(|error| StorageError::from_sqlx(&options.file, &error))?;
    standing(&options.file, migrations).await
}

/// The write connection of a file that is up to date.
async fn migrated(
    options: &Options,
    migrations: &[Migration],
    clock: &SharedClock,
    on_migration: OnMigration<'_>,
) -> Result<SqliteConnection, StorageError> {
    let file = options.file.as_path();
    create_private(file)?;
    let mut conn = writer_options(&connect_options(options), options)
        .connect()
        .await
        .map_err(|error| StorageError::from_sqlx(file, &error))?;
    migrations::run(&mut conn, file, migrations, clock.now(), on_migration).await?;
    Ok(conn)
}

fn pool(options: &Options, connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.busy_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        // A local file does not drop connections; the check would cost a thread hop each time.
        .test_before_acquire(false)
}

fn connect_options(options: &Options) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.file)
        .create_if_missing(false)
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .pragma("cache_size", format!("-{}", options.cache_kib))
        // Rows travel from the connection's thread one by one: with room for a batch it need not
        // wait for the reader in between.
        .row_buffer_size(1024)
        .log_slow_statements(tracing::log::LevelFilter::Off, Duration::MAX)
        .log_statements(tracing::log::LevelFilter::Off)
}

fn writer_options(connect: &SqliteConnectOptions, options: &Options) -> SqliteConnectOptions {
    connect
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match options.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        })
        // 16 MiB of log between checkpoints: pages that change often are moved less often.
        .pragma("wal_autocheckpoint", "4096")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256)
}

/// What users say is private: the file (and with it its log) is its owner's alone.
fn create_private(file: &Path) -> Result<(), StorageError> {
    let mut open = std::fs::OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    open.open(file).map(drop).map_err(|error| StorageError::from_io(file, &error))
}
