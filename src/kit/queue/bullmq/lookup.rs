//! Jobs by their id, by their owner and by their age.

use std::collections::HashSet;
use std::sync::Arc;

use bullmq::RetryOptions;
use deadpool_redis::redis::cmd;
use futures_util::future::join_all;

use super::Core;
use super::envelope::{FIELDS, Read, Record, entry, wire};
use super::lane::Lane;
use super::scripts;
use crate::kit::ids::{JobId, UserId};
use crate::kit::queue::{Depth, Job, JobCursor, JobFilter, JobPage, JobState, QueueError};

/// Jobs looked at in one call.
const LOOK: usize = 200;
/// Jobs of one state up to which they are sorted by age here; of more, the index is gone through.
const SORTED: u64 = 5_000;

/// A job, and where it was found.
pub(super) struct Found {
    pub(super) lane: Arc<Lane>,
    /// Its id on the server.
    pub(super) wire: String,
    pub(super) job: Job,
}

/// How a job stands on the server: Voicera's states, or done by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    In(JobState),
    Completed,
}

impl Core {
    /// How these jobs stand, and what they are; absent where there is none.
    pub(super) async fn look(
        &self,
        lane: &Lane,
        wires: &[String],
    ) -> Result<Vec<Option<(Standing, Record)>>, QueueError> {
        let mut all = Vec::with_capacity(wires.len());
        for some in wires.chunks(LOOK) {
            let mut arguments = vec![FIELDS.len().to_string()];
            arguments.extend(FIELDS.map(str::to_owned));
            arguments.extend_from_slice(some);
            let found: Vec<Option<(String, Vec<Option<String>>)>> =
                self.link.run(&scripts::LOOK, &lane.prefix, &arguments).await?;
            all.extend(found.into_iter().map(|found| {
                let (state, values) = found?;
                let standing = match state.as_str() {
                    "completed" => Standing::Completed,
                    "failed" => Standing::In(JobState::Failed),
                    "delayed" => Standing::In(JobState::Delayed),
                    "active" => Standing::In(JobState::Active),
                    _ => Standing::In(JobState::Waiting),
                };
                Some((standing, Record::of(&values)))
            }));
        }
        Ok(all)
    }

    /// The job as it is to be seen, if Voicera can read it.
    pub(super) fn seen(
        &self,
        lane: &Lane,
        wire: &str,
        (standing, record): (Standing, Record),
    ) -> Option<Job> {
        let state = match standing {
            Standing::In(state) => state,
            // Somebody else has done it: until its handler has written that down it is as if it were
            // still at it.
            Standing::Completed => JobState::Active,
        };
        let Read { job, ours, .. } = record.read(wire, &lane.name, state, self.options.max_attempts).ok()?;
        // What another producer keeps for itself is done as far as Voicera is concerned.
        (ours || standing != Standing::Completed).then_some(job)
    }

    /// The job with this id in any queue, if it is `owner`'s.
    pub(super) async fn find(&self, id: JobId, owner: Option<UserId>) -> Result<Option<Found>, QueueError> {
        let wire = [wire(id)];
        for lane in self.lanes.all() {
            let Some(found) = self.look(&lane, &wire).await?.pop().flatten() else { continue };
            let Some(job) = self.seen(&lane, &wire[0], found) else { continue };
            if owner.is_none_or(|owner| owner == job.owner) {
                let [wire] = wire;
                return Ok(Some(Found { lane, wire, job }));
            }
        }
        Ok(None)
    }

    /// Removes a job; false if it is being worked on.
    pub(super) async fn remove(&self, lane: &Lane, wire: &str) -> Result<bool, QueueError> {
        let port = lane.port().await?;
        self.link.port(port.remove(wire)).await
    }

    /// Takes jobs that are gone out of the indexes; answers the entries of those that are not.
    pub(super) async fn tidy(&self, lane: &Lane, entries: &[String]) -> Result<Vec<String>, QueueError> {
        let mut still = Vec::new();
        for some in entries.chunks(LOOK) {
            still.extend(self.link.run::<Vec<String>>(&scripts::TIDY, &lane.prefix, some).await?);
        }
        Ok(still)
    }

    /// Gives a dead job all its attempts again; false if it is no longer dead.
    pub(super) async fn revive(&self, lane: &Lane, wire: &str) -> Result<bool, QueueError> {
        let port = lane.port().await?;
        let Some(mut job) = self.link.port(port.get_job(wire)).await? else { return Ok(false) };
        let key = lane.keys.job_key(wire);
        let mut forget = cmd("HDEL");
        forget.arg(key).arg(&["told", "forgiven", "company", "stc", "runAt"]);
        let connection = self.link.connection().await?;
        self.link.port(connection.cmd::<u64>(&mut forget)).await?;
        let all = RetryOptions { reset_attempts_made: true, reset_attempts_started: true };
        match self.link.port(job.retry("failed", Some(all))).await {
            Ok(()) => Ok(true),
            Err(QueueError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The same for all dead jobs; how many there were. One that dies again meanwhile stays dead.
    pub(super) async fn revive_all(&self, lane: &Lane) -> Result<u64, QueueError> {
        let there = self.depth(lane).await?.failed;
        let last = i64::try_from(LOOK).unwrap_or(i64::MAX) - 1;
        let mut revived = 0;
        while revived < there {
            let port = lane.port().await?;
            let some = self.link.port(port.get_ranges(&["failed"], 0, last, true)).await?;
            let all = join_all(some.iter().map(|id| self.revive(lane, id))).await;
            let before = revived;
            for done in all {
                revived += u64::from(done?);
            }
            if revived == before {
                break;
            }
        }
        Ok(revived)
    }

    /// The ids of all jobs in these sets and lists of BullMQ's.
    pub(super) async fn ids(&self, lane: &Lane, states: &[&str]) -> Result<Vec<String>, QueueError> {
        let port = lane.port().await?;
        self.link.port(port.get_ranges(states, 0, -1, true)).await
    }

    pub(super) async fn depth(&self, lane: &Lane) -> Result<Depth, QueueError> {
        let none: [&str; 0] = [];
        let counts: [u64; 5] = self.link.run(&scripts::DEPTH, &lane.prefix, &none).await?;
        let [waiting, delayed, active, failed, oldest] = counts;
        let oldest = i64::try_from(oldest).ok().filter(|oldest| *oldest > 0);
        let oldest_waiting = oldest.and_then(|oldest| jiff::Timestamp::from_millisecond(oldest).ok());
        let depth = Depth { waiting, delayed, active, failed, oldest_waiting };
        lane.metrics.jobs(&depth);
        let age = oldest_waiting.map(|oldest| self.clock.now().duration_since(oldest));
        lane.metrics.oldest_waiting(age.and_then(|age| age.try_into().ok()).unwrap_or_default());
        Ok(depth)
    }

    /// Removes `owner`'s jobs, but for those that are being worked on. Jobs that another program added are
    /// found among the first [`SORTED`] of each state.
    pub(super) async fn erase(&self, queue: &str, owner: UserId) -> Result<u64, QueueError> {
        let lane = self.lanes.of(queue);
        let mut known = cmd("SMEMBERS");
        known.arg(format!("{}voicera:owner:{owner}", lane.prefix));
        let connection = self.link.connection().await?;
        let mut wires: HashSet<String> = self.link.port(connection.cmd(&mut known)).await?;
        let port = lane.port().await?;
        let last = i64::try_from(SORTED).unwrap_or(i64::MAX) - 1;
        let states = ["wait", "paused", "prioritized", "delayed", "failed"];
        wires.extend(self.link.port(port.get_ranges(&states, 0, last, true)).await?);
        let wires: Vec<String> = wires.into_iter().collect();
        let (mut erased, mut gone) = (0, Vec::new());
        for some in wires.chunks(LOOK) {
            let found = self.look(&lane, some).await?;
            let removals = some.iter().zip(found).map(async |(wire, found)| {
                let Some(found) = found else { return Ok((Some(entry(wire, owner)), 0)) };
                let job = self.seen(&lane, wire, found);
                if job.is_none_or(|job| job.owner != owner || job.state == JobState::Active) {
                    return Ok::<_, QueueError>((None, 0));
                }
                let removed = self.remove(&lane, wire).await?;
                Ok((removed.then(|| entry(wire, owner)), u64::from(removed)))
            });
            for removed in join_all(removals).await {
                let (entry, count) = removed?;
                gone.extend(entry);
                erased += count;
            }
        }
        self.tidy(&lane, &gone).await?;
        Ok(erased)
    }

    pub(super) async fn list(&self, filter: &JobFilter) -> Result<JobPage, QueueError> {
        let limit = if filter.limit == 0 { 50 } else { filter.limit.min(1_000) };
        let after = filter.after.map(|JobCursor(place)| place);
        let lane = self.lanes.of(&filter.queue);
        let depth = self.depth(&lane).await?;
        let (states, count): (&[&str], u64) = match filter.state {
            None => (
                &["wait", "paused", "prioritized", "delayed", "active", "failed"],
                depth.waiting + depth.delayed + depth.active + depth.failed,
            ),
            Some(JobState::Waiting) => (&["wait", "paused", "prioritized"], depth.waiting),
            Some(JobState::Delayed) => (&["delayed"], depth.delayed),
            Some(JobState::Active) => (&["active"], depth.active),
            Some(JobState::Failed) => (&["failed"], depth.failed),
        };
        let mut placed = if count <= SORTED {
            let wires = self.ids(&lane, states).await?;
            self.sorted(&lane, wires, after, filter.state, limit).await?
        } else {
            self.walked(&lane, after, filter.state, limit).await?
        };
        // One more than the page holds tells whether there is another page.
        let more = placed.len() > limit;
        placed.truncate(limit);
        let next = placed.last().filter(|_| more).map(|(place, _)| JobCursor(*place));
        Ok(JobPage { jobs: placed.into_iter().map(|(_, job)| job).collect(), next })
    }

    /// These jobs by age, from after `after` on, one more than `limit`.
    async fn sorted(
        &self,
        lane: &Lane,
        wires: Vec<String>,
        after: Option<u64>,
        state: Option<JobState>,
        limit: usize,
    ) -> Result<Vec<(u64, Job)>, QueueError> {
        let found = self.look(lane, &wires).await?;
        let jobs = wires.iter().zip(found);
        let jobs = jobs.filter_map(|(wire, found)| Some((wire, self.seen(lane, wire, found?)?)));
        let jobs: Vec<_> = jobs.filter(|(_, job)| state.is_none_or(|state| state == job.state)).collect();
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut places = cmd("ZMSCORE");
        places.arg(format!("{}voicera:accepted", lane.prefix));
        for (wire, job) in &jobs {
            places.arg(entry(wire, job.owner));
        }
        let connection = self.link.connection().await?;
        let places: Vec<Option<u64>> = self.link.port(connection.cmd(&mut places)).await?;
        let mut placed: Vec<(u64, Job)> = jobs
            .into_iter()
            .zip(places)
            // What another program added is not in the index: its millisecond has to do.
            .map(|((_, job), place)| (place.unwrap_or_else(|| place_of(&job)), job))
            .filter(|(place, _)| after.is_none_or(|after| *place > after))
            .collect();
        placed.sort_by_key(|(place, _)| *place);
        placed.truncate(limit + 1);
        Ok(placed)
    }

    /// The same from the index of acceptance, for when there are too many to be sorted.
    async fn walked(
        &self,
        lane: &Lane,
        mut after: Option<u64>,
        state: Option<JobState>,
        limit: usize,
    ) -> Result<Vec<(u64, Job)>, QueueError> {
        let connection = self.link.connection().await?;
        let mut placed = Vec::with_capacity(limit + 1);
        while placed.len() <= limit {
            let mut next = cmd("ZRANGEBYSCORE");
            next.arg(format!("{}voicera:accepted", lane.prefix));
            next.arg(after.map_or_else(|| "-inf".to_owned(), |after| format!("({after}"))).arg("+inf");
            next.arg("WITHSCORES").arg("LIMIT").arg(0).arg(LOOK);
            let entries: Vec<(String, u64)> = self.link.port(connection.cmd(&mut next)).await?;
            let Some((_, last)) = entries.last() else { break };
            after = Some(*last);
            let wire =
                |entry: &String| entry.rsplit_once('/').map_or(entry.clone(), |(wire, _)| wire.to_owned());
            let wires: Vec<String> = entries.iter().map(|(entry, _)| wire(entry)).collect();
            let found = self.look(lane, &wires).await?;
            for ((wire, (_, place)), found) in wires.iter().zip(entries).zip(found) {
                let job = found.and_then(|found| self.seen(lane, wire, found));
                placed.extend(
                    job.filter(|job| state.is_none_or(|state| state == job.state)).map(|job| (place, job)),
                );
            }
        }
        placed.truncate(limit + 1);
        Ok(placed)
    }
}

/// The place of a job that the index does not have.
fn place_of(job: &Job) -> u64 {
    u64::try_from(job.created_at.as_millisecond()).unwrap_or(0) * 4_096
}
