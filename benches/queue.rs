//! How fast the embedded queue is: `cargo bench --bench queue`.
//!
//! Commits are flushed to the disk (`synchronous = FULL`). The file is made in the folder that
//! `VOICERA_BENCH_DIR` names, or in the temporary one; it should be on a real disk. Each line is
//! bounded in time. CPU is that of the whole process, producers and handlers included.

#![allow(clippy::print_stdout, reason = "the table is the output")]
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark stops at the first fault")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voicera::kit::clock::{SharedClock, SystemClock};
use voicera::kit::ids::{Entropy, Ids, JobId, UserId};
use voicera::kit::queue::sqlite::SqliteQueue;
use voicera::kit::queue::{ConsumeOptions, Failure, Handler, Job, NewJob, Queue, QueueOptions};
use voicera::kit::storage::sqlite::Options;

const BACKLOG: u64 = 100_000;
const BOUND: Duration = Duration::from_secs(20);

/// Does nothing, and says when enough is done.
struct Trivial {
    done: AtomicU64,
    enough: u64,
    reached: Notify,
}

impl Trivial {
    fn until(enough: u64) -> Arc<Self> {
        Arc::new(Self { done: AtomicU64::new(0), enough, reached: Notify::new() })
    }
}

#[async_trait]
impl Handler for Trivial {
    async fn handle(&self, _: &Job) -> Result<(), Failure> {
        if self.done.fetch_add(1, Ordering::Relaxed) + 1 == self.enough {
            self.reached.notify_one();
        }
        Ok(())
    }

    async fn exhausted(&self, _: &Job, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Answers whoever enqueued the job, as a command with `Prefer: wait` is answered.
struct Answering(std::sync::Mutex<std::collections::HashMap<JobId, tokio::sync::oneshot::Sender<()>>>);

#[async_trait]
impl Handler for Answering {
    async fn handle(&self, job: &Job) -> Result<(), Failure> {
        if let Some(waiting) = self.0.lock().unwrap().remove(&job.id) {
            let _ = waiting.send(());
        }
        Ok(())
    }

    async fn exhausted(&self, _: &Job, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = std::env::var_os("VOICERA_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).unwrap();
    println!(
        "{:<52} {:>9} {:>9} {:>11} {:>9} {:>9}",
        "case", "jobs", "jobs/s", "CPU µs/job", "p50 ms", "p99 ms"
    );
    runtime.block_on(async {
        for producers in [1, 64, 256] {
            let queue = open(&folder.path().join(format!("enqueue{producers}.db"))).await;
            let limit = if producers == 1 { Duration::from_secs(3) } else { BOUND };
            enqueue(&queue, producers, BACKLOG, limit, Some(&format!("enqueue, {producers} producers")))
                .await;
            queue.close().await;
        }
        for concurrency in [16, 64, 256] {
            let queue = open(&folder.path().join(format!("complete{concurrency}.db"))).await;
            enqueue(&queue, 512, BACKLOG, BOUND, None).await;
            complete(&queue, concurrency).await;
            queue.close().await;
        }
        for (producers, backlog) in [(1, 0), (32, 0), (256, 0), (32, BACKLOG)] {
            let queue = open(&folder.path().join(format!("through{producers}-{backlog}.db"))).await;
            if backlog > 0 {
                // Behind the jobs that are measured: what a long backlog costs, not waiting for it.
                enqueue(&queue, 512, backlog, BOUND, None).await;
            }
            through(&queue, producers, backlog > 0).await;
            queue.close().await;
        }
    });
}

async fn open(file: &Path) -> Arc<SqliteQueue> {
    let clock: SharedClock = Arc::new(SystemClock);
    let options = QueueOptions { max_waiting: 10 * BACKLOG, ..QueueOptions::default() };
    let storage = Options::new(file);
    let queue = SqliteQueue::open(&storage, options, clock, Entropy::system(), &|_| {});
    Arc::new(queue.await.unwrap())
}

fn ids() -> Ids {
    Ids::new(Arc::new(SystemClock), Entropy::system())
}

fn job(id: JobId, owner: UserId) -> NewJob {
    let payload = r#"{"text":"when is my next assignment due in computer science","language":"en","sessionId":"5e1f0a52-2f0c-4a63-9a50-0f1c5a0f3a5e","context":{"course":"CS-101","page":"dashboard"}}"#;
    NewJob {
        id,
        queue: "bench",
        kind: "command".into(),
        payload: payload.into(),
        owner,
        priority: 5,
        delay: None,
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        max_attempts: None,
    }
}

async fn enqueue(queue: &Arc<SqliteQueue>, producers: u64, jobs: u64, limit: Duration, name: Option<&str>) {
    let (begun, cpu) = (Instant::now(), cpu());
    let tasks: Vec<_> = (0..producers)
        .map(|_| {
            let queue = Arc::clone(queue);
            tokio::spawn(async move {
                let (ids, owner) = (ids(), Uuid::from_u128(7).into());
                let mut times = Vec::new();
                while (times.len() as u64) < jobs / producers && begun.elapsed() < limit {
                    let at = Instant::now();
                    queue.enqueue(job(ids.fresh(), owner)).await.unwrap();
                    times.push(at.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    if let Some(name) = name {
        line(name, times.len() as u64, begun, cpu, &mut times);
    }
}

async fn complete(queue: &Arc<SqliteQueue>, concurrency: usize) {
    let there = queue.depth("bench").await.unwrap().waiting;
    let handler = Trivial::until(there);
    let stop = CancellationToken::new();
    let (begun, cpu) = (Instant::now(), cpu());
    let consumer = consume(queue, Arc::clone(&handler) as _, concurrency, &stop);
    let _ = tokio::time::timeout(BOUND, handler.reached.notified()).await;
    stop.cancel();
    consumer.await.unwrap();
    let done = there - queue.depth("bench").await.unwrap().waiting;
    let name = format!("complete, backlog {there}, concurrency {concurrency}");
    line(&name, done, begun, cpu, &mut []);
}

async fn through(queue: &Arc<SqliteQueue>, producers: u64, backlog: bool) {
    let handler = Arc::new(Answering(std::sync::Mutex::default()));
    let stop = CancellationToken::new();
    let consumer = consume(queue, Arc::clone(&handler) as _, 64, &stop);
    let (begun, cpu) = (Instant::now(), cpu());
    let tasks: Vec<_> = (0..producers)
        .map(|_| {
            let (queue, handler) = (Arc::clone(queue), Arc::clone(&handler));
            tokio::spawn(async move {
                let (ids, owner) = (ids(), Uuid::from_u128(7).into());
                let mut times = Vec::new();
                while begun.elapsed() < Duration::from_secs(3) {
                    let at = Instant::now();
                    let id: JobId = ids.fresh();
                    let (answer, answered) = tokio::sync::oneshot::channel();
                    handler.0.lock().unwrap().insert(id, answer);
                    queue.enqueue(NewJob { priority: 0, ..job(id, owner) }).await.unwrap();
                    answered.await.unwrap();
                    times.push(at.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let name = format!(
        "enqueue to handled, {producers} at once{}",
        if backlog { ", ahead of a backlog" } else { "" }
    );
    line(&name, times.len() as u64, begun, cpu, &mut times);
    stop.cancel();
    consumer.await.unwrap();
}

fn consume(
    queue: &Arc<SqliteQueue>,
    handler: Arc<dyn Handler>,
    concurrency: usize,
    stop: &CancellationToken,
) -> tokio::task::JoinHandle<()> {
    let (queue, stop) = (Arc::clone(queue), stop.clone());
    tokio::spawn(async move {
        let options = ConsumeOptions { concurrency, ..ConsumeOptions::default() };
        queue.consume("bench", handler, options, stop).await.unwrap();
    })
}

/// Seconds of processor time so far, where the system tells (Linux).
fn cpu() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return f64::NAN };
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // utime and stime (fields 14 and 15), in ticks of 1/100 s.
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap_or(0.0) / 100.0).sum()
}

fn line(name: &str, jobs: u64, begun: Instant, cpu_before: f64, times: &mut [Duration]) {
    let (seconds, jobs_f) = (begun.elapsed().as_secs_f64(), jobs as f64);
    let cpu = (cpu() - cpu_before) * 1e6 / jobs_f;
    times.sort_unstable();
    let at = |share: usize| {
        let time = times.get(times.len() * share / 100);
        time.map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time.as_secs_f64() * 1e3))
    };
    println!("{name:<52} {jobs:>9} {:>9.0} {cpu:>11.1} {:>9} {:>9}", jobs_f / seconds, at(50), at(99));
}
