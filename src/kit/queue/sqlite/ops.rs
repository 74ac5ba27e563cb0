//! What can be done to the file in a transaction, and what is known once it is committed.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::handoff::{self, Seat};
use super::lane::{Lane, Lanes, Place};
use super::statements;
use crate::kit::ids::{JobId, UserId};
use crate::kit::queue::{Cancel, Enqueued, Job, JobState, NewJob, Progress, ReturnValue};
use crate::kit::storage::sqlite::Apply;

/// One caller's wish.
pub(super) enum Op {
    Enqueue(Box<Enqueue>),
    Turn(Box<Turn>),
    Cancel { id: JobId, owner: Option<UserId> },
    Retry { id: JobId, now: i64 },
    RetryAll { lane: Arc<Lane>, now: i64 },
    Erase { lane: Arc<Lane>, owner: UserId },
}

/// A job on its way in.
pub(super) struct Enqueue {
    pub(super) lane: Arc<Lane>,
    pub(super) job: NewJob,
    pub(super) state: JobState,
    pub(super) created_at: i64,
    pub(super) run_at: i64,
    pub(super) max_attempts: u32,
    pub(super) _place: Place,
}

/// All that a consumer wants at one moment, in one transaction.
pub(super) struct Turn {
    pub(super) lane: Arc<Lane>,
    /// The consumer that leases are to.
    pub(super) lease_by: i64,
    pub(super) now: i64,
    pub(super) lease_until: i64,
    /// Jobs that are done, by `seq`.
    pub(super) completed: Arc<Vec<i64>>,
    /// Jobs that go back.
    pub(super) unfinished: Arc<Vec<Unfinished>>,
    /// Jobs in flight whose lease is to be renewed, by `seq`.
    pub(super) renew: Vec<i64>,
    /// Whether to look after expired leases and due jobs.
    pub(super) tidy: bool,
    /// Jobs wanted.
    pub(super) claim: usize,
}

/// A job whose attempt did not complete it.
#[derive(Debug, Clone)]
pub(super) struct Unfinished {
    pub(super) seq: i64,
    pub(super) state: JobState,
    pub(super) run_at: i64,
    pub(super) attempts: u32,
    pub(super) error: Option<String>,
}

/// What a turn brought; when the first lease ends is known after tidying.
#[derive(Default)]
pub(super) struct Turned {
    pub(super) claimed: Vec<(i64, Job)>,
    pub(super) next_lease: Option<i64>,
    next_delayed: Option<i64>,
    reclaimed: i64,
    promoted: i64,
}

/// The answer to an [`Op`].
pub(super) enum Reply {
    Enqueued(Enqueued),
    Turned(Turned),
    Cancelled(Cancel),
    Retried(Option<String>),
    RetriedAll(u64),
    /// How many jobs of each state are gone.
    Erased(Vec<(JobState, i64)>),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enqueued(_) => "Enqueued",
            Self::Turned(_) => "Turned",
            Self::Cancelled(_) => "Cancelled",
            Self::Retried(_) => "Retried",
            Self::RetriedAll(_) => "RetriedAll",
            Self::Erased(_) => "Erased",
        })
    }
}

/// The queue's half of group commit.
pub(super) struct Store {
    lanes: Arc<Lanes>,
    sole_owner: bool,
    /// When the file was opened.
    opened_at: i64,
    /// The highest `seq` in the file, and what it will be once the current batch is committed.
    last_seq: i64,
    next_last_seq: i64,
    /// Lanes whose counts in memory are no longer those in the file, with the right ones.
    recounted: Vec<(Arc<Lane>, [i64; 4])>,
    /// Of each job that the current batch inserts: where it is handed to, and its `seq`.
    seated: VecDeque<Option<(Seat, i64)>>,
}

impl Store {
    pub(super) fn new(lanes: Arc<Lanes>, sole_owner: bool, opened_at: i64) -> Self {
        Self {
            lanes,
            sole_owner,
            opened_at,
            last_seq: 0,
            next_last_seq: 0,
            recounted: Vec::new(),
            seated: VecDeque::new(),
        }
    }
}

type Result<T> = std::result::Result<T, sqlx::Error>;

#[async_trait]
impl Apply for Store {
    type Op = Op;
    type Reply = Reply;

    async fn opened(&mut self, conn: &mut SqliteConnection) -> Result<()> {
        if self.sole_owner {
            let reclaimed = statements::reclaim_all(conn, self.opened_at).await?;
            if reclaimed > 0 {
                tracing::info!(jobs = reclaimed, "took back jobs that a previous process left unfinished");
            }
        }
        self.last_seq = statements::last_seq(conn).await?;
        for (queue, state, count) in statements::counts(conn).await? {
            let lane = self.lanes.of(&queue);
            lane.add(state, count);
            lane.set_next_delayed(statements::next_due(conn, &queue).await?.0);
            lane.metrics().jobs(&lane.depth());
        }
        Ok(())
    }

    async fn apply(&mut self, conn: &mut SqliteConnection, batch: &[Op]) -> Result<Vec<Reply>> {
        self.recounted.clear();
        self.seated.clear();
        self.next_last_seq = self.last_seq;
        let mut inserted = self.insert(conn, batch).await?.into_iter();
        let mut replies = Vec::with_capacity(batch.len());
        for op in batch {
            replies.push(match op {
                Op::Enqueue(_) => Reply::Enqueued(inserted.next().unwrap_or(Enqueued::Existing)),
                Op::Turn(turn) => Reply::Turned(self.turn(conn, turn).await?),
                Op::Cancel { id, owner } => Reply::Cancelled(cancel(conn, *id, *owner).await?),
                Op::Retry { id, now } => Reply::Retried(statements::revive(conn, *id, *now).await?),
                Op::RetryAll { lane, now } => {
                    Reply::RetriedAll(statements::revive_all(conn, &lane.name, *now).await?)
                }
                Op::Erase { lane, owner } => {
                    Reply::Erased(statements::remove_all(conn, &lane.name, *owner).await?)
                }
            });
        }
        for (lane, counts) in &mut self.recounted {
            let depth = statements::counts_of(conn, &lane.name).await?;
            *counts = [depth.waiting, depth.active, depth.delayed, depth.failed].map(signed);
        }
        Ok(replies)
    }

    fn committed(&mut self, batch: Vec<Op>, replies: &mut [Reply]) {
        self.last_seq = self.next_last_seq;
        let mut touched: Vec<Arc<Lane>> = Vec::with_capacity(2);
        for (op, reply) in batch.into_iter().zip(replies) {
            let (lane, wake) = match (op, reply) {
                (Op::Enqueue(enqueue), Reply::Enqueued(enqueued)) => {
                    let seat = self.seated.pop_front().flatten();
                    if *enqueued == Enqueued::Existing {
                        continue;
                    }
                    enqueue.account(seat)
                }
                (Op::Turn(turn), Reply::Turned(turned)) => {
                    let wake = turn.account(turned);
                    (turn.lane, wake)
                }
                (Op::Cancel { .. }, Reply::Cancelled(Cancel::Removed(job))) => {
                    let lane = self.lanes.of(&job.queue);
                    lane.add(job.state, -1);
                    (lane, false)
                }
                (Op::Retry { .. }, Reply::Retried(Some(queue))) => {
                    let lane = self.lanes.of(queue);
                    lane.shift(JobState::Failed, JobState::Waiting, 1);
                    (lane, true)
                }
                (Op::RetryAll { lane, .. }, Reply::RetriedAll(count)) => {
                    lane.shift(JobState::Failed, JobState::Waiting, signed(*count));
                    (lane, *count > 0)
                }
                (Op::Erase { lane, .. }, Reply::Erased(removed)) => {
                    lane.lose(removed);
                    (lane, false)
                }
                _ => continue,
            };
            if wake {
                lane.mark();
            }
            if !touched.iter().any(|known| Arc::ptr_eq(known, &lane)) {
                touched.push(lane);
            }
        }
        for (lane, counts) in self.recounted.drain(..) {
            lane.set(counts);
        }
        for lane in touched {
            lane.metrics().jobs(&lane.depth());
            lane.wake_if_marked();
        }
    }
}

impl Store {
    /// Inserts the new jobs of `batch` together; what became of each, in order.
    async fn insert(&mut self, conn: &mut SqliteConnection, batch: &[Op]) -> Result<Vec<Enqueued>> {
        let jobs: Vec<&Enqueue> = batch
            .iter()
            .filter_map(|op| match op {
                Op::Enqueue(enqueue) => Some(&**enqueue),
                _ => None,
            })
            .collect();
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        if !self.sole_owner {
            self.next_last_seq = statements::last_seq(conn).await?;
        }
        let before = self.next_last_seq;
        let jobs = handoff::seat(jobs);
        let (inserted, last) = statements::insert(conn, &jobs).await?;
        self.next_last_seq = before.max(last);
        if inserted == jobs.len() as u64 {
            // All are new, so their numbers are the last ones, in order.
            let first = last - signed(inserted) + 1;
            let outcomes = vec![Enqueued::Created; jobs.len()];
            self.seated = (first..).zip(jobs).map(|(seq, (_, seat))| Some((seat?, seq))).collect();
            return Ok(outcomes);
        }
        // Some were there already: those with a number from before this batch, and repetitions in it.
        let mut seen = HashSet::with_capacity(jobs.len());
        let mut outcomes = Vec::with_capacity(jobs.len());
        for (enqueue, seat) in jobs {
            let id = enqueue.job.id;
            let seq = if seen.insert(id) { statements::seq_of(conn, id).await? } else { None };
            let fresh = seq.filter(|seq| *seq > before);
            self.seated.push_back(fresh.and_then(|seq| Some((seat?, seq))));
            outcomes.push(if fresh.is_some() { Enqueued::Created } else { Enqueued::Existing });
        }
        Ok(outcomes)
    }

    async fn turn(&mut self, conn: &mut SqliteConnection, turn: &Turn) -> Result<Turned> {
        let Turn { lane, lease_by, now, lease_until, .. } = turn;
        let mut turned = Turned::default();
        let mut as_expected = self.sole_owner || !turn.tidy;
        if !turn.completed.is_empty() {
            let removed = statements::complete(conn, &seqs(&turn.completed), *lease_by).await?;
            as_expected &= removed == turn.completed.len() as u64;
        }
        if !turn.unfinished.is_empty() {
            let back = statements::put_back(conn, &turn.unfinished, *lease_by).await?;
            as_expected &= back == turn.unfinished.len() as u64;
        }
        if turn.tidy {
            // First renew, then take back: a process that was suspended keeps what it still works on.
            if !turn.renew.is_empty() {
                statements::renew(conn, &seqs(&turn.renew), *lease_until, *lease_by).await?;
            }
            turned.reclaimed = signed(statements::reclaim(conn, &lane.name, *now).await?);
            turned.promoted = signed(statements::promote(conn, &lane.name, *now).await?);
        }
        if turn.claim > 0 {
            turned.claimed = statements::claim(conn, &lane.name, turn.claim, *lease_until, *lease_by).await?;
        }
        if turn.tidy {
            (turned.next_delayed, turned.next_lease) = statements::next_due(conn, &lane.name).await?;
        }
        if !as_expected && !self.recounted.iter().any(|(known, _)| Arc::ptr_eq(known, lane)) {
            self.recounted.push((Arc::clone(lane), [0; 4]));
        }
        Ok(turned)
    }
}

impl Enqueue {
    /// Counts the job and sends it on its way; its lane, and whether a consumer has to come for it.
    fn account(self, seat: Option<(Seat, i64)>) -> (Arc<Lane>, bool) {
        let lane = Arc::clone(&self.lane);
        let Some((seat, seq)) = seat else {
            lane.add(self.state, 1);
            if self.state == JobState::Delayed {
                lane.delayed_until(self.run_at);
            }
            return (lane, true);
        };
        lane.add(JobState::Active, 1);
        if !seat.deliver(seq, self.begun()) {
            // The consumer was dropped a moment ago: the job is another one's when the lease is over.
            lane.orphan();
        }
        (lane, false)
    }

    /// The job as it stands in the file when it was handed over on the short way.
    fn begun(self) -> Job {
        let job = self.job;
        Job {
            id: job.id,
            queue: Arc::clone(&self.lane.name),
            kind: job.kind,
            payload: job.payload,
            owner: job.owner,
            state: JobState::Active,
            attempts: 1,
            max_attempts: self.max_attempts,
            priority: job.priority,
            created_at: statements::instant(self.created_at),
            run_at: statements::instant(self.run_at),
            last_error: None,
            traceparent: job.traceparent,
            progress: Progress::default(),
            return_value: ReturnValue::default(),
        }
    }
}

impl Turn {
    /// Brings the lane's counts up to date; whether others should look at the lane.
    fn account(&self, turned: &Turned) -> bool {
        let lane = &self.lane;
        lane.add(JobState::Active, -signed(self.completed.len() as u64));
        let mut wake = false;
        for job in self.unfinished.iter() {
            lane.shift(JobState::Active, job.state, 1);
            wake |= job.state == JobState::Waiting;
        }
        lane.shift(JobState::Active, JobState::Waiting, turned.reclaimed);
        lane.shift(JobState::Delayed, JobState::Waiting, turned.promoted);
        lane.shift(JobState::Waiting, JobState::Active, signed(turned.claimed.len() as u64));
        if self.tidy {
            lane.set_next_delayed(turned.next_delayed);
        }
        for job in self.unfinished.iter().filter(|job| job.state == JobState::Delayed) {
            lane.delayed_until(job.run_at);
            wake = true;
        }
        wake || turned.reclaimed + turned.promoted > signed(turned.claimed.len() as u64)
    }
}

async fn cancel(conn: &mut SqliteConnection, id: JobId, owner: Option<UserId>) -> Result<Cancel> {
    if let Some(job) = statements::remove(conn, id, owner).await? {
        return Ok(Cancel::Removed(Box::new(job)));
    }
    Ok(match statements::get(conn, id, owner).await?.map(|job| job.state) {
        None => Cancel::NotFound,
        Some(JobState::Failed) => Cancel::Dead,
        Some(_) => Cancel::Active,
    })
}

/// A list of numbers as JSON, the form in which a whole list can be one parameter.
fn seqs(list: &[i64]) -> String {
    let mut json = String::with_capacity(list.len() * 8 + 2);
    json.push('[');
    for (index, seq) in list.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(&seq.to_string());
    }
    json.push(']');
    json
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
