//! Voicera's queue on Redis beside Node's BullMQ: `cargo bench --bench bullmq`.
//!
//! The same trivial job, the same Redis (append-only file, flushed each second), one after the other, in
//! turns; each figure is the median of three rounds. A job counts as accepted when whoever sent it has been
//! told, one by one. Needs Node with its packages: `scripts/test` installs them. `-- --quick` for a tenth
//! of the jobs.

#![allow(clippy::print_stdout, reason = "the table is the output")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a benchmark stops at the first fault"
)]

#[path = "../../tests/support/peers.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod peers;
#[path = "../../tests/support/servers.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use the rest")]
mod servers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voicera::kit::clock::{SharedClock, SystemClock};
use voicera::kit::ids::{Entropy, Ids, UserId};
use voicera::kit::queue::bullmq::{BullOptions, BullQueue};
use voicera::kit::queue::{ConsumeOptions, Depth, Failure, Handler, Job, NewJob, Queue, QueueOptions};

const JOBS: u64 = 50_000;
const ROUNDS: usize = 3;
const AT_ONCE: [u64; 3] = [32, 64, 256];
const QUEUE: &str = "bench";
const PAYLOAD: &str = r#"{"text":"when is my next assignment due in computer science","language":"en","sessionId":"5e1f0a52-2f0c-4a63-9a50-0f1c5a0f3a5e","context":{"course":"CS-101","page":"dashboard"}}"#;
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Jobs per second, and microseconds of the process's processor time for each.
#[derive(Debug, Clone, Copy)]
struct Figure {
    rate: f64,
    cpu: f64,
}

impl Figure {
    fn of(jobs: u64, took: Duration, cpu: Duration) -> Self {
        Self { rate: jobs as f64 / took.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / jobs as f64 }
    }

    fn median(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        rounds[rounds.len() / 2]
    }
}

/// Does nothing, and says when enough is done.
struct Trivial {
    left: AtomicU64,
    done: Notify,
}

#[async_trait]
impl Handler for Trivial {
    async fn handle(&self, _: &Job) -> Result<(), Failure> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.done.notify_one();
        }
        Ok(())
    }

    async fn exhausted(&self, _: &Job, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn owner() -> UserId {
    Uuid::from_u128(7).into()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let quick = std::env::args().any(|argument| argument == "--quick");
    runtime.block_on(compare(if quick { JOBS / 10 } else { JOBS }));
}

async fn compare(jobs: u64) {
    let server = servers::redis_flushed("everysec");
    println!("| {jobs} jobs | Voicera | CPU each | Node | CPU each | ratio | aim | met |");
    println!("|---|---|---|---|---|---|---|---|");
    for at_once in AT_ONCE {
        let mut rounds: [Vec<Figure>; 4] = Default::default();
        for _ in 0..ROUNDS {
            let [ours_added, ours_done] = voicera(server.port(), jobs, at_once).await;
            let [theirs_added, theirs_done] = node(server.port(), jobs, at_once).await;
            for (all, figure) in rounds.iter_mut().zip([ours_added, theirs_added, ours_done, theirs_done]) {
                all.push(figure);
            }
        }
        let [ours_added, theirs_added, ours_done, theirs_done] = rounds.map(Figure::median);
        line(&format!("accepted, {at_once} at once"), ours_added, theirs_added);
        line(&format!("completed, {at_once} at once"), ours_done, theirs_done);
    }
}

fn line(name: &str, ours: Figure, theirs: Figure) {
    let ratio = ours.rate / theirs.rate;
    println!(
        "| {name} | {:.0} /s | {:.0} µs | {:.0} /s | {:.0} µs | {ratio:.2} | ≥ 1.5 | {} |",
        ours.rate,
        ours.cpu,
        theirs.rate,
        theirs.cpu,
        if ratio >= 1.5 { "yes" } else { "no" }
    );
}

async fn voicera(port: u16, jobs: u64, at_once: u64) -> [Figure; 2] {
    let clock: SharedClock = Arc::new(SystemClock);
    let bull = BullOptions {
        url: SecretString::from(format!("redis://127.0.0.1:{port}")),
        prefix: "voicera".to_owned(),
        ..BullOptions::default()
    };
    let queue = BullQueue::new(bull, QueueOptions::default(), Arc::clone(&clock), Entropy::system());
    let queue: Arc<dyn Queue> = Arc::new(queue.unwrap());
    queue.depth(QUEUE).await.unwrap();

    let (begun, busy) = (Instant::now(), cpu());
    let producers = (0..at_once).map(|_| {
        let (queue, ids) = (Arc::clone(&queue), Ids::new(Arc::clone(&clock), Entropy::system()));
        tokio::spawn(async move {
            for _ in 0..jobs / at_once {
                let job = NewJob {
                    id: ids.fresh(),
                    queue: QUEUE,
                    kind: "bench".to_owned(),
                    payload: PAYLOAD.to_owned(),
                    owner: owner(),
                    priority: 0,
                    delay: None,
                    traceparent: Some(TRACEPARENT.to_owned()),
                    max_attempts: None,
                };
                queue.enqueue(job).await.unwrap();
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }
    let jobs = jobs / at_once * at_once;
    let added = Figure::of(jobs, begun.elapsed(), cpu().saturating_sub(busy));

    let (begun, busy) = (Instant::now(), cpu());
    let handler = Arc::new(Trivial { left: AtomicU64::new(jobs), done: Notify::new() });
    let stop = CancellationToken::new();
    let consumer = tokio::spawn({
        let (queue, handler, stop) = (Arc::clone(&queue), Arc::clone(&handler), stop.clone());
        let options =
            ConsumeOptions { concurrency: usize::try_from(at_once).unwrap(), ..ConsumeOptions::default() };
        async move { queue.consume(QUEUE, handler, options, stop).await.unwrap() }
    });
    handler.done.notified().await;
    let done = Figure::of(jobs, begun.elapsed(), cpu().saturating_sub(busy));
    stop.cancel();
    consumer.await.unwrap();
    assert_eq!(queue.depth(QUEUE).await.unwrap(), Depth::default(), "all are done");
    queue.close().await;
    [added, done]
}

async fn node(port: u16, jobs: u64, at_once: u64) -> [Figure; 2] {
    let payload: Value = serde_json::from_str(PAYLOAD).unwrap();
    let data = json!({"owner": owner(), "payload": payload, "traceparent": TRACEPARENT});
    let mut node =
        peers::Peer::start("bench.mjs", port, json!({"prefix": "node", "queue": QUEUE, "data": data}));
    node.says("ready").await;
    let mut figures = Vec::new();
    for what in ["add", "complete"] {
        node.tell(&json!({what: jobs, "at_once": at_once}));
        let said = node.says("took").await;
        let millis = |key: &str| Duration::from_secs_f64(said[key].as_f64().unwrap() / 1e3);
        figures.push(Figure::of(jobs, millis("took"), millis("cpu")));
    }
    figures.try_into().unwrap()
}

/// Processor time of this process so far, where the system tells (Linux).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // utime and stime (fields 14 and 15), in ticks of 1/100 s.
    let ticks = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
    ticks.map(|ticks| Duration::from_millis(10) * ticks).sum()
}
