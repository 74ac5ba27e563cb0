//! Group commit: whoever writes at the same moment shares one transaction, and so one flush.
//!
//! One task owns the only write connection. It takes what is waiting, applies it in one
//! transaction, commits, and only then answers. While it waits for the disk the next batch gathers,
//! so batches grow by themselves with the load and a lone writer never waits for company.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Options;
use crate::kit::storage::StorageError;

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
}

impl<A: Apply> fmt::Debug for Writer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<A: Apply> Writer<A> {
    pub(super) fn start(conn: SqliteConnection, store: A, file: Arc<Path>, options: &Options) -> Self {
        let (submit, submitted) = mpsc::channel(options.backlog.max(1));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let task = Task { conn, store, file: Arc::clone(&file), submitted, batch: options.batch.max(1) };
        tasks.spawn(task.run(stop.clone()));
        tasks.close();
        Self { submit, stop, tasks, file }
    }

    pub(super) async fn submit(&self, op: A::Op) -> Result<A::Reply, StorageError> {
        let (reply, replied) = oneshot::channel();
        let closed = || StorageError::Closed { file: self.file.to_path_buf() };
        self.submit.send(Submitted { op, reply }).await.map_err(|_| closed())?;
        replied.await.map_err(|_| closed())?
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
        self.store.committed(ops, &mut replies);
        for (reply, caller) in replies.into_iter().zip(callers) {
            let _ = caller.send(Ok(reply));
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
            Ok(Ok(replies)) => return Ok(replies),
            Ok(Err(error)) => StorageError::from_sqlx(&self.file, &error),
            Err(_) => StorageError::Rejected {
                file: self.file.to_path_buf(),
                detail: "the operation panicked".to_owned(),
            },
        };
        // Fails where nothing is open any more, which is what it is for.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.conn).await;
        Err(error)
    }
}
