//! What else is kept of a person.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::SqliteUsers;
use super::rows::instant;
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::users::store::{Passkey, PersonalStore};

#[async_trait]
impl PersonalStore for SqliteUsers {
    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StorageError> {
        let mut conn = self.database.read().await?;
        let rows = sqlx::query(
            "SELECT id, name, created_at, last_used_at FROM passkeys WHERE user_id = ? ORDER BY created_at, id",
        )
        .bind(user.uuid())
        .fetch_all(&mut *conn)
        .await
        .map_err(self.sort())?;
        rows.iter().map(passkey).collect::<Result<_, _>>().map_err(self.sort())
    }
}

fn passkey(row: &SqliteRow) -> Result<Passkey, sqlx::Error> {
    Ok(Passkey {
        id: row.try_get::<Uuid, _>(0)?.into(),
        name: row.try_get(1)?,
        created_at: instant(row.try_get(2)?)?,
        last_used_at: row.try_get::<Option<i64>, _>(3)?.map(instant).transpose()?,
    })
}
