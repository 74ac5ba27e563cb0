//! How fast the server is: `cargo bench --bench server`, with `-- --quick` for a short run and
//! `-- --markdown` for a table that can be pasted; `-- --servers` keeps things in MongoDB and Redis.
//!
//! Starts the real binary on a temporary folder, with the configuration as shipped (commits are
//! flushed to the disk, the access log is written), and drives it over loopback from the same
//! machine: the load generator's share of the processors is missing from every figure. The folder is
//! made in the one that `VOICERA_BENCH_DIR` names, or in the temporary one; it should be on a real
//! disk. Everything is bounded in count and time.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the output")]
#![allow(missing_docs, reason = "a program, not a library")]

mod backing;
mod history;
mod load;
mod process;
mod replica_set;
mod report;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use backing::Backing;
use load::{Connection, Load, Outcome, drive, get, post};
use process::Server;
use report::Report;

pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How much is measured.
pub struct Plan {
    /// First and second starts.
    starts: usize,
    /// Rounds of requests and commands; the median counts.
    rounds: usize,
    /// How long one load lasts.
    time: Duration,
    /// Rows of history.
    history: &'static [usize],
}

const FULL: Plan =
    Plan { starts: 5, rounds: 3, time: Duration::from_secs(4), history: &[1_000, 100_000, 1_000_000] };
const QUICK: Plan = Plan { starts: 2, rounds: 1, time: Duration::from_secs(1), history: &[1_000, 20_000] };

/// Nothing takes longer than this, whatever goes wrong.
const BOUND: Duration = Duration::from_mins(15);
/// Commands accepted in one round at most; the queue has room for 200,000.
const BATCH: usize = 100_000;

fn main() -> ExitCode {
    let plan = if report::quick() { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    report::run(runtime, BOUND, measure(&plan))
}

async fn measure(plan: &Plan) -> Result<Report, Fault> {
    let parent = std::env::var_os("VOICERA_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let temporary = tempfile::Builder::new().prefix("voicera-bench-").tempdir_in(parent)?;
    let mut report = Report::default();
    let folder = |name: &str| {
        let folder = temporary.path().join(name);
        std::fs::create_dir_all(&folder).map(|()| folder)
    };
    if report::given("--servers") {
        let (backing, folder) = (Backing::servers().await?, folder("servers")?);
        throughput(&folder, &backing, plan, &mut report).await?;
        waiting(&folder, &backing, plan, &mut report).await?;
        return Ok(report);
    }
    let files = Backing::default();
    starts(&temporary.path().join("start"), plan, &mut report).await?;
    throughput(&folder("throughput")?, &files, plan, &mut report).await?;
    waiting(&folder("waiting")?, &files, plan, &mut report).await?;
    history::measure(&folder("history")?, plan, &mut report).await?;
    Ok(report)
}

/// From the start of the process to readiness: on an empty folder, and on one that has been used.
async fn starts(folder: &Path, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for number in 0..plan.starts {
        eprintln!("starts: {} of {}", number + 1, plan.starts);
        let folder = folder.join(number.to_string());
        std::fs::create_dir_all(&folder)?;
        for times in [&mut first, &mut second] {
            let server = Server::start(&folder).await?;
            times.push(server.ready_after.as_secs_f64() * 1e3);
            server.stop().await?;
        }
    }
    report.note("first start to ready (trains)", format!("{:.0} ms", median(first)));
    let second = median(second);
    report.aim("second start to ready", format!("{second:.0} ms"), "< 500 ms", second < 500.0);
    Ok(())
}

/// Requests that do nothing, against commands that are accepted, answered and kept.
async fn throughput(folder: &Path, backing: &Backing, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    // On an empty folder it has just trained: what that took is not what an idle server takes.
    Server::start_on(folder, backing).await?.stop().await?;
    let server = Server::start_on(folder, backing).await?;
    let key = server.key()?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = server.resident()?;

    let (mut live, mut accepted, mut ratios, mut completed, mut drains) =
        (vec![], vec![], vec![], vec![], vec![]);
    let (mut live_cpu, mut command_cpu) = (vec![], vec![]);
    let (mut sent, mut expected) = (0, 0);
    for round in 0..plan.rounds {
        eprintln!("throughput: round {} of {}", round + 1, plan.rounds);
        let load = Load { connections: 64, time: plan.time, most: usize::MAX, rate: None, status: 200 };
        let request = get("/health/live", None);
        let cpu = server.cpu()?;
        let probes = drive(server.address, load, move |_| request.clone()).await?;
        live_cpu.push(each(server.cpu()? - cpu, probes.times.len()));

        let (cpu, begun) = (server.cpu()?, Instant::now());
        let load = Load { most: BATCH, status: 202, ..load };
        let commands = drive(server.address, load, commands(&key, "", sent)).await?;
        sent += BATCH;
        let count = commands.times.len();
        let drain = Instant::now();
        let all = all_answered(&server, &key).await?;
        drains.push(drain.elapsed().as_secs_f64());
        completed.push(per_second(count, begun.elapsed()));
        command_cpu.push(each(server.cpu()? - cpu, count));
        expected += count as u64;
        if all != expected {
            return Err(format!("{expected} commands were accepted, {all} answered").into());
        }
        ratios.push(commands.per_second() / probes.per_second());
        live.push(probes.per_second());
        accepted.push(commands.per_second());
    }
    let with_cpu = |rate, cpu| format!("{:.0} /s, {:.0} µs of CPU each", median(rate), median(cpu));
    report.note("GET /health/live, 64 connections", with_cpu(live, live_cpu));
    report.note("commands accepted (202), 64 connections", format!("{:.0} /s", median(accepted)));
    let ratio = median(ratios);
    report.aim("accepted over live", format!("{ratio:.2}"), ">= 0.5", ratio >= 0.5);
    report.note("commands accepted, answered and kept", with_cpu(completed, command_cpu));
    report.note("last accepted to all answered", format!("{:.2} s", median(drains)));
    let after = server.resident()?;
    report.aim("resident memory, idle", format!("{idle:.0} MB"), "< 80 MB", idle < 80.0);
    report.aim("resident memory, after the batch", format!("{after:.0} MB"), "< 80 MB", after < 80.0);
    server.stop().await
}

/// Commands whose clients wait for the answer: as many as the server can do, and at a steady rate.
async fn waiting(folder: &Path, backing: &Backing, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    let server = Server::start_on(folder, backing).await?;
    let key = server.key()?;
    let mut sent = 0;
    for rate in [None, Some(2_000), Some(500)] {
        let (mut p50, mut p99, mut rates) = (vec![], vec![], vec![]);
        for round in 0..plan.rounds {
            eprintln!("waiting: round {} of {}", round + 1, plan.rounds);
            let load = Load { connections: 32, time: plan.time, most: BATCH, rate, status: 200 };
            let outcome: Outcome =
                drive(server.address, load, commands(&key, "prefer: wait=10\r\n", sent)).await?;
            sent += BATCH;
            p50.push(outcome.percentile(50));
            p99.push(outcome.percentile(99));
            rates.push(outcome.per_second());
        }
        let (p50, p99, rates) = (median(p50), median(p99), median(rates));
        let what = match rate {
            None => "Prefer: wait, 32 connections, back to back".to_owned(),
            Some(rate) => format!("Prefer: wait, 32 connections, {rate} /s"),
        };
        let figure = format!("p50 {p50:.2} ms, p99 {p99:.2} ms, {rates:.0} /s");
        report.aim(what, figure, "p50 < 2 ms", p50 < 2.0);
    }
    server.stop().await
}

/// Makes commands, no two alike, so that none is answered from the cache.
fn commands(
    key: &str,
    headers: &'static str,
    from: usize,
) -> impl Fn(usize) -> Vec<u8> + Clone + Send + 'static {
    const WORDS: [&str; 6] = [
        "when is my next assignment due in class",
        "what courses do i take in room",
        "show me my grades for exam",
        "what is on my schedule in week",
        "quiz me on chapter",
        "help me study unit",
    ];
    let key = key.to_owned();
    move |number| {
        let body = format!(r#"{{"command":"{} {}"}}"#, WORDS[number % WORDS.len()], from + number);
        post("/api/voice/process", &key, headers, &body)
    }
}

/// Waits until nothing waits any more; how many commands there are then.
async fn all_answered(server: &Server, key: &str) -> Result<u64, Fault> {
    let mut connection = Connection::open(server.address).await?;
    loop {
        connection.send(&get("/health", None)).await?;
        let health: serde_json::Value = serde_json::from_slice(connection.body())?;
        let queue = health["checks"]["voice.queue"]["detail"].as_str().ok_or("no queue in /health")?;
        if queue.starts_with("0 waiting, 0 active, 0 delayed") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    connection.send(&get("/api/voice/stats", Some(key))).await?;
    let stats: serde_json::Value = serde_json::from_slice(connection.body())?;
    Ok(stats["completed"].as_u64().ok_or("no figures")?)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Microseconds each.
#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn each(seconds: f64, count: usize) -> f64 {
    seconds * 1e6 / count as f64
}
