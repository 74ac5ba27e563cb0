//! The way in: jobs that arrive together are asked after together, then added one by one in a pipeline.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bullmq::JobOptions;
use bullmq::types::BackoffStrategy;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};

use super::envelope;
use super::lane::Door;
use super::scripts;
use crate::kit::clock::SharedClock;
use crate::kit::ids::JobId;
use crate::kit::queue::{Enqueued, NewJob, QueueError, QueueOptions};

/// Jobs on their way to the server at most; further ones wait for them.
const WAITING: usize = 1_024;
/// Jobs asked after in one go.
const BATCH: usize = 32;
/// Batches on their way at a time, as long as there is room for more than [`MARGIN`] jobs.
const BATCHES: usize = 4;
/// So near to the limit each batch waits for the one before to be counted.
const MARGIN: u64 = (BATCH * BATCHES * 2) as u64;

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
}

struct Order {
    job: NewJob,
    answer: oneshot::Sender<Result<Enqueued, QueueError>>,
}

/// Where jobs come in.
pub(super) struct Intake {
    orders: mpsc::Sender<Order>,
    /// The clerk, until the first job comes: only then is there surely a runtime to work in.
    clerk: Mutex<Option<Clerk>>,
}

impl Intake {
    pub(super) fn new(door: Arc<Door>, prefix: String, terms: Terms, clock: SharedClock) -> Self {
        let (orders, received) = mpsc::channel(WAITING);
        Self { orders, clerk: Mutex::new(Some(Clerk { door, prefix, terms, clock, received })) }
    }

    /// Adds `job` unless it is there or too many are.
    pub(super) async fn accept(&self, job: NewJob) -> Result<Enqueued, QueueError> {
        if let Some(clerk) = self.clerk.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Ends when the queue and with it the sender is dropped.
            tokio::spawn(clerk.work());
        }
        let (answer, answered) = oneshot::channel();
        self.orders.send(Order { job, answer }).await.map_err(|_| QueueError::Closed)?;
        answered.await.unwrap_or(Err(QueueError::Closed))
    }
}

struct Clerk {
    door: Arc<Door>,
    prefix: String,
    terms: Terms,
    clock: SharedClock,
    received: mpsc::Receiver<Order>,
}

impl Clerk {
    async fn work(mut self) {
        let mut under_way: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
        let mut orders = Vec::with_capacity(BATCH);
        let mut room = 0;
        loop {
            let at_a_time = if room > MARGIN { BATCHES } else { 1 };
            if under_way.len() >= at_a_time {
                under_way.next().await;
                continue;
            }
            tokio::select! {
                biased;
                count = self.received.recv_many(&mut orders, BATCH) => {
                    if count == 0 {
                        break;
                    }
                }
                Some(()) = under_way.next() => continue,
            }
            let batch = std::mem::take(&mut orders);
            match self.ask(batch).await {
                Ok((waiting, accepted)) => {
                    room = self.terms.max_waiting.saturating_sub(waiting);
                    let mut adding = accepted;
                    // On the wire before the next batch is asked after, so that it is counted.
                    if futures_util::poll!(&mut adding).is_pending() {
                        under_way.push(adding);
                    }
                }
                Err(()) => room = 0,
            }
        }
        while under_way.next().await.is_some() {}
    }

    /// Answers those that are not to be added; the others, on their way.
    async fn ask(&self, batch: Vec<Order>) -> Result<(u64, BoxFuture<'static, ()>), ()> {
        // Whoever gave up in the meantime does not want it any more.
        let batch: Vec<Order> = batch.into_iter().filter(|order| !order.answer.is_closed()).collect();
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let mut arguments = vec![self.terms.max_waiting.to_string(), now.to_string()];
        let mut seen = HashSet::new();
        let (first, again): (Vec<_>, Vec<_>) = batch.into_iter().partition(|order| seen.insert(order.job.id));
        for Order { job, .. } in &first {
            arguments.extend([envelope::wire(job.id), job.owner.to_string()]);
        }
        let asked = async {
            let port = self.door.port().await?;
            let answers: Vec<i64> = self.door.link.run(&scripts::ACCEPT, &self.prefix, &arguments).await?;
            Ok::<_, QueueError>((port, answers))
        };
        let (port, answers) = match asked.await {
            Ok(known) => known,
            Err(error) => {
                for order in first.into_iter().chain(again) {
                    let _ = order.answer.send(Err(error.clone()));
                }
                return Err(());
            }
        };
        let waiting = answers.first().map_or(0, |waiting| waiting.unsigned_abs());
        let mut accepted = Vec::with_capacity(first.len());
        let mut failed = HashMap::new();
        for (order, answer) in first.into_iter().zip(answers.into_iter().skip(1)) {
            let refused = match answer {
                1 => {
                    accepted.push(order);
                    continue;
                }
                0 => Ok(Enqueued::Existing),
                _ => {
                    let retry_after = self.terms.full_retry_after;
                    let full = QueueError::Full { queue: order.job.queue, retry_after };
                    failed.insert(order.job.id, full.clone());
                    Err(full)
                }
            };
            let _ = order.answer.send(refused);
        }
        let (door, terms) = (Arc::clone(&self.door), self.terms.clone());
        let adding = async move { add(&door, &port, &terms, now, accepted, again, failed).await };
        Ok((waiting, Box::pin(adding)))
    }
}

/// Adds `accepted`, then answers those who wanted one of them `again`.
async fn add(
    door: &Door,
    port: &bullmq::Queue,
    terms: &Terms,
    now: u64,
    accepted: Vec<Order>,
    again: Vec<Order>,
    mut failed: HashMap<JobId, QueueError>,
) {
    let added = join_all(accepted.into_iter().map(async |Order { job, answer }| {
        let id = job.id;
        let added = match envelope::write(&job) {
            Ok(data) => {
                door.link
                    .port(port.add(&job.kind, data).options(options(&job, terms, now)).into_future())
                    .await
            }
            Err(detail) => Err(door.link.refused(detail)),
        };
        let added = added.map(|_| Enqueued::Created);
        let failed = added.as_ref().err().cloned();
        let _ = answer.send(added);
        failed.map(|error| (id, error))
    }));
    failed.extend(added.await.into_iter().flatten());
    for Order { job, answer } in again {
        let known = failed.get(&job.id).map_or(Ok(Enqueued::Existing), |error| Err(error.clone()));
        let _ = answer.send(known);
    }
}

/// What BullMQ is told about a job. `backoff` is for Node's workers: ours know better.
fn options(job: &NewJob, terms: &Terms, now: u64) -> JobOptions {
    let options = JobOptions {
        job_id: Some(envelope::wire(job.id)),
        timestamp: Some(now),
        attempts: Some(job.max_attempts.unwrap_or(terms.max_attempts).max(1)),
        priority: Some(u32::from(job.priority)).filter(|priority| *priority > 0),
        delay: job.delay.map(millis).filter(|delay| *delay > 0),
        ..JobOptions::default()
    };
    options.backoff(BackoffStrategy::Exponential(terms.backoff))
}

/// A time as BullMQ knows it, half a life at most: its scores are floating point.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(1 << 40)
}
