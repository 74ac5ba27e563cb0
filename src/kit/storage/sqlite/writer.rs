//! Group commit: whoever writes at the same moment shares one transaction, and so one flush.
//!
//! One task owns the only write connection. It takes what is waiting, applies it in one
//! transaction, commits, and only then answers. While it waits for the disk the next batch gathers,
//! so batches grow by themselves with the load and a lone writer never waits for company.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Options;
use super::condition::Condition;
use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;

/// How long a check waits for its own write.
const PATIENCE: Duration = Duration::from_millis(500);

/// A store's half of group commit: what its operations are and how a batch of them is done.
#[async_trait]
pub trait Apply: Send + 'static {
    /// One caller's operation.
    type Op: Send + Sync + 'static;
    /// What that caller gets once it is committed. An outcome that is the caller's own business (not
    /// found, refused) belongs in here, an `Err` of `apply` undoes the whole transaction.
    type Reply: Send + 'static;

    /// Called once with the write connection, after the migrations and before the first batch.
    async fn opened(&mut self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let _ = conn;
        Ok(())
    }

    /// Does `batch` inside the transaction that is open on `conn`, merging alike operations into
    /// one statement, and returns a reply for each operation, in order.
    ///
    /// It may be called again with parts of the same batch after a failure, so it keeps nothing
    /// of what it did before [`Apply::committed`] says that it is true.
    ///
    /// # Errors
    /// Undoes the batch. When the batch had more than one operation and the error does not concern
    /// all of them, each is then tried alone, so a poisoned one fails by itself.
    async fn apply(
        &mut self,
        conn: &mut SqliteConnection,
        batch: &[Self::Op],
    ) -> Result<Vec<Self::Reply>, sqlx::Error>;

    /// `batch` is on disk; its callers are answered right after. For counters and for waking others.
    fn committed(&mut self, batch: Vec<Self::Op>, replies: &mut [Self::Reply]) {
        let _ = (batch, replies);
    }
}

struct Submitted<A: Apply> {
    op: A::Op,
    reply: oneshot::Sender<Result<A::Reply, StorageError>>,
}

/// The callers' end of the writer's channel.
pub(super) struct Writer<A: Apply> {
    submit: mpsc::Sender<Submitted<A>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    file: Arc<Path>,
    condition: Arc<Condition>,
    try_write: mpsc::Sender<oneshot::Sender<()>>,
    clock: SharedClock,
}

impl<A: Apply> fmt::Debug for Writer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<A: Apply> Writer<A> {
    pub(super) fn start(
        conn: SqliteConnection,
        store: A,
        file: Arc<Path>,
        options: &Options,
        clock: SharedClock,
    ) -> Self {
        let (submit, submitted) = mpsc::channel(options.backlog.max(1));
        let (try_write, tries) = mpsc::channel(1);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let condition = Arc::new(Condition::default());
        let task = Task {
            conn,
            store,
            file: Arc::clone(&file),
            submitted,
            tries,
            condition: Arc::clone(&condition),
            batch: options.batch.max(1),
        };
        tasks.spawn(task.run(stop.clone()));
        tasks.close();
        Self { submit, stop, tasks, file, condition, try_write, clock }
    }

    /// Whether writes succeed, as far as is known; see [`Database::check`](super::Database::check).
    pub(super) async fn check(&self) -> Result<(), StorageError> {
        if self.submit.is_closed() {
            return Err(self.closed());
        }
        if self.condition.try_now(self.clock.now()) {
            let (done, tried) = oneshot::channel();
            // A writer that is in the middle of something will know more when it is through.
            if self.try_write.try_send(done).is_ok() {
                let _ = tokio::time::timeout(PATIENCE, tried).await;
            }
        }
        self.condition.error().map_or(Ok(()), Err)
    }

    fn closed(&self) -> StorageError {
        StorageError::Closed { place: self.file.as_ref().into() }
    }

    pub(super) async fn submit(&self, op: A::Op) -> Result<A::Reply, StorageError> {
        let (reply, replied) = oneshot::channel();
        self.submit.send(Submitted { op, reply }).await.map_err(|_| self.closed())?;
        replied.await.map_err(|_| self.closed())?
    }

    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

struct Task<A: Apply> {
    conn: SqliteConnection,
    store: A,
    file: Arc<Path>,
    submitted: mpsc::Receiver<Submitted<A>>,
    /// Checks that want to know whether writes succeed again.
    tries: mpsc::Receiver<oneshot::Sender<()>>,
    condition: Arc<Condition>,
    batch: usize,
}

impl<A: Apply> Task<A> {
    /// Until told to stop, or until nobody is left who could submit; then does what is still waiting.
    async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(self.batch);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !self.submitted.is_closed() => {
                    self.submitted.close();
                    continue;
                }
                taken = self.submitted.recv_many(&mut batch, self.batch) => {
                    if taken == 0 {
                        break;
                    }
                }
                Some(done) = self.tries.recv() => {
                    self.try_write().await;
                    // A check that has lost its patience looks again later.
                    let _ = done.send(());
                    continue;
                }
            }
            let (ops, callers) = batch.drain(..).map(|one| (one.op, one.reply)).unzip();
            self.commit(ops, callers).await;
        }
        let flushed = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.conn).await;
        if let Err(error) = flushed.and(self.conn.close().await) {
            // The log keeps every commit; the next open replays it.
            tracing::warn!(file = %self.file.display(), %error, "the write-ahead log was left for the next start");
        }
    }

    async fn commit(
        &mut self,
        mut ops: Vec<A::Op>,
        callers: Vec<oneshot::Sender<Result<A::Reply, StorageError>>>,
    ) {
        match self.transact(&ops).await {
            Ok(replies) => self.answer(ops, replies, callers),
            Err(error) if ops.len() == 1 || error.concerns_all() => {
                for caller in callers {
                    // A caller that has gone does not want to know.
                    let _ = caller.send(Err(error.clone()));
                }
            }
            Err(error) => {
                tracing::debug!(%error, size = ops.len(), "a batch failed; trying its operations one by one");
                for (op, caller) in ops.drain(..).zip(callers) {
                    let alone = vec![op];
                    match self.transact(&alone).await {
                        Ok(replies) => self.answer(alone, replies, vec![caller]),
                        Err(error) => drop(caller.send(Err(error))),
                    }
                }
            }
        }
    }

    fn answer(
        &mut self,
        ops: Vec<A::Op>,
        mut replies: Vec<A::Reply>,
        callers: Vec<oneshot::Sender<Result<A::Reply, StorageError>>>,
    ) {
        // What is committed is committed, whatever becomes of the store's own memory of it.
        let told = std::panic::catch_unwind(AssertUnwindSafe(|| self.store.committed(ops, &mut replies)));
        if told.is_err() {
            tracing::error!(file = %self.file.display(), "a store panicked after a commit: its counts may be wrong until the next start");
        }
        for (reply, caller) in replies.into_iter().zip(callers) {
            let _ = caller.send(Ok(reply));
        }
    }

    /// The smallest write there is: the number that the file has already.
    async fn try_write(&mut self) {
        let conn = &mut self.conn;
        let work = async move {
            let version: i32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *conn).await?;
            let same = format!("PRAGMA user_version = {version}");
            sqlx::query(sqlx::AssertSqlSafe(same)).execute(conn).await.map(drop)
        };
        match work.await {
            Ok(()) => self.condition.succeeded(),
            Err(error) => self.condition.failed(&StorageError::from_sqlx(&self.file, &error)),
        }
    }

    async fn transact(&mut self, ops: &[A::Op]) -> Result<Vec<A::Reply>, StorageError> {
        // The driver's own transactions are no use here: after an error at which the database rolls
        // back by itself (a full disk) they believe for ever that one is still open.
        let (conn, store) = (&mut self.conn, &mut self.store);
        let work = async move {
            sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
            let replies = store.apply(conn, ops).await?;
            if replies.len() != ops.len() {
                return Err(sqlx::Error::Protocol("a store answered too few of its callers".into()));
            }
            sqlx::query("COMMIT").execute(conn).await?;
            Ok(replies)
        };
        // A panic in a store is a bug, but not a reason for every later write to fail.
        let error = match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(replies)) => {
                self.condition.succeeded();
                return Ok(replies);
            }
            Ok(Err(error)) => StorageError::from_sqlx(&self.file, &error),
            Err(_) => StorageError::Rejected {
                place: self.file.as_ref().into(),
                detail: "the operation panicked".to_owned(),
            },
        };
        self.condition.failed(&error);
        // Fails where nothing is open any more, which is what it is for.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.conn).await;
        Err(error)
    }
}
