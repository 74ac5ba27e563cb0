//! What others did with jobs that Voicera accepted: a Node worker completed them, or gave them up. Their
//! handler is told, so that it can write them down; then a completed one is removed.

use deadpool_redis::redis::cmd;

use super::crew::Crew;
use super::envelope::{Read, Record, entry};
use super::lookup::Standing;
use super::scripts;
use crate::kit::queue::attempt::caught;
use crate::kit::queue::{JobState, QueueError};

/// Jobs looked at in one go.
const LOOK: usize = 200;
/// How long one consumer does this for all, in milliseconds, without a sign of life.
const TURN: u64 = 5_000;
/// How far another machine's clock may be behind, in milliseconds.
const BEHIND: u64 = 10_000;
/// After so many rounds everything is looked at again, for clocks that are further behind.
const ROUNDS: u32 = 600;

/// How far one consumer has got.
#[derive(Debug)]
pub(super) struct Collector {
    name: String,
    rounds: u32,
    completed: u64,
    failed: u64,
}

impl Collector {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rounds: 0, completed: 0, failed: 0 }
    }

    /// One round, if no other consumer is at it.
    pub(super) async fn collect(&mut self, crew: &Crew) -> Result<(), QueueError> {
        if !self.is_my_turn(crew).await? {
            return Ok(());
        }
        self.rounds += 1;
        if self.rounds.is_multiple_of(ROUNDS) {
            (self.completed, self.failed) = (0, 0);
        }
        self.completed = round(crew, "completed", self.completed).await?;
        self.failed = round(crew, "failed", self.failed).await?;
        Ok(())
    }

    async fn is_my_turn(&self, crew: &Crew) -> Result<bool, QueueError> {
        let key = format!("{}voicera:collector", crew.lane.prefix);
        let link = &crew.core.link;
        let connection = link.connection().await?;
        let mut take = cmd("SET");
        take.arg(&key).arg(&self.name).arg("NX").arg("PX").arg(TURN);
        if link.port(connection.cmd::<Option<String>>(&mut take)).await?.is_some() {
            return Ok(true);
        }
        let holder: Option<String> = link.port(connection.cmd(cmd("GET").arg(&key))).await?;
        if holder.as_ref() != Some(&self.name) {
            return Ok(false);
        }
        link.port(connection.cmd::<i64>(cmd("PEXPIRE").arg(&key).arg(TURN))).await?;
        Ok(true)
    }
}

/// Tells of all that has finished since `from`; from when on to look the next time.
async fn round(crew: &Crew, set: &str, from: u64) -> Result<u64, QueueError> {
    let link = &crew.core.link;
    let connection = link.connection().await?;
    let (mut offset, mut latest, mut untold) = (0, from, None::<u64>);
    loop {
        let mut next = cmd("ZRANGEBYSCORE");
        next.arg(crew.lane.keys.get(set)).arg(from.saturating_sub(BEHIND)).arg("+inf");
        next.arg("LIMIT").arg(offset).arg(LOOK);
        let wires: Vec<String> = link.port(connection.cmd(&mut next)).await?;
        let found = crew.core.look(&crew.lane, &wires).await?;
        let looked = wires.len();
        let mut removed = 0;
        for (wire, found) in wires.iter().zip(found) {
            let Some((standing, record)) = found else { continue };
            latest = latest.max(record.finished_on);
            let at = record.finished_on;
            match tell(crew, wire, standing, record).await? {
                Told::Yes => {}
                Told::Removed => removed += 1,
                Told::No => untold = Some(untold.map_or(at, |first| first.min(at))),
            }
        }
        offset += looked - removed;
        if looked < LOOK {
            return Ok(untold.unwrap_or(latest));
        }
    }
}

enum Told {
    Yes,
    Removed,
    No,
}

async fn tell(crew: &Crew, wire: &str, standing: Standing, record: Record) -> Result<Told, QueueError> {
    let (reason, value, told) = (record.failed_reason.clone(), record.return_value.clone(), record.told);
    let Ok(Read { job, ours: true, .. }) =
        record.read(wire, &crew.lane.name, JobState::Failed, crew.core.options.max_attempts)
    else {
        return Ok(Told::Yes);
    };
    let heard = match standing {
        Standing::Completed => {
            caught(crew.handler.done_elsewhere(&job, value.as_deref().unwrap_or("null"))).await.flatten()
        }
        Standing::In(JobState::Failed) if !told => {
            caught(crew.handler.exhausted(&job, &reason)).await.flatten()
        }
        Standing::In(_) => return Ok(Told::Yes),
    };
    if let Err(trouble) = heard {
        tracing::warn!(job = %job.id, trouble, "could not record what another worker did; trying again");
        return Ok(Told::No);
    }
    if standing == Standing::Completed {
        crew.core.remove(&crew.lane, wire).await?;
        crew.core.tidy(&crew.lane, &[entry(wire, job.owner)]).await?;
        return Ok(Told::Removed);
    }
    let _: i64 = crew.core.link.run(&scripts::TOLD, &crew.lane.prefix, &[wire]).await?;
    Ok(Told::Yes)
}
