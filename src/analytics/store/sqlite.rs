//! Counters in a SQLite file.

mod portable;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::analytics::api::{Batch, REMEMBERED};
use crate::analytics::store::{Change, CounterRow, CounterStore, Counts, Moves, hour};
use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::{Apply, Database, Migration, OnMigration, Options, RowInsert};

/// The schema of `analytics.db`.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "counters",
        body: include_str!("../../../migrations/sqlite/analytics/0001_counters.sql"),
    },
    Migration {
        version: 2,
        name: "batches",
        body: include_str!("../../../migrations/sqlite/analytics/0002_batches.sql"),
    },
];

static COUNT: RowInsert = RowInsert::new(
    "INSERT INTO command_counters (hour, intent, language, source, count, duration_ms) VALUES",
    6,
    "ON CONFLICT DO UPDATE SET count = count + excluded.count, duration_ms = duration_ms + excluded.duration_ms",
);

static TOTAL: RowInsert = RowInsert::new(
    "INSERT INTO command_totals (intent, language, source, count, duration_ms) VALUES",
    5,
    "ON CONFLICT DO UPDATE SET count = count + excluded.count, duration_ms = duration_ms + excluded.duration_ms",
);

const SINCE: &str = "SELECT intent, language, source, sum(count), sum(duration_ms) FROM command_counters
                     WHERE hour >= ? GROUP BY intent, language, source";
const ALL_TIME: &str = "SELECT intent, language, source, count, duration_ms FROM command_totals";

/// Counters in one file.
#[derive(Debug)]
pub struct SqliteCounters {
    database: Database<Additions>,
}

impl SqliteCounters {
    /// Opens or creates the file and brings it up to date.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn open(
        options: &Options,
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            database: Database::open(options, MIGRATIONS, Additions(Arc::clone(clock)), clock, on_migration)
                .await?,
        })
    }
}

#[derive(Debug)]
struct Additions(SharedClock);

#[async_trait]
impl Apply for Additions {
    type Op = Change;
    type Reply = ();

    async fn apply(&mut self, conn: &mut SqliteConnection, batch: &[Change]) -> Result<Vec<()>, sqlx::Error> {
        for counters in batch.iter().map(Change::counters).filter(|counters| !counters.is_empty()) {
            let mut moves = Moves::default();
            for counter in counters {
                moves.make(counter, portable::there(conn, &counter.of).await?);
            }
            write(conn, moves).await?;
        }
        let batches: Vec<&Batch> = batch.iter().filter_map(Change::batch).collect();
        if !batches.is_empty() {
            let fresh = self.note(conn, batches).await?;
            // Few counters move however many events there are: add up first, then write each once.
            write(conn, fresh.into_iter().flat_map(|batch| &batch.events).collect()).await?;
        }
        Ok(vec![(); batch.len()])
    }
}

/// Moves counters.
async fn write(conn: &mut SqliteConnection, Moves { hours, totals }: Moves<'_>) -> Result<(), sqlx::Error> {
    let totals: Vec<_> = totals.into_iter().collect();
    TOTAL
        .run(conn, &totals, |query, (kind, (count, duration_ms))| {
            query
                .bind(kind.intent.to_owned())
                .bind(kind.language.to_owned())
                .bind(kind.source.to_owned())
                .bind(*count)
                .bind(*duration_ms)
        })
        .await?;
    let hours: Vec<_> = hours.into_iter().collect();
    COUNT
        .run(conn, &hours, |query, ((hour, kind), (count, duration_ms))| {
            query
                .bind(*hour)
                .bind(kind.intent.to_owned())
                .bind(kind.language.to_owned())
                .bind(kind.source.to_owned())
                .bind(*count)
                .bind(*duration_ms)
        })
        .await
        .map(drop)
}

impl Additions {
    /// Those of the batches that were not counted before, remembered from now on.
    async fn note<'a>(
        &self,
        conn: &mut SqliteConnection,
        batches: Vec<&'a Batch>,
    ) -> Result<Vec<&'a Batch>, sqlx::Error> {
        let mut fresh = Vec::with_capacity(batches.len());
        for batch in batches {
            let noted = sqlx::query("INSERT INTO counted_batches VALUES (?) ON CONFLICT DO NOTHING")
                .bind(batch.id.uuid())
                .execute(&mut *conn)
                .await?;
            if noted.rows_affected() > 0 {
                fresh.push(batch);
            }
        }
        // The ids begin with their time.
        let past = self.0.now().saturating_sub(REMEMBERED).unwrap_or(Timestamp::UNIX_EPOCH);
        let millis = u64::try_from(past.as_millisecond()).unwrap_or(0);
        sqlx::query("DELETE FROM counted_batches WHERE id < ?")
            .bind(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
            .execute(conn)
            .await?;
        Ok(fresh)
    }
}

#[async_trait]
impl CounterStore for SqliteCounters {
    async fn add(&self, batch: Batch) -> Result<(), StorageError> {
        self.database.write(Change::Count(batch)).await
    }

    async fn sums(&self, since: Option<Timestamp>) -> Result<Counts, StorageError> {
        let mut conn = self.database.read().await?;
        let query = since.map_or(sqlx::query(ALL_TIME), |since| sqlx::query(SINCE).bind(hour(since)));
        let rows = query.fetch_all(&mut *conn).await.map_err(|error| self.database.error(&error))?;
        let row = |row: &SqliteRow| {
            Ok(CounterRow {
                intent: row.try_get(0)?,
                language: row.try_get(1)?,
                source: row.try_get(2)?,
                count: row.try_get::<i64, _>(3)?.try_into().unwrap_or(0),
                duration_ms: row.try_get(4)?,
            })
        };
        rows.iter().map(row).collect::<Result<Counts, _>>().map_err(|error| self.database.error(&error))
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.database.check().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kit::clock::SystemClock;

    /// What a day's figures cost must not depend on how long there have been figures.
    #[tokio::test]
    async fn figures_since_an_hour_read_a_range_and_totals_no_hours() {
        let folder = tempfile::tempdir().unwrap();
        let clock: SharedClock = Arc::new(SystemClock);
        let options = Options::new(folder.path().join("analytics.db"));
        let store = SqliteCounters::open(&options, &clock, &|_| {}).await.unwrap();
        for (sql, expected) in
            [(SINCE, "SEARCH command_counters USING PRIMARY KEY (hour>?)"), (ALL_TIME, "SCAN command_totals")]
        {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let mut conn = store.database.read().await.unwrap();
            let rows = sqlx::query(explain).fetch_all(&mut *conn).await.unwrap();
            let plan: String = rows.iter().map(|row| row.get::<String, _>("detail")).collect();
            assert!(plan.starts_with(expected), "{plan}");
        }
        store.close().await;
    }
}
