//! What a consumer does beside its jobs, each at its own pace: it renews locks, takes over the jobs of the
//! dead, reports progress, collects what others did, and keeps the indexes tidy.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bullmq::JobProgress;
use deadpool_redis::redis::cmd;
use tokio::time::{MissedTickBehavior, interval};

use super::collect::Collector;
use super::crew::Crew;
use super::scripts;
use crate::kit::queue::QueueError;

/// Locks renewed in one call.
const BEATS: usize = 500;
/// Attempts that are forgiven because their worker died with others in flight, for each that a job has.
const FORGIVEN: u32 = 3;
/// How far apart jobs are tried that were in flight more than once when a worker died.
const APART: Duration = Duration::from_secs(2);
/// Between two reports of progress.
const REPORT: Duration = Duration::from_millis(250);
/// Between two rounds of tidying.
const TIDY: Duration = Duration::from_millis(250);
/// Between two looks into the index for jobs that are no more.
const SWEEP_INDEX: Duration = Duration::from_secs(5);
/// Entries of the index looked at in one go.
const INDEX: usize = 200;
/// How old an entry is before its job is missed: it is written before the job.
const OLD: u64 = 60_000;
/// Between two looks at what others did.
const COLLECT: Duration = Duration::from_millis(500);
/// Between two counts for the metrics.
const COUNT: Duration = Duration::from_secs(5);

/// All of it, for ever.
pub(super) async fn run(crew: &Crew, name: &str) {
    let trouble = AtomicBool::new(false);
    let look = (crew.lease / 4).max(Duration::from_millis(10));
    tokio::join!(
        every(look, Duty::Beat, crew, &trouble),
        every(look, Duty::Sweep { look }, crew, &trouble),
        every(REPORT, Duty::Report, crew, &trouble),
        every(TIDY, Duty::Tidy, crew, &trouble),
        every(SWEEP_INDEX, Duty::SweepIndex { place: 0 }, crew, &trouble),
        every(COLLECT, Duty::Collect(Collector::new(name)), crew, &trouble),
        every(COUNT, Duty::Count, crew, &trouble),
    );
}

/// What is to be done, and how far it has got.
enum Duty {
    Beat,
    Sweep { look: Duration },
    Report,
    Tidy,
    SweepIndex { place: u64 },
    Collect(Collector),
    Count,
}

impl Duty {
    async fn round(&mut self, crew: &Crew) -> Result<(), QueueError> {
        match self {
            Self::Beat => beat(crew).await,
            Self::Sweep { look } => sweep(crew, *look).await,
            Self::Report => report(crew).await,
            Self::Tidy => crew.tidy().await,
            Self::SweepIndex { place } => sweep_index(crew, place).await,
            Self::Collect(collector) => collector.collect(crew).await,
            Self::Count => crew.core.depth(&crew.lane).await.map(drop),
        }
    }
}

/// Does `duty` again and again. What fails is said once, not each time.
async fn every(period: Duration, mut duty: Duty, crew: &Crew, trouble: &AtomicBool) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match duty.round(crew).await {
            Ok(()) if trouble.swap(false, Ordering::Relaxed) => {
                tracing::info!(queue = %crew.lane.name, "the queue's server answers again");
            }
            Err(error) if !trouble.swap(true, Ordering::Relaxed) => {
                tracing::error!(queue = %crew.lane.name, %error, "the queue cannot be worked on; trying again");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// A sign of life for each job in flight.
async fn beat(crew: &Crew) -> Result<(), QueueError> {
    for some in crew.tokens().chunks(BEATS) {
        let lost = crew.beat(some).await?;
        // What has ended since is no loss.
        let still = crew.tokens();
        for wire in lost.iter().filter(|lost| still.iter().any(|[wire, _]| wire == *lost)) {
            tracing::warn!(queue = %crew.lane.name, job = wire, "another worker may have taken a job over");
        }
    }
    Ok(())
}

/// Takes over what dead workers left.
async fn sweep(crew: &Crew, look: Duration) -> Result<(), QueueError> {
    let millis = |time: Duration| time.as_millis().to_string();
    let attempts = crew.core.options.max_attempts.to_string();
    let arguments = [millis(look), attempts, FORGIVEN.to_string(), millis(APART)];
    let back: Vec<String> = crew.core.link.run(&scripts::SWEEP, &crew.lane.prefix, &arguments).await?;
    if !back.is_empty() {
        tracing::warn!(queue = %crew.lane.name, jobs = back.len(), "took over the jobs of a worker that is gone");
    }
    Ok(())
}

async fn report(crew: &Crew) -> Result<(), QueueError> {
    let news = crew.news();
    if news.is_empty() {
        return Ok(());
    }
    let port = crew.lane.port().await?;
    for (wire, percent) in news {
        let progress = JobProgress::Number(f64::from(percent));
        match crew.core.link.port(port.update_job_progress(&wire, progress)).await {
            // It has ended.
            Ok(()) | Err(QueueError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Looks whether the next jobs of the index are still there, beginning at `place`.
async fn sweep_index(crew: &Crew, place: &mut u64) -> Result<(), QueueError> {
    let until = crew.core.now().saturating_sub(OLD) * 4_096;
    let mut next = cmd("ZRANGEBYSCORE");
    next.arg(format!("{}voicera:accepted", crew.lane.prefix)).arg(format!("({place}")).arg(until);
    next.arg("WITHSCORES").arg("LIMIT").arg(0).arg(INDEX);
    let connection = crew.core.link.connection().await?;
    let entries: Vec<(String, u64)> = crew.core.link.port(connection.cmd(&mut next)).await?;
    *place = entries.last().map_or(0, |(_, place)| *place);
    let entries: Vec<String> = entries.into_iter().map(|(entry, _)| entry).collect();
    crew.core.tidy(&crew.lane, &entries).await?;
    Ok(())
}
