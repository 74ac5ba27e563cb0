//! The loop that works on one queue.
//!
//! It owns the jobs in flight and speaks to the file in turns: one transaction that settles what has
//! ended, renews what goes on, and claims what there is room for. Between turns it sleeps until
//! somebody wakes it: a job that ended or was handed to it, the lane, the next due time, the shutdown.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Core;
use super::attempt::{self, Landed};
use super::handoff::Mailbox;
use super::lane::Lane;
use super::ops::{Op, Reply, Turn, Unfinished};
use crate::kit::ids::JobId;
use crate::kit::queue::metrics::AttemptOutcome;
use crate::kit::queue::{ConsumeOptions, Handler, Job, JobState, QueueError};
use crate::kit::storage::StorageError;

/// The pause while the store does not work (a full disk, a lock) is between this and twice this.
const TROUBLE: Duration = Duration::from_secs(1);
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
    mailbox: Arc<Mailbox>,
    delivered: mpsc::Receiver<(i64, Job)>,
    /// Seats offered there that have neither been withdrawn nor come back as jobs.
    seats: usize,
    stopping: bool,
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
        let lane = core.lanes.of(queue);
        let lease_by = i64::from_le_bytes(core.entropy.bytes());
        let (mailbox, delivered) = Mailbox::new(lease_by, micros(options.lease), options.concurrency);
        lane.mailboxes.add(Arc::clone(&mailbox));
        Self {
            lane,
            lease_by,
            core,
            handler,
            options,
            tasks: JoinSet::new(),
            flights: HashMap::new(),
            completed: Arc::default(),
            unfinished: Arc::default(),
            tidy_at: i64::MIN,
            dry: false,
            mailbox,
            delivered,
            seats: 0,
            stopping: false,
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) -> Result<(), QueueError> {
        let mut wake = self.lane.subscribe();
        wake.mark_changed();
        while !shutdown.is_cancelled() {
            self.gather();
            let now = self.core.now();
            if wake.has_changed().unwrap_or(false) {
                wake.mark_unchanged();
                self.dry = false;
            }
            let tidy = now >= self.tidy_at || now >= self.lane.next_delayed() || self.lane.take_orphaned();
            let hungry = tidy || (!self.dry && self.lane.count(JobState::Waiting) > 0);
            if hungry {
                self.withdraw();
            }
            let claim = if hungry { self.room() } else { 0 };
            if tidy || claim > 0 || self.has_settlements() {
                if let Err(error) = self.turn(now, tidy, claim).await {
                    self.trouble(error, &shutdown).await?;
                }
                continue;
            }
            self.offer();
            self.rest(&mut wake, &shutdown).await;
        }
        self.drain().await
    }

    /// Jobs that could be begun now and are promised to nobody.
    fn room(&self) -> usize {
        self.options.concurrency.max(1).saturating_sub(self.flights.len() + self.seats)
    }

    /// Lets new jobs come the short way as far as there is room.
    fn offer(&mut self) {
        let seats = self.room();
        if seats > 0 && self.core.options.sole_owner && !self.stopping {
            self.mailbox.offer(seats);
            self.seats += seats;
        }
    }

    fn withdraw(&mut self) {
        self.seats -= self.mailbox.withdraw().min(self.seats);
    }

    /// Sleeps until there may be something to do.
    async fn rest(&mut self, wake: &mut watch::Receiver<()>, shutdown: &CancellationToken) {
        let next = self.tidy_at.min(self.lane.next_delayed());
        let timer = self.core.clock.sleep_until(instant(next));
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = wake.changed() => wake.mark_changed(),
            Some((seq, job)) = self.delivered.recv() => self.receive(seq, job),
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
        let (completed, unfinished) =
            (std::mem::take(&mut self.completed), std::mem::take(&mut self.unfinished));
        let turn = Turn {
            lane: Arc::clone(&self.lane),
            lease_by: self.lease_by,
            now,
            lease_until: now.saturating_add(lease),
            completed: Arc::clone(&completed),
            unfinished: Arc::clone(&unfinished),
            renew: if tidy { self.flights.keys().copied().collect() } else { Vec::new() },
            tidy,
            claim,
        };
        let core = Arc::clone(&self.core);
        let mut write = pin!(core.db.write(Op::Turn(Box::new(turn))));
        let reply = loop {
            if claim == 0 {
                self.offer();
            }
            // The disk takes its time; jobs come and go meanwhile.
            tokio::select! {
                reply = &mut write => break reply,
                Some((seq, job)) = self.delivered.recv() => self.receive(seq, job),
                Some(landed) = self.tasks.join_next() => self.land(landed.ok()),
            }
        };
        let turned = match reply {
            Ok(Reply::Turned(turned)) => turned,
            Ok(_) => return Ok(()),
            Err(error) => {
                Arc::make_mut(&mut self.completed).extend(completed.iter());
                Arc::make_mut(&mut self.unfinished).extend(unfinished.iter().cloned());
                return Err(error);
            }
        };
        self.dry = claim > 0 && turned.claimed.is_empty();
        if tidy {
            // With jobs of its own in flight it must be back in good time before their leases end;
            // if other processes share the file it looks after theirs, too, now and then.
            let own = now.saturating_add(lease / 3);
            let others = turned.next_lease.map_or(i64::MAX, |next| next.max(now.saturating_add(1)));
            self.tidy_at = match (self.flights.is_empty(), core.options.sole_owner) {
                (false, _) => own,
                (true, true) => others,
                (true, false) => others.min(now.saturating_add(lease)),
            };
        }
        let mut claimed = turned.claimed;
        if !claimed.is_empty() {
            let mut in_flight = core.lanes.in_flight();
            in_flight.extend(claimed.iter().map(|(_, job)| (job.id, job.progress.clone())));
        }
        for (seq, job) in claimed.drain(..) {
            self.take_off(now, seq, job);
        }
        Ok(())
    }

    /// A job that came the short way.
    fn receive(&mut self, seq: i64, job: Job) {
        self.seats = self.seats.saturating_sub(1);
        if self.stopping {
            self.put_back(seq, job.attempts, job.run_at.as_microsecond());
        } else {
            self.core.lanes.in_flight().insert(job.id, job.progress.clone());
            self.take_off(self.core.now(), seq, job);
        }
    }

    fn take_off(&mut self, now: i64, seq: i64, job: Job) {
        self.tidy_at = self.tidy_at.min(now.saturating_add(micros(self.options.lease) / 3));
        let flight = Flight { id: job.id, attempts: job.attempts, run_at: job.run_at.as_microsecond() };
        self.flights.insert(seq, flight);
        self.tasks.spawn(attempt::run(Arc::clone(&self.core), Arc::clone(&self.handler), seq, job));
    }

    /// All that has ended or arrived so far.
    fn gather(&mut self) {
        while let Some(landed) = self.tasks.try_join_next() {
            self.land(landed.ok());
        }
        while let Ok((seq, job)) = self.delivered.try_recv() {
            self.receive(seq, job);
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

    /// The job waits again where it was, and the attempt is forgiven.
    fn put_back(&mut self, seq: i64, attempts: u32, run_at: i64) {
        let attempts = attempts.saturating_sub(1);
        let back = Unfinished { seq, state: JobState::Waiting, run_at, attempts, error: None };
        Arc::make_mut(&mut self.unfinished).push(back);
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
        let pause = TROUBLE.mul_f64(1.0 + self.core.entropy.unit());
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
        self.stopping = true;
        self.withdraw();
        // A seat may be taken in this moment: after a turn of our own its job has been delivered.
        let mut settled = false;
        loop {
            self.gather();
            let now = self.core.now();
            let late = now >= deadline;
            if late && !self.flights.is_empty() {
                self.hand_back().await;
            }
            let tidy = now >= self.tidy_at && !self.flights.is_empty();
            if !settled || tidy || self.has_settlements() {
                match self.turn(now, tidy, 0).await {
                    Ok(()) => settled = true,
                    Err(error) if late => return Err(error.into()),
                    Err(error) => self.trouble(error, &never).await?,
                }
                continue;
            }
            if self.flights.is_empty() {
                self.withdraw();
                return Ok(());
            }
            let timer = self.core.clock.sleep_until(instant(self.tidy_at.min(deadline)));
            tokio::select! {
                Some(landed) = self.tasks.join_next() => self.land(landed.ok()),
                () = timer => {}
            }
        }
    }

    /// Stops the handlers that are still at it; their jobs wait again.
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
        for (seq, flight) in std::mem::take(&mut self.flights) {
            self.core.lanes.in_flight().remove(&flight.id);
            self.lane.metrics().ended(AttemptOutcome::Returned, Duration::ZERO);
            self.put_back(seq, flight.attempts, flight.run_at);
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.lane.mailboxes.remove(&self.mailbox);
        self.withdraw();
        for flight in self.flights.values() {
            self.core.lanes.in_flight().remove(&flight.id);
        }
        if self.seats > 0 || !self.flights.is_empty() {
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
