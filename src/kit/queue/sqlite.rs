//! The embedded queue: one file, one writer, consumers in this process.
//!
//! [`SqliteQueue`] is what the trait needs; the rooms below hold the pieces. `lane` is what is
//! known in memory about one queue (counts, who is to be woken), `ops` what can be done to the file
//! in a transaction, `statements` the SQL, `handoff` the short way for jobs that need not wait, `consumer` the loop that works, `attempt` one job in it.

mod attempt;
mod consumer;
mod handoff;
mod lane;
mod ops;
mod statements;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    Cancel, ConsumeOptions, Depth, Enqueued, Handler, Job, JobCursor, JobFilter, JobPage, JobState, NewJob,
    Queue, QueueError, QueueOptions,
};
use crate::kit::clock::SharedClock;
use crate::kit::ids::{Entropy, JobId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::{Database, Migration, OnMigration, Options};
use consumer::Consumer;
use lane::Lanes;
use ops::{Enqueue, Op, Reply, Store};

/// The schema of `queue.db`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "jobs",
    body: include_str!("../../../migrations/sqlite/queue/0001_jobs.sql"),
}];

/// Durable jobs in a `SQLite` file.
#[derive(Debug)]
pub struct SqliteQueue {
    core: Arc<Core>,
}

/// What the queue shares with its consumers.
#[derive(Debug)]
struct Core {
    db: Database<Store>,
    lanes: Arc<Lanes>,
    options: QueueOptions,
    clock: SharedClock,
    entropy: Entropy,
}

impl SqliteQueue {
    /// Opens or creates the file, and takes back what a dead process was working on
    /// ([`QueueOptions::sole_owner`]).
    ///
    /// # Errors
    /// Those of [`Database::open`].
    pub async fn open(
        storage: &Options,
        options: QueueOptions,
        clock: SharedClock,
        entropy: Entropy,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        let lanes = Arc::new(Lanes::default());
        let store = Store::new(Arc::clone(&lanes), options.sole_owner, clock.now().as_microsecond());
        let db = Database::open(storage, MIGRATIONS, store, &clock, on_migration).await?;
        Ok(Self { core: Arc::new(Core { db, lanes, options, clock, entropy }) })
    }
}

impl Core {
    fn now(&self) -> i64 {
        self.clock.now().as_microsecond()
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, QueueError> {
        let core = &self.core;
        let lane = core.lanes.of(job.queue);
        let Some(place) = lane.reserve(core.options.max_waiting) else {
            return Err(QueueError::Full { queue: job.queue, retry_after: core.options.full_retry_after });
        };
        let now = core.clock.now();
        let later = job.delay.filter(|delay| !delay.is_zero());
        let run_at = later.map_or(now, |delay| now.saturating_add(delay).unwrap_or(Timestamp::MAX));
        let op = Enqueue {
            lane,
            created_at: now.as_microsecond(),
            run_at: run_at.as_microsecond(),
            state: if later.is_some() { JobState::Delayed } else { JobState::Waiting },
            max_attempts: job.max_attempts.unwrap_or(core.options.max_attempts).max(1),
            job,
            _place: place,
        };
        match core.db.write(Op::Enqueue(Box::new(op))).await? {
            Reply::Enqueued(enqueued) => Ok(enqueued),
            other => Err(self.mixed_up(&other)),
        }
    }

    async fn get(&self, id: JobId, owner: Option<UserId>) -> Result<Option<Job>, QueueError> {
        let mut conn = self.core.db.read().await?;
        let found =
            statements::get(&mut conn, id, owner).await.map_err(|error| self.core.db.error(&error))?;
        Ok(found.map(|job| self.core.lanes.with_progress(job)))
    }

    async fn cancel(&self, id: JobId, owner: Option<UserId>) -> Result<Cancel, QueueError> {
        match self.core.db.write(Op::Cancel { id, owner }).await? {
            Reply::Cancelled(cancel) => Ok(cancel),
            other => Err(self.mixed_up(&other)),
        }
    }

    async fn list(&self, filter: JobFilter) -> Result<JobPage, QueueError> {
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(1_000) };
        // Nothing has a number beyond those that a cursor of this store can hold.
        let after = filter.after.map_or(0, |JobCursor(seq)| i64::try_from(seq).unwrap_or(i64::MAX));
        let mut conn = self.core.db.read().await?;
        // One more than the page holds tells whether there is another page.
        let mut rows = statements::list(&mut conn, &filter.queue, filter.state, after, limit + 1)
            .await
            .map_err(|error| self.core.db.error(&error))?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(seq, _)| JobCursor(seq.unsigned_abs()));
        let jobs = rows.into_iter().map(|(_, job)| self.core.lanes.with_progress(job)).collect();
        Ok(JobPage { jobs, next })
    }

    async fn retry(&self, id: JobId) -> Result<bool, QueueError> {
        match self.core.db.write(Op::Retry { id, now: self.core.now() }).await? {
            Reply::Retried(queue) => Ok(queue.is_some()),
            other => Err(self.mixed_up(&other)),
        }
    }

    async fn retry_all(&self, queue: &str) -> Result<u64, QueueError> {
        let op = Op::RetryAll { lane: self.core.lanes.of(queue), now: self.core.now() };
        match self.core.db.write(op).await? {
            Reply::RetriedAll(count) => Ok(count),
            other => Err(self.mixed_up(&other)),
        }
    }

    async fn erase(&self, queue: &str, owner: UserId) -> Result<u64, QueueError> {
        let op = Op::Erase { lane: self.core.lanes.of(queue), owner };
        match self.core.db.write(op).await? {
            Reply::Erased(removed) => Ok(removed.iter().map(|(_, count)| count.unsigned_abs()).sum()),
            other => Err(self.mixed_up(&other)),
        }
    }

    async fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        let Core { db, lanes, options, .. } = &*self.core;
        db.check().await?;
        let mut conn = db.glance().await?;
        let sort = |error: sqlx::Error| db.error(&error);
        let mut depth = if options.sole_owner {
            lanes.of(queue).depth()
        } else {
            statements::counts_of(&mut conn, queue).await.map_err(sort)?
        };
        if depth.waiting > 0 {
            depth.oldest_waiting = statements::oldest_waiting(&mut conn, queue).await.map_err(sort)?;
        }
        let age = depth.oldest_waiting.map(|oldest| self.core.clock.now().duration_since(oldest));
        lanes.of(queue).metrics().oldest_waiting(age.and_then(|age| age.try_into().ok()).unwrap_or_default());
        Ok(depth)
    }

    async fn consume(
        &self,
        queue: &'static str,
        handler: Arc<dyn Handler>,
        options: ConsumeOptions,
        shutdown: CancellationToken,
    ) -> Result<(), QueueError> {
        Consumer::new(Arc::clone(&self.core), queue, handler, options).run(shutdown).await
    }

    async fn close(&self) {
        self.core.db.close().await;
    }
}

impl SqliteQueue {
    /// The store answered one operation with another's reply: cannot happen, and is no panic if it does.
    fn mixed_up(&self, reply: &Reply) -> QueueError {
        let detail = format!("unexpected reply {reply:?}");
        QueueError::Storage(StorageError::Rejected { place: self.core.db.file().into(), detail })
    }
}
