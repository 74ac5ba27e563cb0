//! The loop that works on one queue.
//!
//! It owns the jobs in flight and speaks to the file in turns: one transaction that settles what has
//! ended, renews what goes on, and claims what there is room for. Between turns it sleeps until
//! somebody wakes it: a job that ended, the lane, the next due time, the shutdown.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempt::{self, Landed};
use super::lane::Lane;
use super::ops::{Op, Reply, Turn, Turned, Unfinished};
use super::Core;
use crate::kit::ids::JobId;
use crate::kit::queue::metrics::AttemptOutcome;
use crate::kit::queue::{ConsumeOptions, Handler, JobState, QueueError};
use crate::kit::storage::StorageError;

/// Pauses while the store does not work: a full disk, a lock.
const TROUBLE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// How long to wait for handlers that were told to stop; one that blocks its thread cannot be.
const ABORT: Duration = Duration::from_secs(1);

pub(super) struct Consumer {
    core: Arc<Core>,
    lane: Arc<Lane>,
    handler: Arc<dyn Handler>,
    options: ConsumeOptions,
    /// The name that its leases are in.
    lease_by: i64,
    tasks: JoinSet<Landed>,
    flights: HashMap<i64, Flight>,
    completed: Arc<Vec<i64>>,
    unfinished: Arc<Vec<Unfinished>>,
    /// When to tidy next: renew leases, take back expired ones, promote due jobs.
    tidy_at: i64,
    /// The last claim found nothing, so only news are a reason for another.
    dry: bool,
}

/// What must be known of a job in flight to hand it back.
struct Flight {
    id: JobId,
    attempts: u32,
    run_at: i64,
}

impl Consumer {
    pub(super) fn new(
        core: Arc<Core>,
        queue: &'static str,
        handler: Arc<dyn Handler>,
        options: ConsumeOptions,
    ) -> Self {
        Self {
            lane: core.lanes.of(queue),
            lease_by: i64::from_le_bytes(core.entropy.bytes()),
            core,
            handler,
            options,
            tasks: JoinSet::new(),
            flights: HashMap::new(),
            completed: Arc::default(),
            unfinished: Arc::default(),
            tidy_at: i64::MIN,
            dry: false,
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) -> Result<(), QueueError> {
        let mut wake = self.lane.subscribe();
        wake.mark_changed();
        while !shutdown.is_cancelled() {
            self.land_all();
            let now = self.core.now();
            if wake.has_changed().unwrap_or(false) {
                wake.mark_unchanged();
                self.dry = false;
            }
            let tidy = now >= self.tidy_at || now >= self.lane.next_delayed() || self.lane.take_orphaned();
            let room = self.options.concurrency.max(1).saturating_sub(self.flights.len());
            let claim = if tidy || (!self.dry && self.lane.count(JobState::Waiting) > 0) { room } else { 0 };
            if tidy || claim > 0 || self.has_settlements() {
                if let Err(error) = self.turn(now, tidy, claim).await {
                    self.trouble(error, &shutdown).await?;
                }
                continue;
            }
            self.rest(&mut wake, &shutdown).await;
        }
        self.drain().await
    }

    /// Sleeps until there may be something to do.
    async fn rest(&mut self, wake: &mut watch::Receiver<()>, shutdown: &CancellationToken) {
        let next = self.tidy_at.min(self.lane.next_delayed());
        let timer = self.core.clock.sleep_until(instant(next));
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = wake.changed() => wake.mark_changed(),
            Some(landed) = self.tasks.join_next() => {
                self.land(landed.ok());
                // Those that end together are settled together: let them end.
                tokio::task::yield_now().await;
            }
            () = timer => {}
        }
    }

    async fn turn(&mut self, now: i64, tidy: bool, claim: usize) -> Result<(), StorageError> {
        let lease = micros(self.options.lease);
        let turn = Turn {
            lane: Arc::clone(&self.lane),
            lease_by: self.lease_by,
            now,
            lease_until: now.saturating_add(lease),
            completed: Arc::clone(&self.completed),
            unfinished: Arc::clone(&self.unfinished),
            renew: if tidy { self.flights.keys().copied().collect() } else { Vec::new() },
            tidy,
            claim,
        };
        let Reply::Turned(turned) = self.core.db.write(Op::Turn(Box::new(turn))).await? else {
            return Ok(());
        };
        self.completed = Arc::default();
        self.unfinished = Arc::default();
        self.dry = claim > 0 && turned.claimed.is_empty();
        if tidy {
            // With jobs of its own in flight it must be back in good time before their leases end;
            // if other processes share the file it looks after theirs, too, now and then.
            let own = now.saturating_add(lease / 3);
            let others = turned.next_lease.map_or(i64::MAX, |next| next.max(now.saturating_add(1)));
            self.tidy_at = match (self.flights.is_empty(), self.core.options.sole_owner) {
                (false, _) => own,
                (true, true) => others,
                (true, false) => others.min(now.saturating_add(lease)),
            };
        }
        self.take_off(now, lease, turned);
        Ok(())
    }

    fn take_off(&mut self, now: i64, lease: i64, turned: Turned) {
        if turned.claimed.is_empty() {
            return;
        }
        self.tidy_at = self.tidy_at.min(now.saturating_add(lease / 3));
        let mut in_flight = self.core.lanes.in_flight();
        for (seq, job) in turned.claimed {
            in_flight.insert(job.id, job.progress.clone());
            let flight = Flight { id: job.id, attempts: job.attempts, run_at: job.run_at.as_microsecond() };
            self.flights.insert(seq, flight);
            self.tasks.spawn(attempt::run(Arc::clone(&self.core), Arc::clone(&self.handler), seq, job));
        }
    }

    fn land_all(&mut self) {
        while let Some(landed) = self.tasks.try_join_next() {
            self.land(landed.ok());
        }
    }

    fn land(&mut self, landed: Option<Landed>) {
        // A task that was aborted leaves its job in flight, to be handed back.
        let Some(Landed { seq, back }) = landed else { return };
        let Some(flight) = self.flights.remove(&seq) else { return };
        self.core.lanes.in_flight().remove(&flight.id);
        match back {
            None => Arc::make_mut(&mut self.completed).push(seq),
            Some(back) => Arc::make_mut(&mut self.unfinished).push(back),
        }
    }

    fn has_settlements(&self) -> bool {
        !self.completed.is_empty() || !self.unfinished.is_empty()
    }

    /// Nothing is lost while the store does not work, it only takes longer.
    async fn trouble(&self, error: StorageError, stop: &CancellationToken) -> Result<(), QueueError> {
        if matches!(error, StorageError::Closed { .. }) {
            return Err(error.into());
        }
        tracing::error!(queue = %self.lane.name, %error, "the queue's store failed; trying again");
        let pause = TROUBLE.0 + (TROUBLE.1 - TROUBLE.0).mul_f64(self.core.entropy.unit());
        let until = self.core.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        tokio::select! {
            () = self.core.clock.sleep_until(until) => {}
            () = stop.cancelled() => {}
        }
        Ok(())
    }

    /// After the shutdown: what is in flight may finish within the grace period, the rest goes back.
    async fn drain(&mut self) -> Result<(), QueueError> {
        let deadline = self.core.now().saturating_add(micros(self.options.grace));
        let never = CancellationToken::new();
        loop {
            self.land_all();
            let now = self.core.now();
            let late = now >= deadline;
            if late && !self.flights.is_empty() {
                self.hand_back().await;
            }
            let tidy = now >= self.tidy_at && !self.flights.is_empty();
            if tidy || self.has_settlements() {
                match self.turn(now, tidy, 0).await {
                    Ok(()) => {}
                    Err(error) if late => return Err(error.into()),
                    Err(error) => self.trouble(error, &never).await?,
                }
                continue;
            }
            if self.flights.is_empty() {
                return Ok(());
            }
            let timer = self.core.clock.sleep_until(instant(self.tidy_at.min(deadline)));
            tokio::select! {
                Some(landed) = self.tasks.join_next() => self.land(landed.ok()),
                () = timer => {}
            }
        }
    }

    /// Stops the handlers that are still at it; their jobs wait again, and the attempt is forgiven.
    async fn hand_back(&mut self) {
        self.tasks.abort_all();
        let stopped = tokio::time::timeout(ABORT, async {
            while let Some(landed) = self.tasks.join_next().await {
                self.land(landed.ok());
            }
        });
        if stopped.await.is_err() {
            tracing::error!(queue = %self.lane.name, "a handler blocks its thread and cannot be stopped");
            self.tasks.detach_all();
        }
        let mut in_flight = self.core.lanes.in_flight();
        for (seq, flight) in self.flights.drain() {
            in_flight.remove(&flight.id);
            self.lane.metrics().ended(AttemptOutcome::Returned, Duration::ZERO);
            Arc::make_mut(&mut self.unfinished).push(Unfinished {
                seq,
                state: JobState::Waiting,
                run_at: flight.run_at,
                attempts: flight.attempts.saturating_sub(1),
                error: None,
            });
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if !self.flights.is_empty() {
            let mut in_flight = self.core.lanes.in_flight();
            for flight in self.flights.values() {
                in_flight.remove(&flight.id);
            }
            drop(in_flight);
            self.lane.orphan();
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}
