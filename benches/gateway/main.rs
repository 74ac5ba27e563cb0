//! What the gateway costs beside nginx and HAProxy: `cargo bench --bench gateway`, with `-- --quick` for
//! a short run and `-- --markdown` for a table that can be pasted.
//!
//! All are plain proxies of one upstream over HTTP/1.1, with connections kept alive on both sides and one
//! worker each, on the same processor; the load generator and the upstream have the other one. Rounds are
//! interleaved, so that what else runs on the machine meets all of them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the output")]
#![allow(missing_docs, reason = "a program, not a library")]

#[path = "../server/load.rs"]
#[allow(dead_code, reason = "shared with the benchmark of the server")]
mod load;
mod memory;
mod process;
mod proxies;
#[path = "../server/report.rs"]
mod report;
mod steady;
mod upstream;
mod users;

use std::process::ExitCode;
use std::time::Duration;

use load::{Load, drive};
use process::{PROXIES, REST, pin_this_process};
use proxies::{Part, Proxy, Stage};
use report::Report;

pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How much is measured.
pub struct Plan {
    /// How long one load lasts.
    time: Duration,
    /// Rounds of it; the median counts.
    rounds: usize,
    /// Idle connections held open, plain ones and WebSockets.
    idle: usize,
    websockets: usize,
}

const FULL: Plan = Plan { time: Duration::from_secs(4), rounds: 3, idle: 10_000, websockets: 2_000 };
const QUICK: Plan = Plan { time: Duration::from_secs(1), rounds: 1, idle: 1_000, websockets: 200 };

/// Nothing takes longer than this, whatever goes wrong.
const BOUND: Duration = Duration::from_mins(20);
/// Connections that are kept busy.
const CONNECTIONS: [usize; 3] = [16, 64, 256];
/// The number of them at which saturation is measured, for the latency at half of it.
const TYPICAL: usize = 64;
/// The share of its processor that a proxy gets at saturation if nothing else runs there.
const ALONE: f64 = 0.9;

fn main() -> ExitCode {
    let plan = if report::quick() { QUICK } else { FULL };
    if report::quick() && !report::given("--bench") && !proxies::installed() {
        eprintln!("left out: {}", proxies::MISSING);
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    report::run(runtime, BOUND, measure(&plan))
}

async fn measure(plan: &Plan) -> Result<Report, Fault> {
    let mut report = Report::default();
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if processors < 2 {
        report.note("one processor: nothing is pinned", "the load generator's share is missing");
    } else {
        pin_this_process()?;
        report.note("processors", format!("proxies on {PROXIES}, load and upstream on {REST}"));
    }
    let limit = process::raise_open_files(2 * plan.idle + 2_000)?;
    let temporary = tempfile::Builder::new().prefix("voicera-bench-").tempdir()?;
    let stage = Stage::start(temporary.path(), processors > 1, limit).await?;
    let saturation = throughput(&stage, plan, &mut report).await?;
    latency(&stage, &saturation, plan, &mut report).await?;
    memory::measure(&stage, plan, limit, &mut report).await?;
    Ok(report)
}

/// One load's figures, round by round.
#[derive(Default)]
struct Figures {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// Microseconds of processor time a request.
    cpu: Vec<f64>,
    /// The share of its processor that the proxy had.
    busy: Vec<f64>,
}

impl Figures {
    fn text(&self) -> String {
        let of = |figures: &[f64]| median(figures.to_vec());
        let (rate, p50, p99) = (of(&self.rate), of(&self.p50), of(&self.p99));
        let (cpu, busy) = (of(&self.cpu), of(&self.busy) * 100.0);
        format!("{rate:.0} /s, p50 {p50:.2} ms, p99 {p99:.2} ms, {cpu:.1} µs of CPU each, {busy:.0} % busy")
    }
}

/// Each as fast as it can, in turns; what each does with [`TYPICAL`] connections.
async fn throughput(stage: &Stage, plan: &Plan, report: &mut Report) -> Result<Vec<f64>, Fault> {
    for proxy in stage.all() {
        run(proxy, TYPICAL, plan.time / 4).await?;
    }
    let mut typical = Vec::new();
    for connections in CONNECTIONS {
        let mut all: Vec<Figures> = stage.all().iter().map(|_| Figures::default()).collect();
        for round in 0..plan.rounds {
            eprintln!("{connections} connections: round {} of {}", round + 1, plan.rounds);
            for (proxy, figures) in stage.all().iter().zip(&mut all) {
                let cpu = proxy.cpu()?;
                let outcome = run(proxy, connections, plan.time).await?;
                let cpu = proxy.cpu()? - cpu;
                figures.rate.push(outcome.per_second());
                figures.p50.push(outcome.percentile(50));
                figures.p99.push(outcome.percentile(99));
                figures.cpu.push(cpu / outcome.per_second() / outcome.took.as_secs_f64() * 1e6);
                figures.busy.push(cpu / outcome.took.as_secs_f64());
            }
        }
        let mut baseline: Option<&Figures> = None;
        for (proxy, figures) in stage.all().iter().zip(&all) {
            report.note(format!("{}, {connections} connections", proxy.name), figures.text());
            if proxy.part == Part::Baseline {
                baseline = Some(figures);
            }
        }
        for (proxy, figures) in stage.all().iter().zip(&all) {
            let (Part::Own(share), Some(baseline)) = (proxy.part, baseline) else { continue };
            let ratios = figures.rate.iter().zip(&baseline.rate).map(|(own, other)| own / other);
            let ratio = median(ratios.collect());
            let what = format!("{} over nginx, {connections} connections", proxy.name);
            let cpu = median(figures.cpu.clone()) / median(baseline.cpu.clone());
            let figure = format!("{ratio:.2} of the requests, {cpu:.1} times the CPU for each");
            report.aim(what, figure, &format!(">= {share:.1}"), ratio >= share);
            if median(figures.busy.clone()) < ALONE {
                report.note("  something else runs on the processor", "only the CPU can be compared");
            }
        }
        if connections == TYPICAL {
            typical = all.iter().map(|figures| median(figures.rate.clone())).collect();
        }
    }
    Ok(typical)
}

async fn run(proxy: &Proxy, connections: usize, time: Duration) -> Result<load::Outcome, Fault> {
    let load = Load { connections, time, most: usize::MAX, rate: None, status: 200 };
    let request = proxy.request.clone();
    let outcome = drive(proxy.address, load, move |_| request.clone()).await;
    outcome.map_err(|fault| format!("{}: {fault}", proxy.name).into())
}

/// What each adds to the upstream's own time at half of what it can do, request by request at a constant
/// rate.
async fn latency(stage: &Stage, saturation: &[f64], plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    for (proxy, most) in stage.all().iter().zip(saturation) {
        if proxy.part == Part::Upstream {
            continue;
        }
        let rate = most / 2.0;
        let (mut p50, mut p99, mut whole) = (vec![], vec![], vec![]);
        for round in 0..plan.rounds {
            eprintln!("{} at half: round {} of {}", proxy.name, round + 1, plan.rounds);
            let direct = steady::drive(stage.upstream(), rate, TYPICAL, plan.time).await?;
            let through = steady::drive(proxy, rate, TYPICAL, plan.time).await?;
            p50.push(through.percentile(50) - direct.percentile(50));
            p99.push(through.percentile(99) - direct.percentile(99));
            whole.push(through.percentile(99));
        }
        let (p50, p99, whole) = (median(p50), median(p99), median(whole));
        let what = format!("{}, added to the upstream at {rate:.0} /s", proxy.name);
        let figure = format!("p50 {p50:.2} ms, p99 {p99:.2} ms (p99 in all {whole:.2} ms)");
        if matches!(proxy.part, Part::Own(_)) {
            report.aim(what, figure, "p99 < 1 ms", p99 < 1.0);
        } else {
            report.note(what, figure);
        }
    }
    Ok(())
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
