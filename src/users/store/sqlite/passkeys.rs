//! Passkeys.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::rows::instant;
use super::{SqliteUsers, audit};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::store::{
    AddedPasskey, NewPasskey, PasskeyStore, RemovePasskey, RemovedPasskey, StoredPasskey, UsedPasskey,
};

#[async_trait]
impl PasskeyStore for SqliteUsers {
    async fn add_passkey(&self, passkey: NewPasskey) -> Result<AddedPasskey, StorageError> {
        self.database.transact(passkey).await
    }

    async fn passkeys(&self, user: UserId) -> Result<Vec<StoredPasskey>, StorageError> {
        let mut conn = self.database.read().await?;
        let rows = sqlx::query(
            "SELECT id, credential_id, user_id, name, credential, created_at, last_used_at FROM passkeys \
             WHERE user_id = ? ORDER BY created_at, id",
        )
        .bind(user.uuid())
        .fetch_all(&mut *conn)
        .await
        .map_err(self.sort())?;
        rows.iter().map(stored).collect::<Result<_, _>>().map_err(self.sort())
    }

    async fn passkey(&self, credential_id: &[u8]) -> Result<Option<StoredPasskey>, StorageError> {
        let mut conn = self.database.read().await?;
        let row = sqlx::query(
            "SELECT id, credential_id, user_id, name, credential, created_at, last_used_at FROM passkeys \
             WHERE credential_id = ?",
        )
        .bind(credential_id.to_vec())
        .fetch_optional(&mut *conn);
        row.await.and_then(|row| row.as_ref().map(stored).transpose()).map_err(self.sort())
    }

    async fn use_passkey(&self, used: UsedPasskey) -> Result<bool, StorageError> {
        self.database.transact(used).await
    }

    async fn remove_passkey(&self, remove: RemovePasskey) -> Result<RemovedPasskey, StorageError> {
        self.database.transact(remove).await
    }
}

pub(super) fn stored(row: &SqliteRow) -> Result<StoredPasskey, sqlx::Error> {
    Ok(StoredPasskey {
        id: row.try_get::<Uuid, _>(0)?.into(),
        credential_id: row.try_get(1)?,
        user: row.try_get::<Uuid, _>(2)?.into(),
        name: row.try_get(3)?,
        credential: row.try_get(4)?,
        created_at: instant(row.try_get(5)?)?,
        last_used_at: row.try_get::<Option<i64>, _>(6)?.map(instant).transpose()?,
    })
}

async fn count(conn: &mut SqliteConnection, user: UserId) -> Result<u32, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM passkeys WHERE user_id = ?")
        .bind(user.uuid())
        .fetch_one(conn)
        .await
}

#[async_trait]
impl Transaction for NewPasskey {
    type Outcome = AddedPasskey;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<AddedPasskey, sqlx::Error> {
        let owned: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND erased_at IS NULL)")
                .bind(self.user.uuid())
                .fetch_one(&mut *conn)
                .await?;
        if !owned {
            return Ok(AddedPasskey::NoAccount);
        }
        if count(conn, self.user).await? >= self.most {
            return Ok(AddedPasskey::TooMany);
        }
        let added = sqlx::query(
            "INSERT INTO passkeys (id, credential_id, user_id, name, credential, created_at) \
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(self.id.uuid())
        .bind(self.credential_id.clone())
        .bind(self.user.uuid())
        .bind(self.name.clone())
        .bind(self.credential.clone())
        .bind(self.at.as_microsecond())
        .execute(&mut *conn)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(AddedPasskey::Known);
        }
        audit::write(conn, &self.trail).await?;
        Ok(AddedPasskey::Done)
    }
}

#[async_trait]
impl Transaction for UsedPasskey {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let used = sqlx::query(
            "UPDATE passkeys SET credential = ?1, counter = ?2, last_used_at = ?3 \
             WHERE id = ?4 AND (counter < ?2 OR (counter = 0 AND ?2 = 0))",
        )
        .bind(self.credential.clone())
        .bind(self.counter)
        .bind(self.at.as_microsecond())
        .bind(self.id.uuid())
        .execute(conn)
        .await?;
        Ok(used.rows_affected() == 1)
    }
}

#[async_trait]
impl Transaction for RemovePasskey {
    type Outcome = RemovedPasskey;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<RemovedPasskey, sqlx::Error> {
        let own: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM passkeys WHERE id = ? AND user_id = ?)")
                .bind(self.id.uuid())
                .bind(self.user.uuid())
                .fetch_one(&mut *conn)
                .await?;
        if !own {
            return Ok(RemovedPasskey::Missing);
        }
        let password: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND password IS NOT NULL)")
                .bind(self.user.uuid())
                .fetch_one(&mut *conn)
                .await?;
        if !password && count(conn, self.user).await? < 2 {
            return Ok(RemovedPasskey::LastWayIn);
        }
        sqlx::query("DELETE FROM passkeys WHERE id = ?").bind(self.id.uuid()).execute(&mut *conn).await?;
        audit::write(conn, &self.trail).await?;
        Ok(RemovedPasskey::Done)
    }
}
