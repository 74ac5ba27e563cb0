//! API keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, QueryBuilder, Row, SqliteConnection};
use uuid::Uuid;

use super::rows::{count, instant, json, revoke, to_json};
use super::{SqliteUsers, audit};
use crate::kit::auth::{Presented, Scope};
use crate::kit::http::page::{Cursor, From, Page};
use crate::kit::ids::{KeyId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::audit::{Action, Outcome};
use crate::users::identity::Identity;
use crate::users::store::{AddedKey, FirstKey, Hash, Key, KeyPage, KeyStore, NewKey, RevokeKey};

/// The columns of a key, in the order in which [`key`] reads them, and how many they are.
const KEY: &str = "id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at";
const KEY_COLUMNS: usize = 8;

/// Keys that are removed in one transaction: others write between two.
const AT_ONCE: u32 = 500;

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

    async fn has_had_keys(&self) -> Result<bool, StorageError> {
        let mut conn = self.database.read().await?;
        has_had_keys(&mut conn).await.map_err(self.sort())
    }

    async fn add_key(&self, key: NewKey) -> Result<AddedKey, StorageError> {
        self.database.transact(key).await
    }

    async fn add_first_key(&self, first: FirstKey) -> Result<bool, StorageError> {
        self.database.transact(first).await
    }

    async fn keys(&self, user: UserId, page: Page) -> Result<KeyPage, StorageError> {
        let mut conn = self.database.read().await?;
        let mut sql = QueryBuilder::new(format!("SELECT {KEY} FROM api_keys WHERE user_id = "));
        sql.push_bind(user.uuid());
        let mut offset = 0;
        match page.from {
            From::Offset(skip) => offset = skip,
            From::After(Cursor { at, id }) => {
                sql.push(" AND (created_at, id) < (").push_bind(at.as_microsecond());
                sql.push(", ").push_bind(id).push(")");
            }
        }
        sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").push_bind(i64::from(page.limit) + 1);
        sql.push(" OFFSET ").push_bind(i64::from(offset));
        let rows = sql.build().fetch_all(&mut *conn).await.map_err(self.sort())?;
        let limit = page.limit as usize;
        let keys: Result<Vec<Key>, _> = rows.iter().take(limit).map(key).collect();
        let keys = keys.map_err(self.sort())?;
        let more = rows.len() > limit;
        let next =
            keys.last().filter(|_| more).map(|last| Cursor { at: last.created_at, id: last.id.uuid() });
        Ok(KeyPage { keys, next })
    }

    async fn key(&self, id: KeyId) -> Result<Option<(UserId, Key)>, StorageError> {
        let mut conn = self.database.read().await?;
        let sql = format!("SELECT {KEY}, user_id FROM api_keys WHERE id = ?");
        let row = sqlx::query(AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(&mut *conn).await;
        let owned = |row: SqliteRow| Ok((row.try_get::<Uuid, _>(KEY_COLUMNS)?.into(), key(&row)?));
        row.and_then(|row| row.map(owned).transpose()).map_err(self.sort())
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

pub(super) fn key(row: &SqliteRow) -> Result<Key, sqlx::Error> {
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

/// Whether there ever was a key. The trail knows of those that are forgotten.
async fn has_had_keys(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM api_keys) OR EXISTS (SELECT 1 FROM audit \
         WHERE action IN (?, ?) AND outcome = ?)",
    )
    .bind(Action::CreateKey.as_str())
    .bind(Action::RevokeKey.as_str())
    .bind(Outcome::Done.as_str())
    .fetch_one(conn)
    .await
}

#[async_trait]
impl Transaction for FirstKey {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        if has_had_keys(conn).await? {
            return Ok(false);
        }
        self.account.run(conn).await?;
        self.key.run(conn).await?;
        Ok(true)
    }
}

impl NewKey {
    /// Why there can be no such key.
    async fn obstacle(&self, conn: &mut SqliteConnection) -> Result<Option<AddedKey>, sqlx::Error> {
        let (known, owned, good): (bool, bool, u32) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM api_keys WHERE id = ?1), \
             EXISTS (SELECT 1 FROM users WHERE id = ?2 AND erased_at IS NULL), \
             (SELECT count(*) FROM api_keys WHERE user_id = ?2 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > ?3))",
        )
        .bind(self.id.uuid())
        .bind(self.user.uuid())
        .bind(self.at.as_microsecond())
        .fetch_one(conn)
        .await?;
        Ok(match (known, owned) {
            (true, _) => Some(AddedKey::Known),
            (_, false) => Some(AddedKey::NoAccount),
            _ => (good >= self.most).then_some(AddedKey::TooMany),
        })
    }
}

#[async_trait]
impl Transaction for NewKey {
    type Outcome = AddedKey;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<AddedKey, sqlx::Error> {
        if let Some(obstacle) = self.obstacle(conn).await? {
            return Ok(obstacle);
        }
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
        audit::write(conn, &self.trail).await?;
        Ok(AddedKey::Done)
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

/// Removes some of the keys that ended then or earlier; answers how many.
pub(super) struct Prune(pub(super) Timestamp);

#[async_trait]
impl Transaction for Prune {
    type Outcome = u64;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let mut gone = 0;
        for statement in [
            "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE revoked_at <= ? LIMIT ?)",
            "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE expires_at <= ? LIMIT ?)",
        ] {
            let removed = sqlx::query(statement)
                .bind(self.0.as_microsecond())
                .bind(AT_ONCE)
                .execute(&mut *conn)
                .await?;
            gone += removed.rows_affected();
        }
        Ok(gone)
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
