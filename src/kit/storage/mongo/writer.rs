//! Group commit: whoever writes at the same moment shares one transaction, and so one wait for the disks
//! of a majority.
//!
//! While one batch is on its way the next gathers, so batches grow by themselves with the load. Writers
//! of one process never conflict with each other over a counter that all of them move.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use mongodb::error::Error;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Mongo, Session, Transaction};
use crate::kit::storage::StorageError;

/// A store's half of group commit: what its operations are and how a batch of them is done.
#[async_trait]
pub trait Apply: Send + Sync + 'static {
    /// One caller's operation.
    type Op: Send + Sync + 'static;
    /// What that caller gets once it is committed.
    type Reply: Send + 'static;

    /// Does `batch`, merging alike operations, and returns a reply for each, in order.
    ///
    /// May be called again with all of the batch or parts of it, also when it was committed and nobody
    /// learnt of that: what is there already has to be left alone.
    ///
    /// # Errors
    /// Undoes the batch. When the batch had more than one operation and the error does not concern all of
    /// them, its halves are then tried, so a poisoned one fails by itself.
    async fn apply(&self, session: &mut Session, batch: &[Self::Op]) -> Result<Vec<Self::Reply>, Error>;
}

struct Submitted<A: Apply> {
    op: A::Op,
    reply: oneshot::Sender<Result<A::Reply, StorageError>>,
}

/// The callers' end.
pub struct Writer<A: Apply> {
    submit: mpsc::Sender<Submitted<A>>,
    mongo: Mongo,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl<A: Apply> std::fmt::Debug for Writer<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("place", self.mongo.place()).finish_non_exhaustive()
    }
}

impl<A: Apply> Writer<A> {
    /// Writes to `mongo`: at most `batch` operations together, while at most `backlog` more wait.
    pub fn start(mongo: Mongo, store: A, batch: usize, backlog: usize) -> Self {
        let (submit, submitted) = mpsc::channel(backlog.max(1));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let task = Task { mongo: mongo.clone(), store: Arc::new(store), submitted, batch: batch.max(1) };
        tasks.spawn(task.run(stop.clone()));
        tasks.close();
        Self { submit, mongo, stop, tasks }
    }

    /// Does `op` with whoever else is writing, and answers once it is on the disks of a majority. A caller
    /// that stops waiting does not undo what it has submitted.
    ///
    /// # Errors
    /// What kept it from being committed, see [`Mongo::transact`].
    pub async fn submit(&self, op: A::Op) -> Result<A::Reply, StorageError> {
        // While the server is away nobody has to wait for their turn to learn it.
        self.mongo.usable()?;
        let (reply, replied) = oneshot::channel();
        let done = async {
            self.submit.send(Submitted { op, reply }).await.map_err(|_| self.mongo.closed())?;
            replied.await.map_err(|_| self.mongo.closed())?
        };
        // One batch may be on its way before this one.
        let deadline = self.mongo.operation_timeout() * 2;
        tokio::time::timeout(deadline, done).await.unwrap_or_else(|_| Err(self.mongo.too_late(deadline)))
    }

    /// Commits what has been submitted, and takes no more.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

struct Task<A: Apply> {
    mongo: Mongo,
    store: Arc<A>,
    submitted: mpsc::Receiver<Submitted<A>>,
    batch: usize,
}

/// Operations as a transaction.
struct Batch<'a, A: Apply> {
    store: &'a A,
    ops: &'a [A::Op],
}

#[async_trait]
impl<A: Apply> Transaction for Batch<'_, A> {
    type Outcome = Vec<A::Reply>;

    async fn run(&self, session: &mut Session) -> Result<Vec<A::Reply>, Error> {
        let replies = self.store.apply(session, self.ops).await?;
        if replies.len() == self.ops.len() {
            Ok(replies)
        } else {
            Err(Error::custom("a store answered too few of its callers".to_owned()))
        }
    }
}

impl<A: Apply> Task<A> {
    /// Until told to stop, or until nobody is left who could submit; then does what is still waiting.
    async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(self.batch);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !self.submitted.is_closed() => self.submitted.close(),
                taken = self.submitted.recv_many(&mut batch, self.batch) => {
                    if taken == 0 {
                        break;
                    }
                    let (ops, callers) = batch.drain(..).map(|one| (one.op, one.reply)).unzip();
                    self.commit(ops, callers).await;
                }
            }
        }
    }

    async fn commit(&self, ops: Vec<A::Op>, callers: Vec<oneshot::Sender<Result<A::Reply, StorageError>>>) {
        let mut parts = vec![(ops, callers)];
        while let Some((mut ops, mut callers)) = parts.pop() {
            match self.transact(&ops).await {
                Ok(replies) => {
                    for (reply, caller) in replies.into_iter().zip(callers) {
                        // A caller that has gone does not want to know.
                        let _ = caller.send(Ok(reply));
                    }
                }
                Err(error) if ops.len() == 1 || error.concerns_all() => {
                    for caller in callers {
                        let _ = caller.send(Err(error.clone()));
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, size = ops.len(), "a batch failed; trying its halves");
                    let middle = ops.len() / 2;
                    let rest = (ops.split_off(middle), callers.split_off(middle));
                    parts.extend([rest, (ops, callers)]);
                }
            }
        }
    }

    async fn transact(&self, ops: &[A::Op]) -> Result<Vec<A::Reply>, StorageError> {
        let batch = Batch { store: &*self.store, ops };
        // A panic in a store is a bug, but not a reason for every later write to fail.
        AssertUnwindSafe(self.mongo.transact(&batch)).catch_unwind().await.unwrap_or_else(|_| {
            let detail = "the operation panicked".to_owned();
            Err(StorageError::Rejected { place: self.mongo.place().clone(), detail })
        })
    }
}
