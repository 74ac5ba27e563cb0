//! Changes to one account.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::accounts::find;
use super::audit;
use super::rows::{revoke, to_json};
use crate::kit::ids::SessionId;
use crate::kit::storage::sqlite::Transaction;
use crate::users::account::{Account, Status, folded};
use crate::users::roles::ADMIN;
use crate::users::store::{Change, ChangeAccount, Changed, Description, Within};

#[async_trait]
impl Transaction for ChangeAccount {
    type Outcome = Changed;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<Changed, sqlx::Error> {
        let Some(before) = find(conn, self.id, &self.within).await? else { return Ok(Changed::Missing) };
        if self.if_version.is_some_and(|version| version != before.version) {
            return Ok(Changed::Stale);
        }
        if self.leaves_no_admin(conn, &before).await? {
            return Ok(Changed::LastAdmin);
        }
        if let Change::Role(role) | Change::TakeOver { role, .. } = &self.change
            && !has_role(conn, role).await?
        {
            return Ok(Changed::NoSuchRole);
        }
        self.apply(conn, &before).await?;
        let after = find(conn, self.id, &Within::Everyone).await?.ok_or(sqlx::Error::RowNotFound)?;
        if after.epoch != before.epoch {
            revoke(conn, self.id.uuid(), Some(after.epoch), self.at).await?;
        }
        if !matches!(self.change, Change::Rehash(_)) {
            audit::write(conn, &self.trail).await?;
        }
        Ok(Changed::Done(Box::new(after)))
    }
}

impl ChangeAccount {
    /// Whether this takes away the last active account that may do everything.
    async fn leaves_no_admin(
        &self,
        conn: &mut SqliteConnection,
        before: &Account,
    ) -> Result<bool, sqlx::Error> {
        let takes_away = match &self.change {
            Change::Role(role) => role != ADMIN,
            Change::Status(status) => *status != Status::Active,
            Change::ResetSecondFactor => !gets_in_without_passkey(conn, before, self.at).await?,
            _ => false,
        };
        Ok(takes_away && is_last_admin(conn, before, self.at).await?)
    }

    async fn apply(&self, conn: &mut SqliteConnection, before: &Account) -> Result<(), sqlx::Error> {
        match &self.change {
            Change::Describe(description) => describe(conn, before, description).await?,
            Change::Role(role) => {
                sqlx::query("UPDATE users SET role = ?, epoch = epoch + 1 WHERE id = ?")
                    .bind(role.clone())
                    .bind(self.id.uuid())
                    .execute(&mut *conn)
                    .await?;
            }
            Change::Status(status) => {
                sqlx::query("UPDATE users SET status = ?, epoch = epoch + 1 WHERE id = ?")
                    .bind(status.as_str())
                    .bind(self.id.uuid())
                    .execute(&mut *conn)
                    .await?;
                if *status != Status::Active {
                    self.end_sessions(conn, None).await?;
                }
            }
            Change::Password { hash, keep } => {
                self.set_password(conn, hash).await?;
                self.end_what_was_begun(conn, *keep).await?;
            }
            Change::TakeOver { hash, role, institution } => {
                self.set_password(conn, hash).await?;
                self.end_what_was_begun(conn, None).await?;
                sqlx::query(
                    "UPDATE users SET role = ?, institution = ?, email_verified_at = ?, status = 'active' \
                     WHERE id = ?",
                )
                .bind(role.clone())
                .bind(institution.clone())
                .bind(self.at.as_microsecond())
                .bind(self.id.uuid())
                .execute(&mut *conn)
                .await?;
            }
            Change::ResetSecondFactor => {
                sqlx::query("UPDATE users SET totp = NULL WHERE id = ?")
                    .bind(self.id.uuid())
                    .execute(&mut *conn)
                    .await?;
                for table in ["recovery_codes", "passkeys"] {
                    let delete = format!("DELETE FROM {table} WHERE user_id = ?");
                    sqlx::query(AssertSqlSafe(delete)).bind(self.id.uuid()).execute(&mut *conn).await?;
                }
                self.end_what_was_begun(conn, None).await?;
            }
            Change::Rehash(hash) => return self.set_password(conn, hash).await,
            Change::Verified => {
                sqlx::query(
                    "UPDATE users SET email_verified_at = ?, \
                     status = CASE status WHEN 'pending' THEN 'active' ELSE status END WHERE id = ?",
                )
                .bind(self.at.as_microsecond())
                .bind(self.id.uuid())
                .execute(&mut *conn)
                .await?;
            }
        }
        sqlx::query("UPDATE users SET version = version + 1, updated_at = ? WHERE id = ?")
            .bind(self.at.as_microsecond())
            .bind(self.id.uuid())
            .execute(conn)
            .await
            .map(drop)
    }

    async fn set_password(&self, conn: &mut SqliteConnection, hash: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE users SET password = ? WHERE id = ?")
            .bind(hash.to_owned())
            .bind(self.id.uuid())
            .execute(conn)
            .await
            .map(drop)
    }

    /// What was begun with other credentials must not be finished.
    async fn end_what_was_begun(
        &self,
        conn: &mut SqliteConnection,
        keep: Option<SessionId>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE users SET epoch = epoch + 1 WHERE id = ?")
            .bind(self.id.uuid())
            .execute(&mut *conn)
            .await?;
        sqlx::query("DELETE FROM one_time_tokens WHERE user_id = ? AND purpose <> 'verify'")
            .bind(self.id.uuid())
            .execute(&mut *conn)
            .await?;
        self.end_sessions(conn, keep).await
    }

    async fn end_sessions(
        &self,
        conn: &mut SqliteConnection,
        keep: Option<SessionId>,
    ) -> Result<(), sqlx::Error> {
        super::sessions::end(conn, self.id, None, keep, self.trail.action.as_str(), self.at).await.map(drop)
    }
}

async fn has_role(conn: &mut SqliteConnection, role: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM roles WHERE name = ?)")
        .bind(role.to_owned())
        .fetch_one(conn)
        .await
}

/// Whether somebody can get into an account that has no passkeys.
async fn gets_in_without_passkey(
    conn: &mut SqliteConnection,
    account: &Account,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM users u WHERE u.id = ?1 AND (u.password IS NOT NULL \
         OR EXISTS (SELECT 1 FROM api_keys k WHERE k.user_id = u.id AND k.revoked_at IS NULL \
         AND k.scopes IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?2))))",
    )
    .bind(account.id.uuid())
    .bind(now.as_microsecond())
    .fetch_one(conn)
    .await
}

/// Whether this is the only active account of the role that may do everything.
pub(super) async fn is_last_admin(
    conn: &mut SqliteConnection,
    account: &Account,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    if account.role != ADMIN || account.status != Status::Active {
        return Ok(false);
    }
    // One that nobody can get into any more is none.
    let others: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM users u WHERE u.role = ?1 AND u.status = 'active' \
         AND u.erased_at IS NULL AND u.id <> ?2 AND (u.password IS NOT NULL \
         OR EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = u.id) \
         OR EXISTS (SELECT 1 FROM api_keys k WHERE k.user_id = u.id AND k.revoked_at IS NULL \
         AND k.scopes IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?3))))",
    )
    .bind(ADMIN)
    .bind(account.id.uuid())
    .bind(now.as_microsecond())
    .fetch_one(conn)
    .await?;
    Ok(!others)
}

async fn describe(
    conn: &mut SqliteConnection,
    before: &Account,
    new: &Description,
) -> Result<(), sqlx::Error> {
    let institution = new.institution.clone().unwrap_or_else(|| before.institution.clone());
    let moved = i64::from(institution != before.institution);
    let name = new.name.clone().unwrap_or_else(|| before.name.clone());
    sqlx::query(
        "UPDATE users SET name = ?, name_key = ?, avatar = ?, preferences = ?, profile = ?, metadata = ?, institution = ?, \
         epoch = epoch + ? WHERE id = ?",
    )
    .bind(name.clone())
    .bind(folded(&name))
    .bind(new.avatar.clone().unwrap_or_else(|| before.avatar.clone()))
    .bind(to_json(new.preferences.as_ref().unwrap_or(&before.preferences))?)
    .bind(to_json(new.profile.as_ref().unwrap_or(&before.profile))?)
    .bind(to_json(new.metadata.as_ref().unwrap_or(&before.metadata))?)
    .bind(institution)
    .bind(moved)
    .bind(before.id.uuid())
    .execute(conn)
    .await
    .map(drop)
}
