//! How a file's schema is brought up to date.

use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::kit::storage::migration::{Applied, Migration, MigrationStep, OnMigration, Standing};
use crate::kit::storage::{Place, StorageError};

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
    let standing = read(conn, file, list).await?;
    let total = standing.pending.len();
    for (done, step) in list.iter().skip(standing.applied.len()).enumerate() {
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
        sqlx::raw_sql(step.body).execute(&mut *tx).await.map_err(sort)?;
        sqlx::query("INSERT INTO schema_migrations VALUES (?1, ?2, ?3, ?4)")
            .bind(step.version)
            .bind(step.name)
            .bind(step.checksum())
            .bind(now.to_string())
            .execute(&mut *tx)
            .await
            .map_err(sort)?;
        tx.commit().await.map_err(sort)?;
    }
    Ok(())
}

/// What `file` has and lacks. Changes nothing; a file that is not there lacks everything.
///
/// # Errors
/// Any [`StorageError`].
pub async fn standing(file: &Path, list: &[Migration]) -> Result<Standing, StorageError> {
    if !file.exists() {
        return Standing::of(&file.into(), list, Vec::new());
    }
    let sort = |error: sqlx::Error| StorageError::from_sqlx(file, &error);
    let connect = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut conn = connect.connect().await.map_err(sort)?;
    let standing = read(&mut conn, file, list).await;
    conn.close().await.map_err(sort)?;
    standing
}

/// What the file of `conn` has and lacks.
async fn read(
    conn: &mut SqliteConnection,
    file: &Path,
    list: &[Migration],
) -> Result<Standing, StorageError> {
    let sort = |error: sqlx::Error| StorageError::from_sqlx(file, &error);
    let place = Place::from(file);
    let begun: Option<u32> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'")
            .fetch_optional(&mut *conn)
            .await
            .map_err(sort)?;
    if begun.is_none() {
        return Standing::of(&place, list, Vec::new());
    }
    let rows: Vec<(u32, String, Vec<u8>, String)> =
        sqlx::query_as("SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version")
            .fetch_all(conn)
            .await
            .map_err(sort)?;
    let applied = rows.into_iter().map(|(version, name, checksum, at)| {
        let at = at.parse().map_err(|error: jiff::Error| StorageError::Corrupt {
            place: place.clone(),
            detail: format!("migration {version}: {error}"),
        })?;
        Ok(Applied { version, name, checksum, at })
    });
    let applied = applied.collect::<Result<_, StorageError>>()?;
    Standing::of(&place, list, applied)
}
