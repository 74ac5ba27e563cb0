//! The attempts in flight of one consumer: what the port's worker calls for each job.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bullmq::types::BackoffStrategy;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Core;
use super::envelope::{Read, Record, entry};
use super::lane::Lane;
use super::scripts;
use crate::kit::queue::attempt::{Verdict, backoff, judge};
use crate::kit::queue::metrics::AttemptOutcome;
use crate::kit::queue::{Handler, Job, JobState, Progress, QueueError};

/// Between two tries at writing down how an attempt ended.
const TROUBLE: Duration = Duration::from_millis(250);

/// What becomes of a job, as the port wants to hear it.
type Landed = Result<Value, bullmq::Error>;

/// Said to the port when the job is no longer its business: it does nothing then.
const MOVED: Landed = Err(bullmq::Error::Delayed);

/// One consumer's attempts.
pub(super) struct Crew {
    pub(super) core: Arc<Core>,
    pub(super) lane: Arc<Lane>,
    pub(super) handler: Arc<dyn Handler>,
    /// How long a job is this consumer's without a sign of life.
    pub(super) lease: Duration,
    /// Nothing more is begun.
    pub(super) stopping: CancellationToken,
    /// What is in flight goes back.
    pub(super) abort: CancellationToken,
    /// What is in flight is left as it is, as if the process had died.
    pub(super) dropped: CancellationToken,
    flights: Mutex<HashMap<String, Flight>>,
    count: watch::Sender<usize>,
    done: Mutex<Vec<Done>>,
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("lane", &self.lane).finish_non_exhaustive()
    }
}

/// What must be known of a job in flight.
struct Flight {
    token: String,
    progress: Progress,
    reported: u8,
    /// When its lock was surely held.
    locked: Instant,
}

impl Crew {
    pub(super) fn new(
        core: Arc<Core>,
        lane: Arc<Lane>,
        handler: Arc<dyn Handler>,
        lease: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            core,
            lane,
            handler,
            lease,
            stopping: CancellationToken::new(),
            abort: CancellationToken::new(),
            dropped: CancellationToken::new(),
            flights: Mutex::default(),
            count: watch::Sender::new(0),
            done: Mutex::default(),
        })
    }

    /// Does one attempt.
    pub(super) async fn process(self: Arc<Self>, port: bullmq::Job) -> Landed {
        if self.stopping.is_cancelled() {
            return self.hand_back(&port).await;
        }
        let wire = port.id().to_owned();
        let mut record = Record::of_port(&port);
        if record.made > 0 {
            record.run_at = self.due(&wire).await;
        }
        let attempts = self.core.options.max_attempts;
        let read = match record.read(&wire, &self.lane.name, JobState::Active, attempts) {
            Ok(read) => read,
            Err(wrong) => {
                tracing::warn!(queue = %self.lane.name, job = wire, wrong, "a job from elsewhere is not one");
                return Err(bullmq::Error::Unrecoverable(wrong));
            }
        };
        let token = port.token().unwrap_or_default().to_owned();
        let _flight = self.take_off(&wire, token.clone(), &read.job);
        let begun = self.core.clock.now();
        let waited = begun.duration_since(read.job.run_at).try_into();
        self.lane.metrics.begun(waited.unwrap_or(Duration::ZERO));
        let verdict = tokio::select! {
            verdict = judge(&*self.handler, &read.job) => Some(verdict),
            () = self.abort.cancelled() => None,
            () = self.dropped.cancelled() => return MOVED,
        };
        let outcome = match &verdict {
            Some(Verdict::Done) => AttemptOutcome::Completed,
            Some(Verdict::Again { .. }) => AttemptOutcome::Retried,
            Some(Verdict::Dead { .. }) => AttemptOutcome::Failed,
            None => AttemptOutcome::Returned,
        };
        let took = self.core.clock.now().duration_since(begun).try_into();
        self.lane.metrics.ended(outcome, took.unwrap_or(Duration::ZERO));
        let Some(verdict) = verdict else { return self.hand_back(&port).await };
        if !self.still_has(&wire, &token).await {
            return MOVED;
        }
        self.land(&port, &token, &read, verdict).await
    }

    /// Whether a job is still ours. If nothing has been heard of the server for long, its lock may have run
    /// out while the server was away: what the attempt came to is kept until that is known.
    async fn still_has(&self, wire: &str, token: &str) -> bool {
        let locked = self.flights().get(wire).map(|flight| flight.locked);
        if locked.is_none_or(|locked| locked.elapsed() < self.lease / 2) {
            return true;
        }
        let renewed = async {
            loop {
                match self.beat(&[[wire.to_owned(), token.to_owned()]]).await {
                    Ok(lost) => return lost.is_empty(),
                    Err(error) => {
                        tracing::debug!(queue = %self.lane.name, %error, "an attempt's end waits for the server");
                        tokio::time::sleep(TROUBLE).await;
                    }
                }
            }
        };
        let kept = tokio::select! {
            kept = renewed => kept,
            () = self.abort.cancelled() => false,
            () = self.dropped.cancelled() => false,
        };
        if !kept {
            tracing::warn!(queue = %self.lane.name, job = wire, "an attempt ended that was not ours any more");
        }
        kept
    }

    /// Renews locks; which are lost.
    pub(super) async fn beat(&self, flights: &[[String; 2]]) -> Result<Vec<String>, QueueError> {
        let sent = Instant::now();
        let mut arguments = vec![self.lease.as_millis().to_string()];
        arguments.extend(flights.iter().flatten().cloned());
        let lost: Vec<String> = self.core.link.run(&scripts::BEAT, &self.lane.prefix, &arguments).await?;
        let mut all = self.flights();
        for [wire, _] in flights.iter().filter(|[wire, _]| !lost.contains(wire)) {
            if let Some(flight) = all.get_mut(wire) {
                flight.locked = sent;
            }
        }
        Ok(lost)
    }

    async fn land(&self, port: &bullmq::Job, token: &str, read: &Read, verdict: Verdict) -> Landed {
        match verdict {
            Verdict::Done => {
                self.done().push(Done { entry: entry(port.id(), read.job.owner), seen: false });
                let value = read.job.return_value.get();
                Ok(value.and_then(|value| serde_json::from_str(value).ok()).unwrap_or(Value::Null))
            }
            Verdict::Again { attempts, reason } => {
                let at = self.core.now().saturating_add(self.pause(read));
                let (attempts, run_at) = (attempts.to_string(), at.to_string());
                let note = ["failedReason", &reason, "atm", &attempts, "runAt", &run_at];
                self.settle(port, token, &note, Some(at)).await;
                MOVED
            }
            Verdict::Dead { reason } => {
                // The port counts this attempt, too.
                let before = read.job.attempts.min(read.job.max_attempts).saturating_sub(1).to_string();
                let note = ["atm", before.as_str(), "told", "1"];
                self.settle(port, token, &note, None).await;
                Err(bullmq::Error::Unrecoverable(reason))
            }
        }
    }

    /// How long a job pauses, in milliseconds: as its producer said, or else evenly drawn below a bound
    /// that doubles.
    fn pause(&self, Read { job, backoff: said, .. }: &Read) -> u64 {
        match said {
            Some(BackoffStrategy::Fixed(delay)) => *delay,
            Some(BackoffStrategy::Exponential(delay)) => {
                delay.saturating_mul(1 << job.attempts.saturating_sub(1).min(30)).min(1 << 40)
            }
            Some(BackoffStrategy::Custom(_)) | None => {
                let options = &self.core.options;
                let bound = backoff(options.backoff_initial, options.backoff_max, job.attempts);
                u64::try_from(bound.mul_f64(self.core.entropy.unit()).as_millis()).unwrap_or(0)
            }
        }
    }

    /// From when a job that was tried before might run.
    async fn due(&self, wire: &str) -> Option<u64> {
        let found = self.core.look(&self.lane, &[wire.to_owned()]).await;
        found.ok()?.pop()??.1.run_at
    }

    /// The job waits again where it was, and the attempt is forgiven. If that cannot be said, its lock
    /// runs out.
    async fn hand_back(&self, port: &bullmq::Job) -> Landed {
        if let Err(error) = self.core.link.port(port.move_to_wait(None)).await {
            tracing::warn!(queue = %self.lane.name, job = port.id(), %error, "a job could not be handed back");
        }
        MOVED
    }

    /// Writes down how an attempt ended, and moves the job to where it waits until `later`. Goes on trying
    /// for as long as it would take another worker to notice that this one has not been heard of.
    async fn settle(&self, port: &bullmq::Job, token: &str, note: &[&str], later: Option<u64>) {
        let patience = tokio::time::timeout(self.lease, async {
            while let Err(error) = self.write_down(port, token, note, later).await {
                tracing::debug!(queue = %self.lane.name, %error, "an attempt's end is not written down yet");
                tokio::time::sleep(TROUBLE).await;
            }
        });
        if patience.await.is_err() {
            tracing::warn!(queue = %self.lane.name, job = port.id(), "an attempt's end could not be written down");
        }
    }

    async fn write_down(
        &self,
        port: &bullmq::Job,
        token: &str,
        note: &[&str],
        later: Option<u64>,
    ) -> Result<(), QueueError> {
        let mut arguments = vec![port.id(), token];
        arguments.extend_from_slice(note);
        let noted: i64 = self.core.link.run(&scripts::NOTE, &self.lane.prefix, &arguments).await?;
        if noted == 0 {
            tracing::warn!(queue = %self.lane.name, job = port.id(), "another worker has taken a job over");
        } else if let Some(later) = later {
            self.core.link.port(port.move_to_delayed(later)).await?;
        }
        Ok(())
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<String, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self) -> MutexGuard<'_, Vec<Done>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_off<'a>(&'a self, wire: &str, token: String, job: &Job) -> InFlight<'a> {
        let (progress, reported) = (job.progress.clone(), job.progress.get());
        let flight = Flight { token, progress, reported, locked: Instant::now() };
        self.flights().insert(wire.to_owned(), flight);
        self.count.send_modify(|count| *count += 1);
        InFlight { crew: self, wire: wire.to_owned() }
    }

    /// Once nothing is in flight.
    pub(super) async fn landed(&self) {
        // The sender lives as long as the crew.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// The jobs in flight and their tokens.
    pub(super) fn tokens(&self) -> Vec<[String; 2]> {
        self.flights().iter().map(|(wire, flight)| [wire.clone(), flight.token.clone()]).collect()
    }

    /// Progress that has been made since this was last asked.
    pub(super) fn news(&self) -> Vec<(String, u8)> {
        let mut flights = self.flights();
        let news = flights.iter_mut().filter_map(|(wire, flight)| {
            let percent = flight.progress.get();
            (percent != std::mem::replace(&mut flight.reported, percent)).then(|| (wire.clone(), percent))
        });
        news.collect()
    }

    /// Takes the jobs that are done out of the indexes. One at a time: what is looked at comes first.
    pub(super) async fn tidy(&self) -> Result<(), QueueError> {
        let entries: Vec<String> = self.done().iter().map(|done| done.entry.clone()).collect();
        let still = self.core.tidy(&self.lane, &entries).await?;
        let mut done = self.done();
        let looked_at = entries.len().min(done.len());
        let newer = done.split_off(looked_at);
        // The server removes a job just after it is done; one that is there at a second look is kept.
        done.retain_mut(|done| !std::mem::replace(&mut done.seen, true) && still.contains(&done.entry));
        done.extend(newer);
        Ok(())
    }
}

/// The entry of a job that is done.
struct Done {
    entry: String,
    /// Whether its job was there at a look.
    seen: bool,
}

/// A job's place among those in flight.
struct InFlight<'a> {
    crew: &'a Crew,
    wire: String,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.crew.flights().remove(&self.wire);
        self.crew.count.send_modify(|count| *count -= 1);
    }
}
