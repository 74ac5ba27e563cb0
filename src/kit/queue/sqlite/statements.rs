//! The SQL of the queue, and nothing else.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use uuid::Uuid;

use super::handoff::Seat;
use super::ops::{Enqueue, Unfinished};
use crate::kit::ids::{JobId, UserId};
use crate::kit::queue::{Depth, Job, JobState, Progress, ReturnValue};
use crate::kit::storage::sqlite::RowInsert;

type Result<T> = std::result::Result<T, sqlx::Error>;

macro_rules! columns {
    () => {
        "seq, id, queue, state, priority, run_at, attempts, max_attempts, created_at, kind, owner, \
         traceparent, last_error, payload"
    };
}

static INSERT: RowInsert = RowInsert::new(
    "INSERT INTO jobs (id, queue, state, priority, run_at, attempts, max_attempts, created_at, kind, owner, \
     traceparent, payload, lease_until, lease_by) VALUES",
    14,
    "ON CONFLICT (id) DO NOTHING",
);

/// Inserts those whose id is new, the ones with a seat as active already; how many, and the highest
/// `seq` given.
pub(super) async fn insert(
    conn: &mut SqliteConnection,
    jobs: &[(&Enqueue, Option<Seat>)],
) -> Result<(u64, i64)> {
    let done = INSERT
        .run(conn, jobs, |query, (enqueue, seat)| {
            let job = &enqueue.job;
            let taker = seat.as_ref().and_then(Seat::mailbox);
            query
                .bind(job.id.uuid().as_bytes().to_vec())
                .bind(Arc::clone(&enqueue.lane.name))
                .bind(if taker.is_some() { JobState::Active } else { enqueue.state } as i32)
                .bind(i32::from(job.priority))
                .bind(enqueue.run_at)
                .bind(i32::from(taker.is_some()))
                .bind(enqueue.max_attempts)
                .bind(enqueue.created_at)
                .bind(job.kind.clone())
                .bind(job.owner.uuid().as_bytes().to_vec())
                .bind(job.traceparent.clone())
                .bind(job.payload.clone())
                .bind(taker.map(|taker| enqueue.created_at.saturating_add(taker.lease)))
                .bind(taker.map(|taker| taker.lease_by))
        })
        .await?;
    Ok((done.rows_affected(), done.last_insert_rowid()))
}

/// The `seq` of the job with this id.
pub(super) async fn seq_of(conn: &mut SqliteConnection, id: JobId) -> Result<Option<i64>> {
    sqlx::query_scalar("SELECT seq FROM jobs WHERE id = ?1")
        .bind(id.uuid().as_bytes().to_vec())
        .fetch_optional(conn)
        .await
}

/// The highest `seq` ever given.
pub(super) async fn last_seq(conn: &mut SqliteConnection) -> Result<i64> {
    let last = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'");
    Ok(last.fetch_optional(conn).await?.unwrap_or(0))
}

/// Takes the first `limit` of those that wait.
pub(super) async fn claim(
    conn: &mut SqliteConnection,
    queue: &Arc<str>,
    limit: usize,
    lease_until: i64,
    lease_by: i64,
) -> Result<Vec<(i64, Job)>> {
    let rows = sqlx::query(concat!(
        "UPDATE jobs SET state = 1, attempts = attempts + 1, lease_until = ?3, lease_by = ?4 WHERE seq IN (
           SELECT seq FROM jobs WHERE queue = ?1 AND state = 0 ORDER BY priority, run_at, id LIMIT ?2)
         RETURNING ",
        columns!()
    ))
    .bind(Arc::clone(queue))
    .bind(count(limit))
    .bind(lease_until)
    .bind(lease_by)
    .fetch_all(conn)
    .await?;
    let mut jobs = rows.iter().map(|row| job(row, Some(queue))).collect::<Result<Vec<_>>>()?;
    // RETURNING has no order of its own.
    jobs.sort_unstable_by_key(|(_, job)| (job.priority, job.run_at, job.id));
    Ok(jobs)
}

/// Removes completed jobs, as far as they are still `lease_by`'s.
pub(super) async fn complete(conn: &mut SqliteConnection, seqs: &str, lease_by: i64) -> Result<u64> {
    let sql = "DELETE FROM jobs WHERE seq IN (SELECT value FROM json_each(?1)) AND lease_by = ?2";
    let query = sqlx::query(sql).bind(seqs.to_owned()).bind(lease_by);
    Ok(query.execute(conn).await?.rows_affected())
}

/// Puts jobs whose attempt did not complete where they belong, as far as they are still `lease_by`'s.
pub(super) async fn put_back(conn: &mut SqliteConnection, jobs: &[Unfinished], lease_by: i64) -> Result<u64> {
    let rows: Vec<_> =
        jobs.iter().map(|job| (job.seq, job.state as i32, job.run_at, job.attempts, &job.error)).collect();
    let json = serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sql = "UPDATE jobs SET state = back.state, run_at = back.run_at, attempts = back.attempts,
                 last_error = coalesce(back.error, last_error), lease_until = NULL, lease_by = NULL
               FROM (SELECT value->>0 AS seq, value->>1 AS state, value->>2 AS run_at, value->>3 AS attempts,
                       value->>4 AS error FROM json_each(?1)) AS back
               WHERE jobs.seq = back.seq AND jobs.lease_by = ?2";
    Ok(sqlx::query(sql).bind(json).bind(lease_by).execute(conn).await?.rows_affected())
}

/// Renews leases, as far as they are still `lease_by`'s.
pub(super) async fn renew(
    conn: &mut SqliteConnection,
    seqs: &str,
    lease_until: i64,
    lease_by: i64,
) -> Result<()> {
    let sql = "UPDATE jobs SET lease_until = ?2
               WHERE seq IN (SELECT value FROM json_each(?1)) AND lease_by = ?3";
    sqlx::query(sql).bind(seqs.to_owned()).bind(lease_until).bind(lease_by).execute(conn).await?;
    Ok(())
}

/// Takes back jobs whose lease is over. They keep their place, and the attempt counts.
pub(super) async fn reclaim(conn: &mut SqliteConnection, queue: &Arc<str>, now: i64) -> Result<u64> {
    let sql = "UPDATE jobs SET state = 0, lease_until = NULL, lease_by = NULL,
                 last_error = 'nothing was heard of attempt ' || attempts || ' until its lease was over'
               WHERE queue = ?1 AND state = 1 AND lease_until <= ?2";
    Ok(sqlx::query(sql).bind(Arc::clone(queue)).bind(now).execute(conn).await?.rows_affected())
}

/// How often an attempt is forgiven because the process died with others in flight, for each attempt
/// that the job has.
const FORGIVEN: i32 = 3;

/// How far apart jobs are tried that were in flight more than once when a process died, in microseconds.
const APART: i64 = 2_000_000;

/// Takes back every active job, whatever its lease says.
///
/// A job that was alone in flight is to blame for the end of its process, and its attempt counts. Of
/// several nobody knows which it was. Their attempts are forgiven, and where that has happened to a job
/// before, it waits until those before it have had their time: an innocent one gets through, and the
/// guilty one ends up alone. As even that may go on with other jobs for ever, forgiveness has a limit.
pub(super) async fn reclaim_all(conn: &mut SqliteConnection, now: i64) -> Result<u64> {
    let sql = "UPDATE jobs SET
                 state = CASE WHEN back.place > 0 THEN 2 ELSE 0 END,
                 run_at = CASE WHEN back.place > 0 THEN ?1 + back.place * ?2 ELSE run_at END,
                 attempts = attempts - back.forgiven, takeovers = takeovers + back.forgiven,
                 lease_until = NULL, lease_by = NULL,
                 last_error = 'the process ended during attempt ' || attempts
               FROM (SELECT seq AS back_seq, several AND takeovers < ?3 * max_attempts AS forgiven,
                       CASE WHEN several AND takeovers > 0
                            THEN row_number() OVER (PARTITION BY takeovers > 0 ORDER BY takeovers, seq)
                            ELSE 0 END AS place
                     FROM jobs, (SELECT count(*) > 1 AS several FROM jobs WHERE state = 1)
                     WHERE state = 1) AS back
               WHERE seq = back.back_seq";
    Ok(sqlx::query(sql).bind(now).bind(APART).bind(FORGIVEN).execute(conn).await?.rows_affected())
}

/// Delayed jobs promoted in one transaction: many may fall due at once.
const PROMOTED: i32 = 1_000;

/// Lets delayed jobs wait whose time has come.
pub(super) async fn promote(conn: &mut SqliteConnection, queue: &Arc<str>, now: i64) -> Result<u64> {
    let sql = "UPDATE jobs SET state = 0 WHERE seq IN (
                 SELECT seq FROM jobs WHERE queue = ?1 AND state = 2 AND run_at <= ?2 ORDER BY run_at LIMIT ?3)";
    let query = sqlx::query(sql).bind(Arc::clone(queue)).bind(now).bind(PROMOTED);
    Ok(query.execute(conn).await?.rows_affected())
}

/// When the next delayed job is due, and when the next lease is over.
pub(super) async fn next_due(conn: &mut SqliteConnection, queue: &str) -> Result<(Option<i64>, Option<i64>)> {
    let sql = "SELECT (SELECT min(run_at) FROM jobs WHERE queue = ?1 AND state = 2),
                      (SELECT min(lease_until) FROM jobs WHERE queue = ?1 AND state = 1)";
    sqlx::query_as(sql).bind(queue.to_owned()).fetch_one(conn).await
}

/// Removes a job that is neither active nor dead; what it was.
pub(super) async fn remove(
    conn: &mut SqliteConnection,
    id: JobId,
    owner: Option<UserId>,
) -> Result<Option<Job>> {
    let sql = concat!(
        "DELETE FROM jobs WHERE id = ?1 AND (?2 IS NULL OR owner = ?2) AND state IN (0, 2) RETURNING ",
        columns!()
    );
    let row = sqlx::query(sql).bind(bytes(id.uuid())).bind(owner.map(|owner| bytes(owner.uuid())));
    row.fetch_optional(conn).await?.map(|row| Ok(job(&row, None)?.1)).transpose()
}

/// Removes an owner's jobs that are not active; how many of each state.
pub(super) async fn remove_all(
    conn: &mut SqliteConnection,
    queue: &Arc<str>,
    owner: UserId,
) -> Result<Vec<(JobState, i64)>> {
    let mut removed = Vec::new();
    for state in STATES.into_iter().filter(|state| *state != JobState::Active) {
        // The state stands in the text so that its index is used: only the jobs of this queue are read.
        let sql = format!("DELETE FROM jobs WHERE queue = ?1 AND state = {} AND owner = ?2", state as i32);
        let query = sqlx::query(AssertSqlSafe(sql)).bind(Arc::clone(queue)).bind(bytes(owner.uuid()));
        let count = query.execute(&mut *conn).await?.rows_affected();
        removed.push((state, i64::try_from(count).unwrap_or(i64::MAX)));
    }
    Ok(removed)
}

pub(super) async fn get(
    conn: &mut SqliteConnection,
    id: JobId,
    owner: Option<UserId>,
) -> Result<Option<Job>> {
    let sql = concat!("SELECT ", columns!(), " FROM jobs WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)");
    let row = sqlx::query(sql).bind(bytes(id.uuid())).bind(owner.map(|owner| bytes(owner.uuid())));
    row.fetch_optional(conn).await?.map(|row| Ok(job(&row, None)?.1)).transpose()
}

/// The jobs of a queue after `seq`, in the order in which they were accepted.
pub(super) async fn list(
    conn: &mut SqliteConnection,
    queue: &str,
    state: Option<JobState>,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, Job)>> {
    let rows = sqlx::query(AssertSqlSafe(list_sql(state)))
        .bind(queue.to_owned())
        .bind(after)
        .bind(count(limit))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| job(row, None)).collect()
}

/// Each state has its own index; without one given, all are read side by side and merged.
pub(super) fn list_sql(state: Option<JobState>) -> String {
    // The state stands in the text, not in a parameter: only so the index of that state is used.
    let of = |state: JobState| {
        let state = state as i32;
        format!("SELECT {} FROM jobs WHERE queue = ?1 AND state = {state} AND seq > ?2", columns!())
    };
    let all = state.map_or_else(|| STATES.map(of).join(" UNION ALL "), of);
    format!("{all} ORDER BY seq LIMIT ?3")
}

/// Gives dead jobs their attempts again: the one with this id; the queue of each.
pub(super) async fn revive(conn: &mut SqliteConnection, id: JobId, now: i64) -> Result<Option<String>> {
    let sql = "UPDATE jobs SET state = 0, attempts = 0, takeovers = 0, run_at = ?2 WHERE id = ?1 AND state = 3 RETURNING queue";
    sqlx::query_scalar(sql).bind(bytes(id.uuid())).bind(now).fetch_optional(conn).await
}

/// The same for every dead job of a queue.
pub(super) async fn revive_all(conn: &mut SqliteConnection, queue: &Arc<str>, now: i64) -> Result<u64> {
    let sql =
        "UPDATE jobs SET state = 0, attempts = 0, takeovers = 0, run_at = ?2 WHERE queue = ?1 AND state = 3";
    Ok(sqlx::query(sql).bind(Arc::clone(queue)).bind(now).execute(conn).await?.rows_affected())
}

/// How many jobs of each queue are in each state.
pub(super) async fn counts(conn: &mut SqliteConnection) -> Result<Vec<(String, JobState, i64)>> {
    let mut all = Vec::new();
    for state in STATES {
        // One index a state; counting them together would read the whole table.
        let sql = format!("SELECT queue, count(*) FROM jobs WHERE state = {} GROUP BY queue", state as i32);
        let rows: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *conn).await?;
        all.extend(rows.into_iter().map(|(queue, count)| (queue, state, count)));
    }
    Ok(all)
}

/// How many jobs of one queue are in each state.
pub(super) async fn counts_of(conn: &mut SqliteConnection, queue: &str) -> Result<Depth> {
    let sql = "SELECT (SELECT count(*) FROM jobs WHERE queue = ?1 AND state = 0),
                      (SELECT count(*) FROM jobs WHERE queue = ?1 AND state = 1),
                      (SELECT count(*) FROM jobs WHERE queue = ?1 AND state = 2),
                      (SELECT count(*) FROM jobs WHERE queue = ?1 AND state = 3)";
    let (waiting, active, delayed, failed): (i64, i64, i64, i64) =
        sqlx::query_as(sql).bind(queue.to_owned()).fetch_one(conn).await?;
    Ok(Depth {
        waiting: waiting.unsigned_abs(),
        active: active.unsigned_abs(),
        delayed: delayed.unsigned_abs(),
        failed: failed.unsigned_abs(),
        oldest_waiting: None,
    })
}

/// Since when the longest waiting job may run. Looks once into each priority, not at each job.
pub(super) async fn oldest_waiting(conn: &mut SqliteConnection, queue: &str) -> Result<Option<Timestamp>> {
    let sql = "WITH RECURSIVE level(priority) AS (
                 SELECT min(priority) FROM jobs WHERE queue = ?1 AND state = 0
                 UNION ALL
                 SELECT (SELECT min(priority) FROM jobs
                         WHERE queue = ?1 AND state = 0 AND priority > level.priority)
                 FROM level WHERE level.priority IS NOT NULL)
               SELECT min((SELECT min(run_at) FROM jobs
                           WHERE queue = ?1 AND state = 0 AND priority = level.priority))
               FROM level WHERE priority IS NOT NULL";
    let oldest: Option<i64> = sqlx::query_scalar(sql).bind(queue.to_owned()).fetch_one(conn).await?;
    Ok(oldest.map(instant))
}

const STATES: [JobState; 4] = [JobState::Waiting, JobState::Active, JobState::Delayed, JobState::Failed];

fn bytes(uuid: Uuid) -> Vec<u8> {
    uuid.as_bytes().to_vec()
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}

/// Reads the columns of `columns!`; `queue` saves a copy of a name that is known already.
fn job(row: &SqliteRow, queue: Option<&Arc<str>>) -> Result<(i64, Job)> {
    let uuid =
        |index| Uuid::from_slice(row.try_get(index)?).map_err(|error| sqlx::Error::Decode(error.into()));
    let state = usize::try_from(row.try_get::<i64, _>(3)?).unwrap_or(usize::MAX);
    let job = Job {
        id: uuid(1)?.into(),
        queue: match queue {
            Some(queue) => Arc::clone(queue),
            None => row.try_get::<&str, _>(2)?.into(),
        },
        state: STATES.get(state).copied().ok_or_else(|| sqlx::Error::Decode("unknown state".into()))?,
        priority: u8::try_from(row.try_get::<i64, _>(4)?).unwrap_or(u8::MAX),
        run_at: instant(row.try_get(5)?),
        attempts: row.try_get(6)?,
        max_attempts: row.try_get(7)?,
        created_at: instant(row.try_get(8)?),
        kind: row.try_get(9)?,
        owner: uuid(10)?.into(),
        traceparent: row.try_get(11)?,
        last_error: row.try_get(12)?,
        payload: row.try_get(13)?,
        progress: Progress::default(),
        return_value: ReturnValue::default(),
    };
    Ok((row.try_get(0)?, job))
}
