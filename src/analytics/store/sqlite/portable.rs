//! Counters carried to another store, and from one.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::SqliteCounters;
use crate::analytics::store::{Change, HourCounter, HourKey};
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::Portable;

const NEXT: &str = "SELECT hour, intent, language, source, count, duration_ms FROM command_counters
                    WHERE (hour, intent, language, source) > (?, ?, ?, ?)
                    ORDER BY hour, intent, language, source LIMIT ?";
const THERE: &str = "SELECT count, duration_ms FROM command_counters
                     WHERE hour = ? AND intent = ? AND language = ? AND source = ?";

type Row = (i64, String, String, String, i64, f64);

#[async_trait]
impl Portable for SqliteCounters {
    type Key = HourKey;
    type Entry = HourCounter;

    async fn entries(&self) -> Result<u64, StorageError> {
        let mut conn = self.database.read().await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM command_counters")
            .fetch_one(&mut *conn)
            .await
            .map_err(|error| self.database.error(&error))?;
        Ok(count.try_into().unwrap_or(0))
    }

    async fn export(
        &self,
        after: Option<HourKey>,
        limit: u32,
    ) -> Result<Vec<(HourKey, HourCounter)>, StorageError> {
        let after = after.unwrap_or_else(HourKey::before_all);
        let mut conn = self.database.read().await?;
        let rows: Vec<Row> = sqlx::query_as(NEXT)
            .bind(after.hour)
            .bind(after.intent)
            .bind(after.language)
            .bind(after.source)
            .bind(i64::from(limit))
            .fetch_all(&mut *conn)
            .await
            .map_err(|error| self.database.error(&error))?;
        let counters = rows.into_iter().map(|(hour, intent, language, source, count, duration_ms)| {
            let of = HourKey { hour, intent, language, source };
            (of.clone(), HourCounter { of, count, duration_ms })
        });
        Ok(counters.collect())
    }

    async fn import(&self, counters: Vec<HourCounter>) -> Result<(), StorageError> {
        self.database.write(Change::Import(counters)).await
    }
}

/// What a counter stands at: commands, and milliseconds.
pub(super) async fn there(conn: &mut SqliteConnection, of: &HourKey) -> Result<(i64, f64), sqlx::Error> {
    let there = sqlx::query_as(THERE)
        .bind(of.hour)
        .bind(of.intent.clone())
        .bind(of.language.clone())
        .bind(of.source.clone())
        .fetch_optional(conn)
        .await?;
    Ok(there.unwrap_or_default())
}
