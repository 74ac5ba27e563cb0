//! Forgetting who an account belonged to.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::accounts::find;
use super::audit;
use super::change::is_last_admin;
use super::rows::revoke;
use crate::kit::ids::UserId;
use crate::kit::storage::sqlite::Transaction;
use crate::users::store::{Changed, DueErasure, EraseAccount, RemoveAccount};

#[async_trait]
impl Transaction for EraseAccount {
    type Outcome = Changed;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<Changed, sqlx::Error> {
        let Some(before) = find(conn, self.id, &self.within).await? else { return Ok(Changed::Missing) };
        if self.if_version.is_some_and(|version| version != before.version) {
            return Ok(Changed::Stale);
        }
        if is_last_admin(conn, &before, self.at).await? {
            return Ok(Changed::LastAdmin);
        }
        let id = self.id.uuid();
        // Sessions and keys go with their rows: the account itself is refused from now on.
        revoke(conn, id, None, self.at).await?;
        for table in ["sessions", "api_keys", "one_time_tokens", "recovery_codes", "passkeys"] {
            let delete = format!("DELETE FROM {table} WHERE user_id = ?");
            sqlx::query(sqlx::AssertSqlSafe(delete)).bind(id).execute(&mut *conn).await?;
        }
        sqlx::query(
            "UPDATE users SET name = '', name_key = '', email = NULL, email_key = NULL, email_verified_at = NULL, \
             password = NULL, status = 'inactive', institution = NULL, avatar = NULL, preferences = '{}', \
             profile = '{}', metadata = '{}', totp = NULL, last_active_at = NULL, epoch = epoch + 1, \
             version = version + 1, updated_at = ?1, erased_at = ?1 WHERE id = ?2",
        )
        .bind(self.at.as_microsecond())
        .bind(id)
        .execute(&mut *conn)
        .await?;
        sqlx::query("INSERT OR REPLACE INTO erasures (user_id, due_at) VALUES (?, ?)")
            .bind(id)
            .bind(self.due_at.as_microsecond())
            .execute(&mut *conn)
            .await?;
        audit::write(conn, &self.trail).await?;
        Ok(Changed::Done(Box::new(before)))
    }
}

/// Removing accounts that never were anybody's.
pub(super) struct Remove(pub(super) Vec<RemoveAccount>);

#[async_trait]
impl Transaction for Remove {
    type Outcome = u64;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let mut gone = 0;
        for RemoveAccount { id, if_version, trail } in &self.0 {
            let removed = sqlx::query("DELETE FROM users WHERE id = ? AND version = ? AND erased_at IS NULL")
                .bind(id.uuid())
                .bind(if_version.cast_signed())
                .execute(&mut *conn)
                .await?;
            if removed.rows_affected() == 1 {
                audit::write(conn, trail).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}

/// The erasures that are due.
pub(super) async fn due(
    conn: &mut SqliteConnection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<DueErasure>, sqlx::Error> {
    let rows = sqlx::query("SELECT user_id, passes FROM erasures WHERE due_at <= ? ORDER BY due_at LIMIT ?")
        .bind(now.as_microsecond())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| Ok(DueErasure { user: row.try_get::<Uuid, _>(0)?.into(), passes: row.try_get(1)? }))
        .collect()
}

/// How an erasure went on.
pub(super) struct Settle {
    pub(super) user: UserId,
    pub(super) due_again: Option<Timestamp>,
}

#[async_trait]
impl Transaction for Settle {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        match self.due_again {
            Some(at) => sqlx::query("UPDATE erasures SET due_at = ?, passes = passes + 1 WHERE user_id = ?")
                .bind(at.as_microsecond())
                .bind(self.user.uuid()),
            None => sqlx::query("DELETE FROM erasures WHERE user_id = ?").bind(self.user.uuid()),
        }
        .execute(conn)
        .await
        .map(drop)
    }
}
