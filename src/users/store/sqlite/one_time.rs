//! Tokens that are good once.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteUsers;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::store::{Hash, OneTime, OneTimeStore, Purpose, Redeemed};

#[async_trait]
impl OneTimeStore for SqliteUsers {
    async fn issue(&self, token: OneTime) -> Result<(), StorageError> {
        self.database.transact(token).await
    }

    async fn redeem(
        &self,
        purpose: Purpose,
        hash: &Hash,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, StorageError> {
        self.database.transact(Redeem { purpose, hash: *hash, now }).await
    }

    async fn attempt(
        &self,
        purpose: Purpose,
        hash: &Hash,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, StorageError> {
        self.database.transact(Attempt { purpose, hash: *hash, most, now }).await
    }
}

#[async_trait]
impl Transaction for OneTime {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if self.only {
            sqlx::query("DELETE FROM one_time_tokens WHERE user_id = ? AND purpose = ?")
                .bind(self.user.map(crate::kit::ids::UserId::uuid))
                .bind(self.purpose.as_str())
                .execute(&mut *conn)
                .await?;
        }
        sqlx::query(
            "INSERT INTO one_time_tokens (hash, purpose, user_id, payload, created_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(self.hash.to_vec())
        .bind(self.purpose.as_str())
        .bind(self.user.map(crate::kit::ids::UserId::uuid))
        .bind(self.payload.clone())
        .bind(self.at.as_microsecond())
        .bind(self.expires_at.as_microsecond())
        .execute(conn)
        .await
        .map(drop)
    }
}

fn redeemed(row: &SqliteRow) -> Result<Redeemed, sqlx::Error> {
    Ok(Redeemed { user: row.try_get::<Option<Uuid>, _>(0)?.map(Into::into), payload: row.try_get(1)? })
}

struct Redeem {
    purpose: Purpose,
    hash: Hash,
    now: Timestamp,
}

#[async_trait]
impl Transaction for Redeem {
    type Outcome = Option<Redeemed>;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<Self::Outcome, sqlx::Error> {
        let row = sqlx::query(
            "DELETE FROM one_time_tokens WHERE hash = ? AND purpose = ? AND expires_at > ? \
             RETURNING user_id, payload",
        )
        .bind(self.hash.to_vec())
        .bind(self.purpose.as_str())
        .bind(self.now.as_microsecond())
        .fetch_optional(conn)
        .await?;
        row.as_ref().map(redeemed).transpose()
    }
}

struct Attempt {
    purpose: Purpose,
    hash: Hash,
    most: u32,
    now: Timestamp,
}

#[async_trait]
impl Transaction for Attempt {
    type Outcome = Option<Redeemed>;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<Self::Outcome, sqlx::Error> {
        let row = sqlx::query(
            "UPDATE one_time_tokens SET attempts = attempts + 1 \
             WHERE hash = ? AND purpose = ? AND expires_at > ? AND attempts < ? RETURNING user_id, payload",
        )
        .bind(self.hash.to_vec())
        .bind(self.purpose.as_str())
        .bind(self.now.as_microsecond())
        .bind(self.most)
        .fetch_optional(conn)
        .await?;
        row.as_ref().map(redeemed).transpose()
    }
}
