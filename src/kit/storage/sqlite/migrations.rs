//! A file's schema: numbered steps, each applied once, in order, and never altered afterwards.

use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{Connection, SqliteConnection};

use super::OnMigration;
use crate::kit::storage::StorageError;

/// One step, from `migrations/sqlite/<module>/NNNN_name.sql` by `include_str!`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number; a module's list is in ascending order.
    pub version: u32,
    /// What it does, in a word or two.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// A step about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationStep {
    /// Steps already done in this run.
    pub done: usize,
    /// Steps that this run has to do.
    pub total: usize,
    /// The name of the one that begins now.
    pub name: &'static str,
}

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL, applied_at TEXT NOT NULL) STRICT";

/// Applies what `file` lacks. Safe when several processes start together: each looks again inside
/// the write lock.
pub(super) async fn run(
    conn: &mut SqliteConnection,
    file: &Path,
    list: &[Migration],
    now: Timestamp,
    on_migration: OnMigration<'_>,
) -> Result<(), StorageError> {
    let sort = |error: sqlx::Error| StorageError::from_sqlx(file, &error);
    sqlx::query(LEDGER).execute(&mut *conn).await.map_err(sort)?;
    let applied = check(conn, file, list).await?;
    let total = list.len().saturating_sub(applied);
    for (done, step) in list.iter().skip(applied).enumerate() {
        on_migration(MigrationStep { done, total, name: step.name });
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.map_err(sort)?;
        let known: Option<u32> =
            sqlx::query_scalar("SELECT version FROM schema_migrations WHERE version = ?1")
                .bind(step.version)
                .fetch_optional(&mut *tx)
                .await
                .map_err(sort)?;
        if known.is_some() {
            continue;
        }
        sqlx::raw_sql(step.sql).execute(&mut *tx).await.map_err(sort)?;
        sqlx::query("INSERT INTO schema_migrations VALUES (?1, ?2, ?3, ?4)")
            .bind(step.version)
            .bind(step.name)
            .bind(checksum(step))
            .bind(now.to_string())
            .execute(&mut *tx)
            .await
            .map_err(sort)?;
        tx.commit().await.map_err(sort)?;
    }
    Ok(())
}

/// How many steps of `list` the file has, after making sure that they are the same ones.
async fn check(conn: &mut SqliteConnection, file: &Path, list: &[Migration]) -> Result<usize, StorageError> {
    let applied: Vec<(u32, String, Vec<u8>)> =
        sqlx::query_as("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
            .fetch_all(conn)
            .await
            .map_err(|error| StorageError::from_sqlx(file, &error))?;
    let known = list.last().map_or(0, |step| step.version);
    if let Some((found, ..)) = applied.last().filter(|(found, ..)| *found > known) {
        return Err(StorageError::Newer { file: file.to_owned(), found: *found, known });
    }
    for ((version, name, sum), step) in applied.iter().zip(list) {
        if *version != step.version || *sum != checksum(step) {
            return Err(StorageError::Altered {
                file: file.to_owned(),
                version: *version,
                name: name.clone(),
            });
        }
    }
    Ok(applied.len())
}

fn checksum(step: &Migration) -> Vec<u8> {
    Sha256::digest(step.sql.as_bytes()).to_vec()
}
