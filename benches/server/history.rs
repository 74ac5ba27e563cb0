//! What a page of the history costs when there is much of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;
use voicera::kit::clock::{SharedClock, SystemClock};
use voicera::kit::http::page::Cursor;
use voicera::kit::ids::UserId;
use voicera::kit::storage::sqlite::{Options, Synchronous};
use voicera::voice::api::{Command, CommandResult, Entity, Source, StageTimes, Status};
use voicera::voice::store::CommandStore as _;
use voicera::voice::store::sqlite::SqliteCommands;

use crate::load::{Connection, Load, drive, get};
use crate::process::Server;
use crate::{Fault, Plan, Report};

/// Rows on their way into the file at once: enough for full batches.
const WRITERS: usize = 512;

/// Measures the first page and one at nine tenths of the depth, for each number of rows.
pub async fn measure(folder: &Path, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    let server = Server::start(folder).await?;
    let owner = owner(&server).await?;
    server.stop().await?;
    let mut there = 0;
    let mut pages = Vec::new();
    for &rows in plan.history {
        eprintln!("history: {rows} rows");
        seed(&folder.join("data/voice.db"), owner, there..rows).await?;
        there = rows;
        let server = Server::start(folder).await?;
        let key = server.key()?;
        let first = "/api/voice/history?limit=50".to_owned();
        let (at, id) = place(rows / 10);
        let deep = format!("{first}&cursor={}", Cursor { at, id });
        let mut costs = Vec::new();
        for path in [first, deep] {
            costs.push(page(&server, &path, &key).await?);
        }
        server.stop().await?;
        report.note(
            format!("history of {rows} rows: first page, deep page (p50)"),
            format!("{:.2} ms, {:.2} ms", costs[0], costs[1]),
        );
        pages.push(costs);
    }
    if let (Some(few), Some(many)) = (pages.first(), pages.last()) {
        let growth = f64::max(many[0] / few[0], many[1] / few[1]);
        report.aim(
            "history: the longest over the shortest",
            format!("{growth:.2} times"),
            "flat (< 1.5)",
            growth < 1.5,
        );
    }
    Ok(())
}

async fn owner(server: &Server) -> Result<UserId, Fault> {
    let mut connection = Connection::open(server.address).await?;
    connection.send(&get("/api/auth/me", Some(&server.key()?))).await?;
    let me: serde_json::Value = serde_json::from_slice(connection.body())?;
    Ok(me["userId"].as_str().ok_or("no userId")?.parse()?)
}

/// The median time of a page, in milliseconds.
async fn page(server: &Server, path: &str, key: &str) -> Result<f64, Fault> {
    let request = get(path, Some(key));
    let mut connection = Connection::open(server.address).await?;
    let status = connection.send(&request).await?;
    let entries = String::from_utf8_lossy(connection.body()).matches("\"jobId\"").count();
    if status != 200 || entries != 50 {
        return Err(format!("{path}: {status}, {entries} entries").into());
    }
    let load = Load { connections: 1, time: Duration::from_secs(2), most: 500, rate: None, status: 200 };
    Ok(drive(server.address, load, move |_| request.clone()).await?.percentile(50))
}

/// Writes commands straight into the file, in order of time.
async fn seed(file: &Path, owner: UserId, rows: std::ops::Range<usize>) -> Result<(), Fault> {
    let clock: SharedClock = Arc::new(SystemClock);
    // What a loss of power would cost does not matter here.
    let options = Options { synchronous: Synchronous::Normal, cache_kib: 128 * 1024, ..Options::new(file) };
    let store = Arc::new(SqliteCommands::open(&options, &clock, &|_| {}).await?);
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for first in 0..WRITERS {
        let (store, rows) = (Arc::clone(&store), rows.clone());
        tasks.spawn(async move {
            for number in rows.skip(first).step_by(WRITERS) {
                store.record(&command(owner, number)).await?;
            }
            Ok::<_, voicera::kit::storage::StorageError>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    store.close().await;
    eprintln!("  seeded {} rows in {:.1} s", rows.len(), begun.elapsed().as_secs_f64());
    Ok(())
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
    let intents = ["get_assignments", "get_courses", "get_grades", "get_schedule", "none"];
    let result = CommandResult {
        intent: intents[number % intents.len()].to_owned(),
        confidence: 0.97,
        language: "en".to_owned(),
        entities: vec![Entity {
            entity: "number".to_owned(),
            value: json!(number),
            text: number.to_string(),
            start: Some(39),
            end: Some(39 + number.to_string().len()),
            confidence: 1.0,
            role: None,
            group: None,
        }],
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
