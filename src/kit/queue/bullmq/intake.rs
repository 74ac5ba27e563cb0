//! The way in: what arrives together goes to the server together, in one script that checks, indexes and
//! adds. That is several times cheaper than the port's call for each job, on both sides of the wire.
//!
//! Only plain jobs are added so. For one with a delay or a priority the script says whether it may be added,
//! and the port adds it; as it is not counted until then, nothing else is on the way meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bullmq::JobOptions;
use bullmq::types::BackoffStrategy;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};

use super::envelope::{self, Envelope, Plain};
use super::lane::Door;
use super::scripts;
use crate::kit::clock::SharedClock;
use crate::kit::ids::JobId;
use crate::kit::queue::{Enqueued, NewJob, QueueError, QueueOptions};

/// Jobs on their way to the server at most; further ones wait for them.
const WAITING: usize = 1_024;
/// Jobs in one call.
const BATCH: usize = 128;
/// Bytes of jobs after which a call takes no further one: the server does nothing else meanwhile.
const BYTES: usize = 256 * 1_024;
/// Calls on their way at a time.
const BATCHES: usize = 4;

/// On what terms jobs are accepted.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    max_waiting: u64,
    full_retry_after: Duration,
    max_attempts: u32,
    backoff: u64,
}

impl Terms {
    pub(super) fn of(options: &QueueOptions) -> Self {
        Self {
            max_waiting: options.max_waiting,
            full_retry_after: options.full_retry_after,
            max_attempts: options.max_attempts,
            backoff: millis(options.backoff_initial),
        }
    }

    fn attempts(&self, job: &NewJob) -> u32 {
        job.max_attempts.unwrap_or(self.max_attempts).max(1)
    }

    /// What BullMQ is told about a job that the port adds. `backoff` is for Node's workers: ours know better.
    fn options(&self, job: &NewJob, now: u64) -> JobOptions {
        let options = JobOptions {
            job_id: Some(envelope::wire(job.id)),
            timestamp: Some(now),
            attempts: Some(self.attempts(job)),
            priority: Some(u32::from(job.priority)).filter(|priority| *priority > 0),
            delay: delay(job),
            ..JobOptions::default()
        };
        options.backoff(BackoffStrategy::Exponential(self.backoff))
    }
}

/// A job, and who wants it.
struct Order {
    job: NewJob,
    body: Body,
    answer: oneshot::Sender<Result<Enqueued, QueueError>>,
}

/// What goes over the wire, by who adds it.
enum Body {
    Script(Plain),
    Port(Envelope),
}

impl Order {
    fn bytes(&self) -> usize {
        match &self.body {
            Body::Script(plain) => plain.data.len(),
            Body::Port(_) => 0,
        }
    }
}

/// Where jobs come in.
pub(super) struct Intake {
    desk: Arc<Desk>,
    orders: mpsc::Sender<Order>,
    /// The clerk, until the first job comes: only then is there surely a runtime to work in.
    clerk: Mutex<Option<Clerk>>,
}

impl Intake {
    pub(super) fn new(door: Arc<Door>, prefix: String, terms: Terms, clock: SharedClock) -> Self {
        let (orders, received) = mpsc::channel(WAITING);
        let desk = Arc::new(Desk { door, prefix, terms, clock });
        let clerk = Clerk { desk: Arc::clone(&desk), received };
        Self { desk, orders, clerk: Mutex::new(Some(clerk)) }
    }

    /// Adds `job` unless it is there or too many are.
    pub(super) async fn accept(&self, job: NewJob) -> Result<Enqueued, QueueError> {
        if let Some(clerk) = self.clerk.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Ends when the queue and with it the sender is dropped.
            tokio::spawn(clerk.work());
        }
        let body = self.desk.body(&job)?;
        let (answer, answered) = oneshot::channel();
        self.orders.send(Order { job, body, answer }).await.map_err(|_| QueueError::Closed)?;
        answered.await.unwrap_or(Err(QueueError::Closed))
    }
}

/// Sends what waits, in the order in which it came.
struct Clerk {
    desk: Arc<Desk>,
    received: mpsc::Receiver<Order>,
}

impl Clerk {
    async fn work(mut self) {
        let mut under_way: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
        let mut at_a_time = BATCHES;
        loop {
            if under_way.len() >= at_a_time {
                under_way.next().await;
                continue;
            }
            let batch = tokio::select! {
                biased;
                batch = self.batch() => {
                    let Some(batch) = batch else { break };
                    batch
                }
                Some(()) = under_way.next() => continue,
            };
            let by_port = batch.iter().any(|order| matches!(order.body, Body::Port(_)));
            at_a_time = if by_port { 1 } else { BATCHES };
            let mut taken: BoxFuture<'static, ()> = Box::pin(Arc::clone(&self.desk).take(batch));
            // On the wire before the next one.
            if futures_util::poll!(&mut taken).is_pending() {
                under_way.push(taken);
            }
        }
        while under_way.next().await.is_some() {}
    }

    /// What waits, as much as goes into one call; none once there will be none.
    async fn batch(&mut self) -> Option<Vec<Order>> {
        let mut batch = vec![self.received.recv().await?];
        let mut bytes = batch[0].bytes();
        while batch.len() < BATCH && bytes < BYTES {
            let Ok(order) = self.received.try_recv() else { break };
            bytes += order.bytes();
            batch.push(order);
        }
        Some(batch)
    }
}

/// Where jobs become BullMQ's.
struct Desk {
    door: Arc<Door>,
    prefix: String,
    terms: Terms,
    clock: SharedClock,
}

impl Desk {
    fn body(&self, job: &NewJob) -> Result<Body, QueueError> {
        let refused = |detail| self.door.link.refused(detail);
        let envelope = envelope::write(job).map_err(refused)?;
        if job.priority > 0 || delay(job).is_some() {
            return Ok(Body::Port(envelope));
        }
        let plain = Plain::of(&envelope, job.id, self.terms.attempts(job), self.terms.backoff);
        plain.map(Body::Script).map_err(|error| refused(error.to_string()))
    }

    /// Adds jobs, and answers each.
    async fn take(self: Arc<Self>, batch: Vec<Order>) {
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        // Whoever gave up in the meantime does not want it any more.
        let wanted = batch.into_iter().filter(|order| !order.answer.is_closed());
        let mut seen = HashSet::new();
        let (mut first, again): (Vec<_>, Vec<_>) = wanted.partition(|order| seen.insert(order.job.id));
        if first.is_empty() {
            return;
        }
        let answers = match self.ask(&mut first, now).await {
            Ok(answers) => answers,
            Err(error) => {
                for order in first.into_iter().chain(again) {
                    let _ = order.answer.send(Err(error.clone()));
                }
                return;
            }
        };
        let (mut by_port, mut failed) = (Vec::new(), HashMap::new());
        for (Order { job, body, answer }, said) in first.into_iter().zip(answers) {
            let told = match (said, body) {
                (1, Body::Script(_)) => Ok(Enqueued::Created),
                (1, Body::Port(envelope)) => {
                    by_port.push((job, envelope, answer));
                    continue;
                }
                (0, _) => Ok(Enqueued::Existing),
                _ => {
                    let retry_after = self.terms.full_retry_after;
                    Err(QueueError::Full { queue: job.queue, retry_after })
                }
            };
            if let Err(error) = &told {
                failed.insert(job.id, error.clone());
            }
            let _ = answer.send(told);
        }
        let added = by_port.into_iter().map(async |(job, envelope, answer)| {
            let added = self.add(&job, envelope, now).await;
            let failed = added.as_ref().err().map(|error| (job.id, error.clone()));
            let _ = answer.send(added);
            failed
        });
        failed.extend(join_all(added).await.into_iter().flatten());
        answer_again(again, &failed);
    }

    /// Has the script check `orders`, and add those that it adds: an answer for each.
    async fn ask(&self, orders: &mut [Order], now: u64) -> Result<Vec<i64>, QueueError> {
        let mut arguments = Vec::with_capacity(2 + 5 * orders.len());
        arguments.extend([self.terms.max_waiting.to_string(), now.to_string()]);
        for Order { job, body, .. } in orders {
            let Plain { data, options } = match body {
                Body::Script(plain) => std::mem::take(plain),
                Body::Port(_) => Plain::default(),
            };
            arguments.extend([
                envelope::wire(job.id),
                job.owner.to_string(),
                job.kind.clone(),
                data,
                options,
            ]);
        }
        // Also makes the queue known to Bull Board.
        self.door.port().await?;
        self.door.link.run(&scripts::ACCEPT, &self.prefix, &arguments).await
    }

    async fn add(&self, job: &NewJob, envelope: Envelope, now: u64) -> Result<Enqueued, QueueError> {
        let port = self.door.port().await?;
        let adding = port.add(&job.kind, envelope).options(self.terms.options(job, now));
        self.door.link.port(adding.into_future()).await.map(|_| Enqueued::Created)
    }
}

/// Answers those who wanted a job that somebody else in the batch wanted, too.
fn answer_again(orders: Vec<Order>, failed: &HashMap<JobId, QueueError>) {
    for Order { job, answer, .. } in orders {
        let known = failed.get(&job.id).map_or(Ok(Enqueued::Existing), |error| Err(error.clone()));
        let _ = answer.send(known);
    }
}

fn delay(job: &NewJob) -> Option<u64> {
    job.delay.map(millis).filter(|delay| *delay > 0)
}

/// A time as BullMQ knows it, half a life at most: its scores are floating point.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(1 << 40)
}
