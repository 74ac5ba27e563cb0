//! The history in a SQLite file.

mod portable;
mod writes;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};
use uuid::Uuid;

use writes::{Write, Writes};

use crate::kit::clock::SharedClock;
use crate::kit::http::page::{Cursor, From as PageStart, Page};
use crate::kit::ids::{JobId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::{Database, Migration, OnMigration, Options};
use crate::voice::api::{Command, Status};
use crate::voice::store::lead::Lead;
use crate::voice::store::{CommandStore, Filter, HistoryPage, StatRow, Stats};

/// The schema of `voice.db`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "commands",
    body: include_str!("../../../migrations/sqlite/voice/0001_commands.sql"),
}];

const COLUMNS: &str =
    "id, owner, created_at, completed_at, session_id, text, status, result, error, fingerprint";

/// The history in one file.
#[derive(Debug)]
pub struct SqliteCommands {
    database: Database<Writes>,
    examined: u32,
}

/// Commands that a page looks at where no index knows which of them are wanted: 20 ms, or 50 if
/// they lie far apart.
const EXAMINED: u32 = 10_000;

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
        let database = Database::open(options, MIGRATIONS, Writes, clock, on_migration).await?;
        Ok(Self { database, examined: EXAMINED })
    }

    /// The same, looking at so many commands a page.
    #[cfg(test)]
    pub(super) fn examining(self, examined: u32) -> Self {
        Self { examined, ..self }
    }

    fn failed(&self, error: &sqlx::Error) -> StorageError {
        self.database.error(error)
    }
}

#[async_trait]
impl CommandStore for SqliteCommands {
    async fn record(&self, command: &Command) -> Result<(), StorageError> {
        self.database.write(Write::record(command)).await.map(drop)
    }

    async fn erase(&self, owner: UserId) -> Result<(), StorageError> {
        // A part at a time: others want to write meanwhile.
        while self.database.write(Write::Erase(owner)).await? > 0 {}
        self.database.write(Write::EraseStats(owner)).await.map(drop)
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
        let mut conn = self.database.read().await?;
        let plan = Plan::of(owner, filter, page);
        let stop = match plan.stop(self.examined) {
            None => None,
            Some(mut query) => {
                let stop = query.build().fetch_optional(&mut *conn).await;
                stop.and_then(|row| row.as_ref().map(cursor).transpose())
                    .map_err(|error| self.failed(&error))?
            }
        };
        let rows = plan.select(stop).build().fetch_all(&mut *conn).await;
        let rows = rows.map_err(|error| self.failed(&error))?;
        let commands: Vec<Command> =
            rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.failed(&error))?;
        Ok(HistoryPage::of(commands, page.limit, stop))
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
        self.database.check().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

/// How a page is found: along one index, from its end.
struct Plan<'a> {
    owner: UserId,
    filter: &'a Filter,
    page: Page,
    lead: Lead<'a>,
}

impl<'a> Plan<'a> {
    fn of(owner: UserId, filter: &'a Filter, page: Page) -> Self {
        Self { owner, filter, page, lead: Lead::of(filter) }
    }

    /// Where the search ends that looks at `examined` commands; none if the index alone is the answer.
    fn stop(&self, examined: u32) -> Option<QueryBuilder<Sqlite>> {
        if self.lead.suffices {
            return None;
        }
        // The index holds all that this asks for, so no command is read.
        let mut query = self.range("created_at, id");
        query.push(NEWEST_FIRST).push(" LIMIT 1 OFFSET ").push_bind(i64::from(examined.max(1)) - 1);
        Some(query)
    }

    /// One row more than the page holds tells whether there is another page.
    fn select(&self, stop: Option<Cursor>) -> QueryBuilder<Sqlite> {
        let mut query = self.range(COLUMNS);
        for (column, value) in &self.lead.rest {
            query.push(" AND ").push(*column).push(" = ").push_bind((*value).to_owned());
        }
        if let Some(text) = &self.filter.text {
            query.push(" AND text LIKE ").push_bind(containing(text)).push(r" ESCAPE '\'");
        }
        if let Some(stop) = stop {
            place(&mut query, " >= ", stop);
        }
        query.push(NEWEST_FIRST).push(" LIMIT ").push_bind(i64::from(self.page.limit) + 1);
        if let PageStart::Offset(offset) = self.page.from {
            query.push(" OFFSET ").push_bind(i64::from(offset));
        }
        query
    }

    /// `columns` of the commands in the range of the index.
    fn range(&self, columns: &'static str) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(columns).push(" FROM commands INDEXED BY ").push(self.lead.index);
        query.push(" WHERE owner = ").push_bind(self.owner.uuid());
        if let Some((column, value)) = self.lead.by {
            query.push(" AND ").push(column).push(" = ").push_bind(value.to_owned());
        }
        if let Some(from) = self.filter.from {
            query.push(" AND created_at >= ").push_bind(from.as_microsecond());
        }
        if let Some(to) = self.filter.to {
            query.push(" AND created_at < ").push_bind(to.as_microsecond());
        }
        if let PageStart::After(cursor) = self.page.from {
            place(&mut query, " < ", cursor);
        }
        query
    }
}

const NEWEST_FIRST: &str = " ORDER BY created_at DESC, id DESC";

fn place(query: &mut QueryBuilder<Sqlite>, relation: &'static str, cursor: Cursor) {
    query
        .push(" AND (created_at, id)")
        .push(relation)
        .push("(")
        .push_bind(cursor.at.as_microsecond())
        .push(", ")
        .push_bind(cursor.id)
        .push(")");
}

fn cursor(row: &SqliteRow) -> Result<Cursor, sqlx::Error> {
    Ok(Cursor { at: instant(row.try_get("created_at")?)?, id: row.try_get("id")? })
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

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::kit::clock::SystemClock;

    /// Each filter walks one index from its end, and where the walk stops is read from the index alone.
    #[tokio::test]
    async fn every_list_reads_a_range_of_an_index_and_sorts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("voice.db");
        let clock: SharedClock = std::sync::Arc::new(SystemClock);
        let store = SqliteCommands::open(&Options::new(&file), &clock, &|_| {}).await.unwrap();
        store.close().await;
        let mut conn = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        let given = |yes: bool| yes.then(|| "x".to_owned());
        let starts = [PageStart::Offset(0), PageStart::After(Cursor { at: clock.now(), id: Uuid::nil() })];
        for (case, from) in (0..64_u8).flat_map(|case| starts.map(|from| (case, from))) {
            let has = |bit: u8| case & (1 << bit) != 0;
            let filter = Filter {
                intent: given(has(0)),
                language: given(has(1)),
                session_id: given(has(2)),
                text: given(has(3)),
                from: has(4).then(|| clock.now()),
                to: has(5).then(|| clock.now()),
            };
            let plan = Plan::of(Uuid::nil().into(), &filter, Page { limit: 50, from });
            let stop = plan.stop(1_000);
            let covered = stop.is_some();
            assert_eq!(covered, has(3) || [0, 1, 2].into_iter().filter(|bit| has(*bit)).count() > 1);
            for (query, using) in [(Some(plan.select(None)), "USING INDEX"), (stop, "USING COVERING INDEX")] {
                let Some(query) = query else { continue };
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", query.sql().as_str()));
                let rows = sqlx::query(explain).fetch_all(&mut conn).await.unwrap();
                let plan: String = rows.iter().map(|row| row.get::<String, _>("detail")).collect();
                assert!(plan.starts_with("SEARCH commands") && plan.contains(using), "{filter:?}: {plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
            }
        }
    }
}
