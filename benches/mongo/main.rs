//! What the history costs on MongoDB: `cargo bench --bench mongo`, with `-- --quick` for a short run and
//! `-- --markdown` for a table that can be pasted.
//!
//! The store itself on a real server, a replica set of one member, on the same machine: every commit is
//! in its journal, on the disk.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the output")]
#![allow(missing_docs, reason = "a program, not a library")]

#[path = "../server/replica_set.rs"]
mod replica_set;
#[path = "../server/report.rs"]
#[allow(dead_code, reason = "shared with the benchmark of the server")]
mod report;
#[path = "../../tests/support/servers.rs"]
#[allow(dead_code, clippy::expect_used, clippy::panic, reason = "shared with the tests")]
mod servers;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use report::Report;
use tokio::task::JoinSet;
use uuid::Uuid;
use voicera::kit::clock::{SharedClock, SystemClock};
use voicera::kit::http::page::{Cursor, From as PageStart, Page};
use voicera::kit::ids::UserId;
use voicera::kit::storage::mongo::MongoOptions;
use voicera::voice::api::{Command, CommandResult, Source, StageTimes, Status};
use voicera::voice::store::mongo::MongoCommands;
use voicera::voice::store::{CommandStore as _, Filter};

pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How much is measured.
struct Plan {
    /// Numbers of commands in the history, ascending.
    history: &'static [usize],
    /// Pages of each kind.
    pages: usize,
    /// Callers that record at the same time, and what they record together.
    writers: [usize; 3],
    written: usize,
}

const FULL: Plan =
    Plan { history: &[1_000, 100_000, 1_000_000], pages: 500, writers: [1, 32, 512], written: 20_000 };
const QUICK: Plan = Plan { history: &[1_000, 10_000], pages: 50, writers: [1, 32, 512], written: 1_000 };

/// Nothing takes longer than this, whatever goes wrong.
const BOUND: Duration = Duration::from_mins(30);

/// Commands on their way while the history is filled: enough for full batches.
const SEEDERS: usize = 512;

fn main() -> ExitCode {
    let plan = if report::quick() { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    report::run(runtime, BOUND, measure(&plan))
}

async fn measure(plan: &Plan) -> Result<Report, Fault> {
    let server = servers::mongod(true);
    let url = format!("mongodb://127.0.0.1:{}", server.port());
    replica_set::initiate(server.port()).await?;
    let clock: SharedClock = Arc::new(SystemClock);
    let options = MongoOptions {
        operation_timeout: Duration::from_mins(1),
        ..MongoOptions::new(url.into(), "voicera_voice")
    };
    let store = Arc::new(MongoCommands::open(&options, &clock, &|_| {}).await?);
    let mut report = Report::default();
    for writers in plan.writers {
        // One caller alone waits for the disk each time.
        let commands = if writers == 1 { plan.written / 20 } else { plan.written };
        let owner = Uuid::from_u128(writers as u128 + 10).into();
        let took = record(&store, owner, 0..commands, writers).await?;
        let rate = per_second(commands, took);
        report.note(format!("commands kept, {writers} at a time"), format!("{rate:.0} /s"));
    }
    pages(&store, plan, &mut report).await?;
    store.close().await;
    Ok(report)
}

/// The first page and one at nine tenths of the depth, for each number of commands.
async fn pages(store: &Arc<MongoCommands>, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    let owner: UserId = Uuid::from_u128(1).into();
    let mut there = 0;
    let mut costs = Vec::new();
    for &rows in plan.history {
        let took = record(store, owner, there..rows, SEEDERS).await?;
        eprintln!("history: {rows} rows, the last {} in {:.1} s", rows - there, took.as_secs_f64());
        there = rows;
        let (at, id) = place(rows / 10);
        let first = page(store, owner, PageStart::Offset(0), plan.pages).await?;
        let deep = page(store, owner, PageStart::After(Cursor { at, id }), plan.pages).await?;
        report.note(
            format!("history of {rows} rows: first page, deep page (p50)"),
            format!("{first:.2} ms, {deep:.2} ms"),
        );
        costs.push([first, deep]);
    }
    if let (Some(few), Some(many)) = (costs.first(), costs.last()) {
        let growth = f64::max(many[0] / few[0], many[1] / few[1]);
        let figure = format!("{growth:.2} times");
        report.aim("history: the longest over the shortest", figure, "flat (< 1.5)", growth < 1.5);
    }
    Ok(())
}

/// The median time of a page, in milliseconds.
async fn page(store: &MongoCommands, owner: UserId, from: PageStart, times: usize) -> Result<f64, Fault> {
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        let found = store.history(owner, &Filter::default(), Page { limit: 50, from }).await?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        if found.commands.len() != 50 {
            return Err(format!("a page of {} commands", found.commands.len()).into());
        }
    }
    took.sort_unstable_by(f64::total_cmp);
    Ok(took[times / 2])
}

async fn record(
    store: &Arc<MongoCommands>,
    owner: UserId,
    rows: std::ops::Range<usize>,
    writers: usize,
) -> Result<Duration, Fault> {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for first in 0..writers {
        let (store, rows) = (Arc::clone(store), rows.clone());
        tasks.spawn(async move {
            for number in rows.skip(first).step_by(writers) {
                store.record(&command(owner, number)).await?;
            }
            Ok::<_, voicera::kit::storage::StorageError>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(begun.elapsed())
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// When command `number` was accepted, one every half minute, and its id.
fn place(number: usize) -> (Timestamp, Uuid) {
    let seconds = i64::try_from(number).unwrap_or(0) * 30;
    let start = Timestamp::constant(1_735_689_600, 0);
    let at = start.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(start);
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    (at, uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

fn command(owner: UserId, number: usize) -> Command {
    let (created_at, id) = place(number);
    // The same number is another's command, too.
    let id = Uuid::from_u128(id.as_u128() ^ (owner.uuid().as_u128() << 48));
    let intents = ["get_assignments", "get_courses", "get_grades", "get_schedule", "none"];
    let result = CommandResult {
        intent: intents[number % intents.len()].to_owned(),
        confidence: 0.97,
        language: "en".to_owned(),
        entities: Vec::new(),
        reply: Some("Let's look at what is due.".to_owned()),
        source: Source::Local,
        degraded: false,
        model_version: "5f0c1d9a7b3e".to_owned(),
        llm_model: None,
        processing_time_ms: 0.9,
        stages: StageTimes { queue_ms: 0.4, local_ms: Some(0.06), llm_ms: None },
    };
    Command {
        job_id: id.into(),
        user_id: owner,
        session_id: Some(format!("s-{}", number / 20)),
        command: format!("when is my next assignment due in class {number}"),
        status: Status::Completed,
        created_at,
        completed_at: created_at,
        result: Some(result),
        error: None,
        fingerprint: [0; 32],
    }
}
