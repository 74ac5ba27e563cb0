//! The history in a SQLite file.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use uuid::Uuid;

use crate::kit::clock::SharedClock;
use crate::kit::http::page::{Cursor, From as PageStart, Page};
use crate::kit::ids::{JobId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::{Apply, Database, Migration, OnMigration, Options, RowInsert};
use crate::voice::api::{Command, NONE, Status};
use crate::voice::store::{CommandStore, FAILED, Filter, HistoryPage, StatRow, Stats};

/// The schema of `voice.db`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "commands",
    sql: include_str!("../../../migrations/sqlite/voice/0001_commands.sql"),
}];

const COLUMNS: &str =
    "id, owner, created_at, completed_at, session_id, text, status, result, error, fingerprint";

static INSERT: RowInsert = RowInsert::new(
    "INSERT INTO commands (id, owner, created_at, completed_at, session_id, text, status, intent, language, source, duration_ms, result, error, fingerprint) VALUES",
    14,
    "ON CONFLICT (id) DO UPDATE SET completed_at = excluded.completed_at, status = excluded.status,
       text = excluded.text, session_id = excluded.session_id, fingerprint = excluded.fingerprint,
       intent = excluded.intent, language = excluded.language, source = excluded.source,
       duration_ms = excluded.duration_ms, result = excluded.result, error = excluded.error
     WHERE commands.status = 'failed' AND excluded.status = 'completed'",
);

/// The history in one file.
#[derive(Debug)]
pub struct SqliteCommands {
    database: Database<Inserts>,
}

impl SqliteCommands {
    /// Opens or creates the file and brings it up to date.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn open(
        options: &Options,
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        Ok(Self { database: Database::open(options, MIGRATIONS, Inserts, clock, on_migration).await? })
    }

    fn failed(&self, error: &sqlx::Error) -> StorageError {
        self.database.error(error)
    }
}

/// A command as the columns want it; made by the caller, so that the writer only binds.
#[derive(Debug)]
struct Inserted {
    command: Command,
    result: Option<String>,
    error: Option<String>,
}

#[derive(Debug)]
struct Inserts;

#[async_trait]
impl Apply for Inserts {
    type Op = Inserted;
    type Reply = ();

    async fn apply(
        &mut self,
        conn: &mut SqliteConnection,
        batch: &[Inserted],
    ) -> Result<Vec<()>, sqlx::Error> {
        INSERT
            .run(conn, batch, |query, row| {
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
            .await?;
        Ok(vec![(); batch.len()])
    }
}

#[async_trait]
impl CommandStore for SqliteCommands {
    async fn record(&self, command: &Command) -> Result<(), StorageError> {
        // Both are made of strings, numbers and lists alone, which JSON can always say.
        let json = |value: serde_json::Result<String>| value.unwrap_or_else(|_| "null".to_owned());
        let result = command.result.as_ref().map(|result| json(serde_json::to_string(result)));
        let error = command.error.as_ref().map(|error| json(serde_json::to_string(error)));
        self.database.write(Inserted { command: command.clone(), result, error }).await
    }

    async fn get(&self, owner: UserId, id: JobId) -> Result<Option<Command>, StorageError> {
        let mut conn = self.database.read().await?;
        let row = QueryBuilder::<Sqlite>::new("SELECT ")
            .push(COLUMNS)
            .push(" FROM commands WHERE id = ")
            .push_bind(id.uuid())
            .push(" AND owner = ")
            .push_bind(owner.uuid())
            .build()
            .fetch_optional(&mut *conn)
            .await
            .map_err(|error| self.failed(&error))?;
        row.map(|row| read(&row)).transpose().map_err(|error| self.failed(&error))
    }

    async fn history(&self, owner: UserId, filter: &Filter, page: Page) -> Result<HistoryPage, StorageError> {
        let mut query = select(owner, filter, page);
        let mut conn = self.database.read().await?;
        let rows = query.build().fetch_all(&mut *conn).await.map_err(|error| self.failed(&error))?;
        let mut commands: Vec<Command> =
            rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.failed(&error))?;
        let limit = page.limit as usize;
        let more = commands.len() > limit;
        commands.truncate(limit);
        let next = commands
            .last()
            .filter(|_| more)
            .map(|last| Cursor { at: last.created_at, id: last.job_id.uuid() });
        Ok(HistoryPage { commands, next })
    }

    async fn stats(
        &self,
        owner: UserId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Stats, StorageError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT intent, language, source, sum(count), sum(duration_ms) FROM command_stats WHERE owner = ",
        );
        query.push_bind(owner.uuid());
        if let Some(from) = from {
            query.push(" AND day >= ").push_bind(day(from));
        }
        if let Some(to) = to {
            query.push(" AND day <= ").push_bind(day(to));
        }
        query.push(" GROUP BY intent, language, source");
        let mut conn = self.database.read().await?;
        let rows = query.build().fetch_all(&mut *conn).await.map_err(|error| self.failed(&error))?;
        let row = |row: &SqliteRow| {
            Ok(StatRow {
                intent: row.try_get(0)?,
                language: row.try_get(1)?,
                source: row.try_get(2)?,
                count: row.try_get::<i64, _>(3)?.try_into().unwrap_or(0),
                duration_ms: row.try_get(4)?,
            })
        };
        rows.iter().map(row).collect::<Result<Stats, _>>().map_err(|error| self.failed(&error))
    }

    async fn check(&self) -> Result<(), StorageError> {
        let mut conn = self.database.read().await?;
        sqlx::query("SELECT 1 FROM commands LIMIT 1")
            .fetch_optional(&mut *conn)
            .await
            .map(drop)
            .map_err(|error| self.failed(&error))
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

/// One row more than the page holds tells whether there is another page.
fn select(owner: UserId, filter: &Filter, page: Page) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(COLUMNS).push(" FROM commands WHERE owner = ").push_bind(owner.uuid());
    for (column, value) in
        [("intent", &filter.intent), ("language", &filter.language), ("session_id", &filter.session_id)]
    {
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value.clone());
        }
    }
    if let Some(text) = &filter.text {
        query.push(" AND text LIKE ").push_bind(containing(text)).push(r" ESCAPE '\'");
    }
    if let Some(from) = filter.from {
        query.push(" AND created_at >= ").push_bind(from.as_microsecond());
    }
    if let Some(to) = filter.to {
        query.push(" AND created_at < ").push_bind(to.as_microsecond());
    }
    if let PageStart::After(cursor) = page.from {
        query
            .push(" AND (created_at, id) < (")
            .push_bind(cursor.at.as_microsecond())
            .push(", ")
            .push_bind(cursor.id)
            .push(")");
    }
    query.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(i64::from(page.limit) + 1);
    if let PageStart::Offset(offset) = page.from {
        query.push(" OFFSET ").push_bind(i64::from(offset));
    }
    query
}

/// A LIKE pattern for exactly these words.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

fn read(row: &SqliteRow) -> Result<Command, sqlx::Error> {
    let json = |column: &str| row.try_get::<Option<String>, _>(column);
    Ok(Command {
        job_id: row.try_get::<Uuid, _>("id")?.into(),
        user_id: row.try_get::<Uuid, _>("owner")?.into(),
        created_at: instant(row.try_get("created_at")?)?,
        completed_at: instant(row.try_get("completed_at")?)?,
        session_id: row.try_get("session_id")?,
        command: row.try_get("text")?,
        status: if row.try_get::<&str, _>("status")? == "completed" {
            Status::Completed
        } else {
            Status::Failed
        },
        result: json("result")?.map(|text| serde_json::from_str(&text)).transpose().map_err(undecodable)?,
        fingerprint: row.try_get::<&[u8], _>("fingerprint")?.try_into().map_err(undecodable)?,
        error: json("error")?.map(|text| serde_json::from_str(&text)).transpose().map_err(undecodable)?,
    })
}

fn instant(micros: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_microsecond(micros).map_err(undecodable)
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
