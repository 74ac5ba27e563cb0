//! Counters in a SQLite file.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use crate::analytics::api::Event;
use crate::analytics::store::{CounterStore, Counts};
use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::{Apply, Database, Migration, OnMigration, Options, RowInsert};

/// The schema of `analytics.db`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "counters",
    sql: include_str!("../../../migrations/sqlite/analytics/0001_counters.sql"),
}];

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

/// The tier of a command that has no answer.
const FAILED: &str = "failed";

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
        Ok(Self { database: Database::open(options, MIGRATIONS, Additions, clock, on_migration).await? })
    }
}

#[derive(Debug)]
struct Additions;

#[async_trait]
impl Apply for Additions {
    type Op = Vec<Event>;
    type Reply = ();

    async fn apply(
        &mut self,
        conn: &mut SqliteConnection,
        batch: &[Vec<Event>],
    ) -> Result<Vec<()>, sqlx::Error> {
        // Few counters move however many events there are: add up first, then write each once.
        let mut sums: HashMap<(i64, &str, &str, &str), (i64, f64)> = HashMap::new();
        for Event::Command { at, source, intent, language, duration_ms, .. } in batch.iter().flatten() {
            let sum = sums.entry((hour(*at), intent, language, source)).or_default();
            sum.0 += 1;
            sum.1 += duration_ms;
        }
        let mut totals: HashMap<(&str, &str, &str), (i64, f64)> = HashMap::new();
        for ((_, intent, language, source), (count, duration_ms)) in &sums {
            let total = totals.entry((intent, language, source)).or_default();
            total.0 += count;
            total.1 += duration_ms;
        }
        let totals: Vec<_> = totals.into_iter().collect();
        TOTAL
            .run(conn, &totals, |query, ((intent, language, source), (count, duration_ms))| {
                query
                    .bind((*intent).to_owned())
                    .bind((*language).to_owned())
                    .bind((*source).to_owned())
                    .bind(*count)
                    .bind(*duration_ms)
            })
            .await?;
        let rows: Vec<_> = sums.into_iter().collect();
        COUNT
            .run(conn, &rows, |query, ((hour, intent, language, source), (count, duration_ms))| {
                query
                    .bind(*hour)
                    .bind((*intent).to_owned())
                    .bind((*language).to_owned())
                    .bind((*source).to_owned())
                    .bind(*count)
                    .bind(*duration_ms)
            })
            .await?;
        Ok(vec![(); batch.len()])
    }
}

#[async_trait]
impl CounterStore for SqliteCounters {
    async fn add(&self, events: Vec<Event>) -> Result<(), StorageError> {
        self.database.write(events).await
    }

    async fn sums(&self, since: Option<Timestamp>) -> Result<Counts, StorageError> {
        let mut conn = self.database.read().await?;
        let query = since.map_or(sqlx::query(ALL_TIME), |since| sqlx::query(SINCE).bind(hour(since)));
        let rows = query.fetch_all(&mut *conn).await.map_err(|error| self.database.error(&error))?;
        let mut counts = Counts::default();
        let (mut answered, mut duration_ms) = (0_u64, 0.0);
        for row in &rows {
            let (intent, language, source, count, duration): (String, String, String, i64, f64) = (|| {
                Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
            })(
            )
            .map_err(|error| self.database.error(&error))?;
            let count = u64::try_from(count).unwrap_or(0);
            counts.commands += count;
            if source == FAILED {
                counts.failed += count;
            } else {
                answered += count;
                duration_ms += duration;
            }
            *counts.by_intent.entry(intent).or_default() += count;
            *counts.by_language.entry(language).or_default() += count;
            *counts.by_source.entry(source).or_default() += count;
        }
        if answered > 0 {
            #[allow(
                clippy::cast_precision_loss,
                reason = "an average of more than 2^53 commands may be off a little"
            )]
            let average = duration_ms / answered as f64;
            counts.average_processing_time_ms = (average * 1e3).round() / 1e3;
        }
        Ok(counts)
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.database.check().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
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
