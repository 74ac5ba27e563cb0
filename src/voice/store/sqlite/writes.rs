//! What is written to the history: commands, and that somebody is to be forgotten.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use crate::kit::ids::UserId;
use crate::kit::storage::sqlite::{Apply, RowInsert};
use crate::voice::api::{Command, NONE, Status};
use crate::voice::store::FAILED;

/// Commands that one step of forgetting somebody removes.
const ERASED_AT_ONCE: i64 = 1_000;

static INSERT: RowInsert = RowInsert::new(
    "INSERT INTO commands (id, owner, created_at, completed_at, session_id, text, status, intent, language, source, duration_ms, result, error, fingerprint) VALUES",
    14,
    "ON CONFLICT (id) DO UPDATE SET completed_at = excluded.completed_at, status = excluded.status,
       text = excluded.text, session_id = excluded.session_id, fingerprint = excluded.fingerprint,
       intent = excluded.intent, language = excluded.language, source = excluded.source,
       duration_ms = excluded.duration_ms, result = excluded.result, error = excluded.error
     WHERE commands.status = 'failed' AND excluded.status = 'completed'",
);

/// One caller's wish.
#[derive(Debug)]
pub(super) enum Write {
    Record(Box<Record>),
    /// Some of somebody's commands.
    Erase(UserId),
    /// All of somebody's figures.
    EraseStats(UserId),
}

/// A command as the columns want it; made by the caller, so that the writer only binds.
#[derive(Debug)]
pub(super) struct Record {
    command: Command,
    result: Option<String>,
    error: Option<String>,
}

impl Write {
    pub(super) fn record(command: &Command) -> Self {
        // Both are made of strings, numbers and lists alone, which JSON can always say.
        let json = |value: serde_json::Result<String>| value.unwrap_or_else(|_| "null".to_owned());
        let result = command.result.as_ref().map(|result| json(serde_json::to_string(result)));
        let error = command.error.as_ref().map(|error| json(serde_json::to_string(error)));
        Self::Record(Box::new(Record { command: command.clone(), result, error }))
    }
}

/// The history's half of group commit. Answers how many rows an erasure removed.
#[derive(Debug)]
pub(super) struct Writes;

#[async_trait]
impl Apply for Writes {
    type Op = Write;
    type Reply = u64;

    async fn apply(&mut self, conn: &mut SqliteConnection, batch: &[Write]) -> Result<Vec<u64>, sqlx::Error> {
        let records: Vec<&Record> = batch
            .iter()
            .filter_map(|write| match write {
                Write::Record(record) => Some(&**record),
                Write::Erase(_) | Write::EraseStats(_) => None,
            })
            .collect();
        if !records.is_empty() {
            insert(conn, &records).await?;
        }
        let mut removed = Vec::with_capacity(batch.len());
        for write in batch {
            removed.push(match write {
                Write::Record(_) => 0,
                Write::Erase(owner) => erase(conn, *owner).await?,
                Write::EraseStats(owner) => erase_stats(conn, *owner).await?,
            });
        }
        Ok(removed)
    }
}

async fn insert(conn: &mut SqliteConnection, records: &[&Record]) -> Result<(), sqlx::Error> {
    INSERT
        .run(conn, records, |query, row| {
            let command = &row.command;
            let result = command.result.as_ref();
            query
                .bind(command.job_id.uuid())
                .bind(command.user_id.uuid())
                .bind(command.created_at.as_microsecond())
                .bind(command.completed_at.as_microsecond())
                .bind(command.session_id.clone())
                .bind(command.command.clone())
                .bind(if command.status == Status::Completed { "completed" } else { "failed" })
                .bind(result.map_or(NONE, |result| &result.intent).to_owned())
                .bind(result.map_or("und", |result| &result.language).to_owned())
                .bind(result.map_or(FAILED, |result| result.source.as_str()))
                .bind(result.map_or(0.0, |result| result.processing_time_ms))
                .bind(row.result.clone())
                .bind(row.error.clone())
                .bind(command.fingerprint.to_vec())
        })
        .await
        .map(drop)
}

async fn erase(conn: &mut SqliteConnection, owner: UserId) -> Result<u64, sqlx::Error> {
    let removed =
        sqlx::query("DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE owner = ? LIMIT ?)")
            .bind(owner.uuid())
            .bind(ERASED_AT_ONCE)
            .execute(conn)
            .await?;
    Ok(removed.rows_affected())
}

async fn erase_stats(conn: &mut SqliteConnection, owner: UserId) -> Result<u64, sqlx::Error> {
    let removed = sqlx::query("DELETE FROM command_stats WHERE owner = ?").bind(owner.uuid());
    Ok(removed.execute(conn).await?.rows_affected())
}
