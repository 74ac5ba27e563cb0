//! Signing keys and revocations.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::rows::{count, instant};
use super::{SqliteUsers, audit};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::api::Revocation;
use crate::users::store::{NewSigningKey, SigningKey, TrustStore};

#[async_trait]
impl TrustStore for SqliteUsers {
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SigningKey>, StorageError> {
        let mut conn = self.database.read().await?;
        let rows = sqlx::query(
            "SELECT kid, seed, public, active_at, expires_at FROM signing_keys \
             WHERE expires_at IS NULL OR expires_at > ? ORDER BY active_at, created_at",
        )
        .bind(now.as_microsecond())
        .fetch_all(&mut *conn)
        .await
        .map_err(self.sort())?;
        rows.iter().map(signing_key).collect::<Result<_, _>>().map_err(self.sort())
    }

    async fn add_signing_key(&self, key: NewSigningKey) -> Result<(), StorageError> {
        self.database.transact(key).await
    }

    async fn revocations(&self, position: u64, limit: u32) -> Result<(Vec<Revocation>, u64), StorageError> {
        let mut conn = self.database.read().await?;
        // The counter first: what comes in between is handed out twice rather than never. It is not the
        // last row's, because rows that have expired are gone.
        let counted: i64 = sqlx::query_scalar(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'revocations'), 0)",
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(self.sort())?;
        let rows = sqlx::query(
            "SELECT position, subject, epoch, expires_at FROM revocations WHERE position > ? ORDER BY position LIMIT ?",
        )
        .bind(position.cast_signed())
        .bind(limit)
        .fetch_all(&mut *conn)
        .await
        .map_err(self.sort())?;
        let news: Result<Vec<Revocation>, _> = rows.iter().map(revocation).collect();
        let last = rows.last().map_or(Ok(counted), |row| row.try_get(0));
        Ok((news.map_err(self.sort())?, count(last.map_err(self.sort())?)))
    }
}

pub(super) fn signing_key(row: &SqliteRow) -> Result<SigningKey, sqlx::Error> {
    Ok(SigningKey {
        kid: row.try_get(0)?,
        seed: row.try_get(1)?,
        public: row.try_get(2)?,
        active_at: instant(row.try_get(3)?)?,
        expires_at: row.try_get::<Option<i64>, _>(4)?.map(instant).transpose()?,
    })
}

pub(super) fn revocation(row: &SqliteRow) -> Result<Revocation, sqlx::Error> {
    Ok(Revocation {
        subject: row.try_get(1)?,
        epoch: row.try_get::<Option<i64>, _>(2)?.map(count),
        expires_at: instant(row.try_get(3)?)?,
    })
}

#[async_trait]
impl Transaction for NewSigningKey {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if self.first {
            let others: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM signing_keys)")
                .fetch_one(&mut *conn)
                .await?;
            if others {
                return Ok(());
            }
        }
        sqlx::query("UPDATE signing_keys SET expires_at = ? WHERE expires_at IS NULL OR expires_at > ?")
            .bind(self.others_expire_at.as_microsecond())
            .bind(self.others_expire_at.as_microsecond())
            .execute(&mut *conn)
            .await?;
        sqlx::query(
            "INSERT INTO signing_keys (kid, seed, public, created_at, active_at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(self.key.kid.clone())
        .bind(self.key.seed.clone())
        .bind(self.key.public.clone())
        .bind(self.at.as_microsecond())
        .bind(self.key.active_at.as_microsecond())
        .execute(&mut *conn)
        .await?;
        audit::write(conn, &self.trail).await
    }
}
