//! The queue on Redis passes the suite, and what is its own.

mod adding;
mod cluster;
mod faults;
mod interop;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::{BullOptions, BullQueue};
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::queue::conformance::{self, Act, Factory, QUEUE, Script, Worker};
use crate::kit::queue::{JobFilter, JobState, Queue, QueueOptions};
use crate::servers::REDIS;

/// A queue on the server at `port`.
fn open(port: u16, prefix: &str, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
    open_at(format!("redis://127.0.0.1:{port}"), prefix, options, clock)
}

/// The same, wherever it is.
fn open_at(url: String, prefix: &str, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
    let bull = BullOptions {
        url: SecretString::from(url),
        prefix: prefix.to_owned(),
        timeout: Duration::from_secs(2),
        ..BullOptions::default()
    };
    Arc::new(BullQueue::new(bull, options, clock, Entropy::system()).unwrap())
}

/// The same by the machine's clock.
fn on(port: u16, prefix: &str) -> Arc<dyn Queue> {
    open(port, prefix, conformance::options(), conformance::clock())
}

/// Faults take longer than the suite's cases.
async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let patience = Duration::from_mins(1);
    let done = tokio::time::timeout(patience, work).await;
    done.unwrap_or_else(|late| panic!("{what}: not within {patience:?}: {late}"))
}

/// Keys of its own on the server that all tests share.
struct Below {
    prefix: String,
}

impl Below {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self { prefix: format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed)) }
    }
}

#[async_trait]
impl Factory for Below {
    async fn open(&self, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
        open(REDIS.port(), &self.prefix, options, clock)
    }

    async fn close(&self, queue: Arc<dyn Queue>) {
        queue.close().await;
    }
}

conformance::conformance!(Below::new());

/// The files have this by a clock that is moved by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_whose_worker_died_twice_are_tried_apart() {
    let store = Arc::new(Below::new());
    for life in 1..=2 {
        let store = Arc::clone(&store);
        conformance::killed(async move {
            let queue = on(REDIS.port(), &store.prefix);
            if life == 1 {
                conformance::enqueue_all(&queue, 1..=4).await;
            }
            let handler = Script::new(|_| Act::Hold(Arc::new(Semaphore::new(0))));
            let _worker = Worker::start(&queue, &handler, conformance::soon_missed());
            handler.begun_times(4).await;
            assert!(handler.begun().iter().all(|(_, attempt)| *attempt == 1), "forgiven");
        })
        .await;
    }
    let queue = on(REDIS.port(), &store.prefix);
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, conformance::soon_missed());
    let delayed = JobFilter { state: Some(JobState::Delayed), ..JobFilter::of(QUEUE) };
    let apart = within("they are taken over", async {
        loop {
            let jobs = queue.list(delayed.clone()).await.unwrap().jobs;
            if jobs.len() == 4 {
                return jobs;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    worker.stop().await;

    let gaps = apart.windows(2).map(|two| two[1].run_at.duration_since(two[0].run_at).as_secs());
    assert_eq!(gaps.collect::<Vec<_>>(), [2, 2, 2], "in the order in which they were accepted");
    assert_eq!(apart[0].last_error.as_deref(), Some("nothing was heard of attempt 1 until its lock ran out"));
    queue.close().await;
}

/// More than can be sorted here: the index of acceptance is gone through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_queue_is_listed_by_its_index() {
    let store = Below::new();
    let queue = on(REDIS.port(), &store.prefix);
    for first in (0..5_200).step_by(200) {
        let some = (first..first + 200).map(|number| queue.enqueue(conformance::job(number)));
        assert!(futures_util::future::join_all(some).await.into_iter().all(|done| done.is_ok()));
    }
    let (mut filter, mut seen) = (JobFilter { limit: 1_000, ..JobFilter::of(QUEUE) }, Vec::new());
    loop {
        let page = queue.list(filter.clone()).await.unwrap();
        seen.extend(page.jobs.iter().map(|job| job.id.uuid().as_u128()));
        let Some(next) = page.next else { break };
        filter.after = Some(next);
    }
    // Those that were sent at once have no order among themselves.
    for some in seen.chunks_mut(200) {
        some.sort_unstable();
    }
    assert!(seen.into_iter().eq(0..5_200), "in the order in which they were accepted");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_behind_in_the_indexes() {
    let store = Below::new();
    let queue = on(REDIS.port(), &store.prefix);
    conformance::enqueue_all(&queue, 0..50).await;
    conformance::work(&queue, &Script::new(|_| Act::Done), 50).await;
    let client = deadpool_redis::redis::Client::open(format!("redis://127.0.0.1:{}", REDIS.port())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut keys = deadpool_redis::redis::cmd("KEYS");
    keys.arg(format!("{}:{QUEUE}:*", store.prefix));
    let left: Vec<String> = keys.query_async(&mut connection).await.unwrap();
    let left: Vec<_> =
        left.iter().filter(|key| key.contains(":owner:") || key.ends_with("accepted")).collect();
    assert!(left.is_empty(), "{left:?}");
    queue.close().await;
}
