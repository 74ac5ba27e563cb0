//! The short way: a job that arrives while a consumer is idle is written as that consumer's from the
//! start and handed to it once it is committed.
//!
//! It saves one transaction between a job's acceptance and its first attempt, and the promise stays:
//! the attempt is on disk before it begins. Only where nothing waits, so nothing is overtaken; only with
//! a sole owner, because the counts in memory have to be right.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::ops::Enqueue;
use crate::kit::queue::{Job, JobState};

/// Where a consumer takes jobs on the short way.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// The consumer, and for how long a job is its own, in microseconds.
    pub(super) lease_by: i64,
    pub(super) lease: i64,
    free: AtomicUsize,
    deliver: mpsc::Sender<(i64, Job)>,
}

impl Mailbox {
    /// Room for as many jobs as the consumer will ever offer seats at a time.
    pub(super) fn new(lease_by: i64, lease: i64, room: usize) -> (Arc<Self>, mpsc::Receiver<(i64, Job)>) {
        let (deliver, delivered) = mpsc::channel(room.max(1));
        (Arc::new(Self { lease_by, lease, free: AtomicUsize::new(0), deliver }), delivered)
    }

    /// So many more jobs are welcome.
    pub(super) fn offer(&self, seats: usize) {
        self.free.fetch_add(seats, Ordering::AcqRel);
    }

    /// No more are; how many seats nobody had taken.
    pub(super) fn withdraw(&self) -> usize {
        self.free.swap(0, Ordering::AcqRel)
    }
}

/// The mailboxes of a lane's consumers.
#[derive(Debug, Default)]
pub(super) struct Mailboxes(Mutex<Vec<Arc<Mailbox>>>);

impl Mailboxes {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Mailbox>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, mailbox: Arc<Mailbox>) {
        self.all().push(mailbox);
    }

    pub(super) fn remove(&self, mailbox: &Arc<Mailbox>) {
        self.all().retain(|known| !Arc::ptr_eq(known, mailbox));
    }

    /// Takes a seat with whoever has most of them.
    pub(super) fn take_seat(&self) -> Option<Seat> {
        let all = self.all();
        let mailbox = all.iter().max_by_key(|mailbox| mailbox.free.load(Ordering::Acquire))?;
        let taken = mailbox.free.try_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1));
        taken.is_ok().then(|| Seat(Some(Arc::clone(mailbox))))
    }
}

/// A consumer's place for one job; free again when dropped unused.
#[derive(Debug)]
pub(super) struct Seat(Option<Arc<Mailbox>>);

impl Seat {
    /// Whose it is.
    pub(super) fn mailbox(&self) -> Option<&Mailbox> {
        self.0.as_deref()
    }

    /// Hands the job over; false if the consumer is gone.
    pub(super) fn deliver(mut self, seq: i64, job: Job) -> bool {
        self.0.take().is_some_and(|mailbox| mailbox.deliver.try_send((seq, job)).is_ok())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(mailbox) = self.0.take() {
            mailbox.offer(1);
        }
    }
}

/// Finds seats for those that need not wait, the urgent first.
pub(super) fn seat(jobs: Vec<&Enqueue>) -> Vec<(&Enqueue, Option<Seat>)> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|index| jobs[*index].job.priority);
    let mut jobs: Vec<_> = jobs.into_iter().map(|job| (job, None)).collect();
    for index in order {
        let (enqueue, seat) = &mut jobs[index];
        if enqueue.state == JobState::Waiting && enqueue.lane.count(JobState::Waiting) == 0 {
            *seat = enqueue.lane.mailboxes.take_seat();
            if seat.is_none() {
                // Whoever comes after must not find one that has become free meanwhile.
                break;
            }
        }
    }
    jobs
}
