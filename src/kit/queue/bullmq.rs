//! The queue on Redis, as BullMQ keeps it: Node's BullMQ workers and producers and Bull Board work on the
//! same jobs. Several processes share it.
//!
//! Built on the vendor's Rust port, whose scripts are BullMQ's own. `docs/QUEUE.md` says what a job looks
//! like from the other side. What the port does not do is done here:
//!
//! - It neither tells a new job from one that is there already, nor knows a limit, and takes a script for
//!   each job: `intake` sends many at once to a script of Voicera's that checks and adds them, exactly as
//!   BullMQ's own `addStandardJob` does (a test compares what both leave on the server). Jobs with a delay
//!   or a priority are only checked by it, and added by the port: of those, two processes that find the last
//!   place free in the same millisecond may both take it.
//! - It has no index by owner and none by age: the same script keeps both, in keys of Voicera's below the
//!   queue's. They are written with the job, or before it, so that a crash leaves at worst an entry too many.
//! - A panic in a handler would leave its job active for ever: `crew` catches it.
//! - A retried job keeps no reason, a pause has neither jitter nor a limit, and nobody is told that a job
//!   dies: `crew` moves such jobs by itself, with the port's own calls. Jobs that Node added with
//!   `backoff` options pause as those say.
//! - A job that finishes as its worker is told to stop would be followed by the next: that one is put
//!   back unbegun. What does not finish in time goes back, too.
//! - Its check for stalled jobs gives up a job at the second stall without a word to anybody, and takes
//!   minutes: it is switched off, and so is its renewal of locks. `duties` does both, several times
//!   within each lock's life. After a pause of the server or of a worker, workers renew first.
//! - A completed job is removed when our worker completes it, unless the producer's `removeOnComplete`
//!   says otherwise. One that a Node worker completed or gave up is `collect`ed: its handler is told,
//!   then a completed one is removed.
//!
//! Where it differs from the file: an attempt is counted when it ends, or when its worker is found dead,
//! which comes to the same. Jobs are tried apart from each other after a shared death as they are in the
//! file, but what a dead worker had in flight is seen when its first lock runs out, so a job that had
//! company only earlier is to blame alone. Times are milliseconds.
//!
//! A job is as durable as the server makes it: `appendonly yes`, with `appendfsync always` if not even the
//! last second may be lost to a power cut, and `maxmemory-policy noeviction`. `link` looks when it
//! connects, and warns.

mod collect;
mod consumer;
mod crew;
mod duties;
mod envelope;
mod intake;
mod lane;
mod link;
mod lookup;
mod options;
mod scripts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    Cancel, ConsumeOptions, Depth, Enqueued, Handler, Job, JobFilter, JobPage, JobState, NewJob, Queue,
    QueueError, QueueOptions,
};
use crate::kit::clock::SharedClock;
use crate::kit::ids::{Entropy, JobId, UserId};
use consumer::Consumer;
use lane::Lanes;
use link::Link;
use lookup::Found;
pub use options::BullOptions;

/// Durable jobs on Redis.
#[derive(Debug)]
pub struct BullQueue {
    core: Arc<Core>,
}

/// What the queue shares with its consumers.
#[derive(Debug)]
struct Core {
    link: Arc<Link>,
    lanes: Lanes,
    options: QueueOptions,
    bull: BullOptions,
    clock: SharedClock,
    entropy: Entropy,
}

impl Core {
    /// Now, in milliseconds, the precision of BullMQ.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0)
    }
}

impl BullQueue {
    /// A queue that connects when it is first needed. Of `options` all but
    /// [`sole_owner`](QueueOptions::sole_owner) holds.
    ///
    /// # Errors
    /// [`QueueError::Refused`] when the address cannot be one.
    pub fn new(
        bull: BullOptions,
        options: QueueOptions,
        clock: SharedClock,
        entropy: Entropy,
    ) -> Result<Self, QueueError> {
        let link = Arc::new(Link::new(&bull)?);
        let lanes = Lanes::new(Arc::clone(&link), &bull, &options, Arc::clone(&clock));
        Ok(Self { core: Arc::new(Core { link, lanes, options, bull, clock, entropy }) })
    }
}

#[async_trait]
impl Queue for BullQueue {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, QueueError> {
        let lane = self.core.lanes.of(job.queue);
        self.core.link.deadline(lane.intake().accept(job)).await
    }

    async fn get(&self, id: JobId, owner: Option<UserId>) -> Result<Option<Job>, QueueError> {
        Ok(self.core.find(id, owner).await?.map(|found| found.job))
    }

    async fn cancel(&self, id: JobId, owner: Option<UserId>) -> Result<Cancel, QueueError> {
        let Some(Found { lane, wire, job, .. }) = self.core.find(id, owner).await? else {
            return Ok(Cancel::NotFound);
        };
        match job.state {
            JobState::Active => return Ok(Cancel::Active),
            JobState::Failed => return Ok(Cancel::Dead),
            JobState::Waiting | JobState::Delayed => {}
        }
        if !self.core.remove(&lane, &wire).await? {
            // It was begun in between.
            return Ok(Cancel::Active);
        }
        self.core.tidy(&lane, &[envelope::entry(&wire, job.owner)]).await?;
        Ok(Cancel::Removed(Box::new(job)))
    }

    async fn list(&self, filter: JobFilter) -> Result<JobPage, QueueError> {
        self.core.list(&filter).await
    }

    async fn retry(&self, id: JobId) -> Result<bool, QueueError> {
        let Some(Found { lane, wire, job, .. }) = self.core.find(id, None).await? else { return Ok(false) };
        if job.state != JobState::Failed {
            return Ok(false);
        }
        self.core.revive(&lane, &wire).await
    }

    async fn retry_all(&self, queue: &str) -> Result<u64, QueueError> {
        self.core.revive_all(&self.core.lanes.of(queue)).await
    }

    async fn erase(&self, queue: &str, owner: UserId) -> Result<u64, QueueError> {
        self.core.erase(queue, owner).await
    }

    async fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        self.core.depth(&self.core.lanes.of(queue)).await
    }

    async fn consume(
        &self,
        queue: &'static str,
        handler: Arc<dyn Handler>,
        options: ConsumeOptions,
        shutdown: CancellationToken,
    ) -> Result<(), QueueError> {
        let lane = self.core.lanes.of(queue);
        let consumer = Consumer::new(Arc::clone(&self.core), lane, handler, options);
        Box::pin(consumer.run(shutdown)).await
    }

    async fn close(&self) {
        self.core.link.close().await;
    }
}
