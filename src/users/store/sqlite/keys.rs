//! API keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::rows::{count, instant, json, revoke, to_json};
use super::{SqliteUsers, audit};
use crate::kit::auth::{Presented, Scope};
use crate::kit::ids::{KeyId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::identity::Identity;
use crate::users::store::{Hash, Key, KeyStore, NewKey, RevokeKey};

#[async_trait]
impl KeyStore for SqliteUsers {
    async fn by_key(&self, hash: &Hash, now: Timestamp) -> Result<Option<Identity>, StorageError> {
        let mut conn = self.database.read().await?;
        let row = sqlx::query(
            "SELECT k.id, u.id, u.name, u.role, u.institution, u.epoch, k.scopes, k.expires_at \
             FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.hash = ? AND k.revoked_at IS NULL \
             AND (k.expires_at IS NULL OR k.expires_at > ?) AND u.status = 'active' AND u.erased_at IS NULL",
        )
        .bind(hash.to_vec())
        .bind(now.as_microsecond())
        .fetch_optional(&mut *conn)
        .await
        .map_err(self.sort())?;
        row.as_ref().map(identity).transpose().map_err(self.sort())
    }

    async fn has_keys(&self) -> Result<bool, StorageError> {
        let mut conn = self.database.read().await?;
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM api_keys)")
            .fetch_one(&mut *conn)
            .await
            .map_err(self.sort())
    }

    async fn add_key(&self, key: NewKey) -> Result<(), StorageError> {
        self.database.transact(key).await
    }

    async fn keys(&self, user: UserId) -> Result<Vec<Key>, StorageError> {
        let mut conn = self.database.read().await?;
        let rows = sqlx::query(
            "SELECT id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at FROM api_keys \
             WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT 1000",
        )
        .bind(user.uuid())
        .fetch_all(&mut *conn)
        .await
        .map_err(self.sort())?;
        rows.iter().map(key).collect::<Result<_, _>>().map_err(self.sort())
    }

    async fn revoke_key(&self, revoke: RevokeKey) -> Result<bool, StorageError> {
        self.database.transact(revoke).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StorageError> {
        self.database.transact(Touch(used)).await
    }
}

fn scopes(text: Option<&str>) -> Result<Option<BTreeSet<Scope>>, sqlx::Error> {
    text.map(json).transpose()
}

fn identity(row: &SqliteRow) -> Result<Identity, sqlx::Error> {
    Ok(Identity {
        credential: Presented::Key(row.try_get::<Uuid, _>(0)?.into()),
        user_id: row.try_get::<Uuid, _>(1)?.into(),
        name: row.try_get(2)?,
        role: row.try_get(3)?,
        institution: row.try_get(4)?,
        epoch: count(row.try_get(5)?),
        scopes: scopes(row.try_get(6)?)?,
        expires_at: row.try_get::<Option<i64>, _>(7)?.map(instant).transpose()?,
    })
}

fn key(row: &SqliteRow) -> Result<Key, sqlx::Error> {
    let when = |column: usize| row.try_get::<Option<i64>, _>(column)?.map(instant).transpose();
    Ok(Key {
        id: row.try_get::<Uuid, _>(0)?.into(),
        name: row.try_get(1)?,
        prefix: row.try_get(2)?,
        scopes: scopes(row.try_get(3)?)?,
        created_at: instant(row.try_get(4)?)?,
        expires_at: when(5)?,
        last_used_at: when(6)?,
        revoked_at: when(7)?,
    })
}

#[async_trait]
impl Transaction for NewKey {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO api_keys (id, user_id, name, prefix, hash, scopes, created_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(self.id.uuid())
        .bind(self.user.uuid())
        .bind(self.name.clone())
        .bind(self.prefix.clone())
        .bind(self.hash.to_vec())
        .bind(self.scopes.as_ref().map(to_json).transpose()?)
        .bind(self.at.as_microsecond())
        .bind(self.expires_at.map(Timestamp::as_microsecond))
        .execute(&mut *conn)
        .await?;
        audit::write(conn, &self.trail).await
    }
}

#[async_trait]
impl Transaction for RevokeKey {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(
            "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND user_id = ? AND revoked_at IS NULL",
        )
        .bind(self.at.as_microsecond())
        .bind(self.id.uuid())
        .bind(self.user.uuid())
        .execute(&mut *conn)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        revoke(conn, self.id.uuid(), None, self.at).await?;
        audit::write(conn, &self.trail).await?;
        Ok(true)
    }
}

struct Touch(Vec<(KeyId, Timestamp)>);

#[async_trait]
impl Transaction for Touch {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for (key, at) in &self.0 {
            sqlx::query("UPDATE api_keys SET last_used_at = max(?, coalesce(last_used_at, 0)) WHERE id = ?")
                .bind(at.as_microsecond())
                .bind(key.uuid())
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }
}
