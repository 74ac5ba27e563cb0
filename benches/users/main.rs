//! What it costs to know who asks: `cargo bench --bench users`, with `-- --quick` for a short run and
//! `-- --markdown` for a table that can be pasted.
//!
//! The module itself on a temporary store, served over loopback in this process; the load generator
//! has a thread of its own on the same machine. Passwords cost what they cost as shipped.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the output")]
#![allow(missing_docs, reason = "a program, not a library")]

#[path = "../server/load.rs"]
#[allow(dead_code, reason = "shared with the benchmark of the server")]
mod load;
#[path = "../server/report.rs"]
#[allow(dead_code, reason = "shared with the benchmark of the server")]
mod report;
mod stage;
mod timing;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use load::{Load, drive, get};
use report::Report;
use stage::{PASSWORD, Stage};
use voicera::kit::auth::{Authenticator, Credential};
use voicera::users::local::access::password::{Password, Passwords};

pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How much is measured.
pub struct Plan {
    /// How long each load lasts.
    time: Duration,
    /// Rounds of it; the median counts.
    rounds: usize,
    /// Log-ins of each kind whose times are compared.
    tries: usize,
}

const FULL: Plan = Plan { time: Duration::from_secs(3), rounds: 5, tries: 200 };
const QUICK: Plan = Plan { time: Duration::from_millis(500), rounds: 1, tries: 30 };

/// Nothing takes longer than this, whatever goes wrong.
const BOUND: Duration = Duration::from_mins(10);

fn main() -> ExitCode {
    let plan = if report::quick() { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    report::run(runtime, BOUND, measure(&plan))
}

async fn measure(plan: &Plan) -> Result<Report, Fault> {
    let stage = Stage::build(plan.tries).await?;
    let mut report = Report::default();
    tokens(&stage, plan, &mut report).await?;
    requests(&stage, plan, &mut report).await?;
    log_ins(&stage, plan, &mut report).await?;
    timing::measure(&stage, plan, &mut report).await?;
    stage.close().await;
    Ok(report)
}

/// Tokens that are read for the first time, and such as were read a moment ago, on one core.
async fn tokens(stage: &Stage, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    let token = Credential::new(stage.token().await?);
    for (what, verifier) in
        [("access tokens read", stage.verifier(0)), ("access tokens known already", stage.verifier(1000))]
    {
        eprintln!("{what}");
        let mut rates = Vec::new();
        for _ in 0..plan.rounds {
            let (begun, mut count) = (Instant::now(), 0_u32);
            while begun.elapsed() < plan.time / 2 {
                for _ in 0..100 {
                    verifier.authenticate(&token).await?;
                }
                count += 100;
            }
            rates.push(f64::from(count) / begun.elapsed().as_secs_f64());
        }
        let rate = median(rates);
        report.note(format!("{what}, one core"), format!("{rate:.0} /s, {:.1} µs each", 1e6 / rate));
    }
    Ok(())
}

/// One endpoint with and without a credential.
async fn requests(stage: &Stage, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    let verifier: Arc<dyn Authenticator> = Arc::new(stage.verifier(1000));
    let token = stage.token().await?;
    let key = stage.key().await?;
    let open = stage.serve(stage::endpoint(None)).await?;
    let guarded = stage.serve(stage::endpoint(Some(verifier))).await?;
    let load = Load { connections: 32, time: plan.time, most: usize::MAX, rate: None, status: 200 };
    let mut rates = [vec![], vec![], vec![]];
    for round in 0..plan.rounds {
        eprintln!("requests: round {} of {}", round + 1, plan.rounds);
        let asked = [(open, None), (guarded, Some(token.as_str())), (guarded, Some(key.as_str()))];
        for ((address, credential), rates) in asked.into_iter().zip(&mut rates) {
            let request = get("/", credential);
            rates.push(drive(address, load, move |_| request.clone()).await?.per_second());
        }
    }
    let [open, by_token, by_key] = rates.map(median);
    report.note("requests without a credential", format!("{open:.0} /s"));
    for (what, rate) in [("an access token", by_token), ("an API key", by_key)] {
        let ratio = rate / open;
        let figure = format!("{rate:.0} /s, {ratio:.2} of those without");
        report.aim(format!("requests with {what}"), figure, ">= 0.85", ratio >= 0.85);
    }
    Ok(())
}

/// Passwords compared, by themselves and with everything that a log-in is.
async fn log_ins(stage: &Stage, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let passwords = Passwords::new(stage::COST, threads, 1000, stage.entropy())?;
    let password = Password::typed(PASSWORD);
    let kept = passwords.hash(&password).await?;
    let (mut alone, mut whole) = (vec![], vec![]);
    let next = AtomicUsize::new(0);
    for round in 0..plan.rounds {
        eprintln!("log-ins: round {} of {}", round + 1, plan.rounds);
        // More at once than are hashed: while some wait for the disk, the others keep the processors busy.
        let clients = 4 * threads;
        alone.push(stage::rate(plan.time, clients, || passwords.compare(&password, Some(&kept))).await?);
        let log_in = || async {
            // Somebody else each time: tries at one account are limited while they are under way.
            let who = Stage::known(next.fetch_add(1, Ordering::Relaxed) % plan.tries);
            stage.sessions().log_in(&who, PASSWORD, None).await
        };
        whole.push(stage::rate(plan.time, clients, log_in).await?);
    }
    let (alone, whole) = (median(alone), median(whole));
    report.note("passwords compared (argon2id, 19 MiB, 2 passes)", format!("{alone:.1} /s"));
    let ratio = whole / alone;
    let figure = format!("{whole:.1} /s, {ratio:.2} of that");
    report.aim("log-ins", figure, "bounded by argon2 alone", ratio >= 0.9);
    Ok(())
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
