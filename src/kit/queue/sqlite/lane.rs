//! What is known in memory about each queue: how many jobs are in which state, when the next delayed
//! one is due, who wants to be woken. The writer's task changes it after each commit; the file is the
//! truth, and at open the counts are taken from it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::watch;

use super::handoff::Mailboxes;
use crate::kit::ids::JobId;
use crate::kit::queue::metrics::QueueMetrics;
use crate::kit::queue::{Depth, Job, JobState, Progress};

/// All queues of the file that have been named so far, and the jobs being worked on.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: RwLock<HashMap<Arc<str>, Arc<Lane>>>,
    in_flight: Mutex<HashMap<JobId, Progress>>,
}

impl Lanes {
    pub(super) fn of(&self, queue: &str) -> Arc<Lane> {
        if let Some(lane) = self.lanes.read().unwrap_or_else(PoisonError::into_inner).get(queue) {
            return Arc::clone(lane);
        }
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        let name: Arc<str> = queue.into();
        Arc::clone(lanes.entry(Arc::clone(&name)).or_insert_with(|| Arc::new(Lane::new(name))))
    }

    pub(super) fn in_flight(&self) -> MutexGuard<'_, HashMap<JobId, Progress>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `job` as read from the file, with the progress that its handler has reported.
    pub(super) fn with_progress(&self, mut job: Job) -> Job {
        if let Some(progress) = self.in_flight().get(&job.id) {
            job.progress = progress.clone();
        }
        job
    }
}

/// One queue.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: Arc<str>,
    counts: [AtomicI64; 4],
    reserved: AtomicU64,
    next_delayed: AtomicI64,
    orphaned: AtomicBool,
    marked: AtomicBool,
    wake: watch::Sender<()>,
    metrics: QueueMetrics,
    pub(super) mailboxes: Mailboxes,
}

impl Lane {
    fn new(name: Arc<str>) -> Self {
        Self {
            metrics: QueueMetrics::of(&name),
            name,
            counts: [const { AtomicI64::new(0) }; 4],
            reserved: AtomicU64::new(0),
            next_delayed: AtomicI64::new(i64::MAX),
            orphaned: AtomicBool::new(false),
            marked: AtomicBool::new(false),
            wake: watch::Sender::new(()),
            mailboxes: Mailboxes::default(),
        }
    }

    pub(super) fn metrics(&self) -> &QueueMetrics {
        &self.metrics
    }

    pub(super) fn count(&self, state: JobState) -> u64 {
        // A moment's disorder between two updates is no negative number of jobs.
        u64::try_from(self.counts[state as usize].load(Ordering::Relaxed)).unwrap_or(0)
    }

    pub(super) fn depth(&self) -> Depth {
        Depth {
            waiting: self.count(JobState::Waiting),
            delayed: self.count(JobState::Delayed),
            active: self.count(JobState::Active),
            failed: self.count(JobState::Failed),
            oldest_waiting: None,
        }
    }

    /// `by` more jobs in `state`, or fewer.
    pub(super) fn add(&self, state: JobState, by: i64) {
        if by != 0 {
            self.counts[state as usize].fetch_add(by, Ordering::Relaxed);
        }
    }

    /// `by` jobs went from one state to another.
    pub(super) fn shift(&self, from: JobState, to: JobState, by: i64) {
        self.add(from, -by);
        self.add(to, by);
    }

    /// So many jobs of each state are gone.
    pub(super) fn lose(&self, jobs: &[(JobState, i64)]) {
        for (state, count) in jobs {
            self.add(*state, -count);
        }
    }

    pub(super) fn set(&self, counts: [i64; 4]) {
        for (count, value) in self.counts.iter().zip(counts) {
            count.store(value, Ordering::Relaxed);
        }
    }

    /// Takes a place among those that wait, or finds that there is none.
    pub(super) fn reserve(self: &Arc<Self>, max_waiting: u64) -> Option<Place> {
        let waiting = self.count(JobState::Waiting) + self.count(JobState::Delayed);
        let reserved = self.reserved.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self));
        (waiting + reserved < max_waiting).then_some(place)
    }

    /// When the first delayed job may run; `i64::MAX` if there is none.
    pub(super) fn next_delayed(&self) -> i64 {
        self.next_delayed.load(Ordering::Relaxed)
    }

    /// A delayed job more.
    pub(super) fn delayed_until(&self, run_at: i64) {
        self.next_delayed.fetch_min(run_at, Ordering::Relaxed);
    }

    pub(super) fn set_next_delayed(&self, run_at: Option<i64>) {
        self.next_delayed.store(run_at.unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Notes that there is something new; for the writer, which wakes the consumers once a batch.
    pub(super) fn mark(&self) {
        self.marked.store(true, Ordering::Relaxed);
    }

    pub(super) fn wake_if_marked(&self) {
        if self.marked.swap(false, Ordering::Relaxed) {
            self.bump();
        }
    }

    /// Tells every consumer to look again.
    pub(super) fn bump(&self) {
        self.wake.send_replace(());
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    /// A consumer was dropped with jobs in flight: somebody has to mind their leases.
    pub(super) fn orphan(&self) {
        self.orphaned.store(true, Ordering::Relaxed);
        self.bump();
    }

    pub(super) fn take_orphaned(&self) -> bool {
        self.orphaned.load(Ordering::Relaxed) && self.orphaned.swap(false, Ordering::Relaxed)
    }
}

/// Room for one job among those that wait, while it is on its way into the file.
#[derive(Debug)]
pub(super) struct Place(Arc<Lane>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.reserved.fetch_sub(1, Ordering::Relaxed);
    }
}
