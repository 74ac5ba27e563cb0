//! Accounts: looked up, added, changed.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::SqliteUsers;
use super::rows::{ACCOUNT, ACCOUNT_COLUMNS, account, revoke, to_json};
use super::{audit, list};
use crate::kit::ids::{SessionId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::account::{Account, Email, Status, folded};
use crate::users::roles::ADMIN;
use crate::users::store::{
    AccountPage, AccountQuery, AccountStats, AccountStore, Added, Change, ChangeAccount, Changed,
    Description, DueErasure, EraseAccount, Login, NewAccount, Within,
};

/// The account of an id that `within` covers; erased ones are not there.
pub(super) async fn find(
    conn: &mut SqliteConnection,
    id: UserId,
    within: &Within,
) -> Result<Option<Account>, sqlx::Error> {
    let (condition, institution, only) = match within {
        Within::Everyone => ("", None, None),
        Within::Institution(name) => (" AND institution = ?2", Some(name.clone()), None),
        Within::Only(user) => (" AND id = ?3", None, Some(user.uuid())),
    };
    let sql = format!("SELECT {ACCOUNT} FROM users WHERE id = ?1 AND erased_at IS NULL{condition}");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(id.uuid())
        .bind(institution)
        .bind(only)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(account).transpose()
}

fn login(row: &SqliteRow) -> Result<Login, sqlx::Error> {
    Ok(Login {
        account: account(row)?,
        password: row.try_get(ACCOUNT_COLUMNS)?,
        totp: row.try_get(ACCOUNT_COLUMNS + 1)?,
    })
}

#[async_trait]
impl AccountStore for SqliteUsers {
    async fn account(&self, id: UserId, within: &Within) -> Result<Option<Account>, StorageError> {
        let mut conn = self.database.read().await?;
        find(&mut conn, id, within).await.map_err(self.sort())
    }

    async fn by_email(&self, email: &Email) -> Result<Option<Login>, StorageError> {
        let mut conn = self.database.read().await?;
        let sql = format!(
            "SELECT {ACCOUNT}, users.password, users.totp FROM users WHERE email_key = ? AND erased_at IS NULL"
        );
        let row = sqlx::query(AssertSqlSafe(sql)).bind(email.key().to_owned()).fetch_optional(&mut *conn);
        row.await.and_then(|row| row.as_ref().map(login).transpose()).map_err(self.sort())
    }

    async fn login(&self, id: UserId) -> Result<Option<Login>, StorageError> {
        let mut conn = self.database.read().await?;
        let sql = format!(
            "SELECT {ACCOUNT}, users.password, users.totp FROM users WHERE id = ? AND erased_at IS NULL"
        );
        let row = sqlx::query(AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(&mut *conn);
        row.await.and_then(|row| row.as_ref().map(login).transpose()).map_err(self.sort())
    }

    async fn accounts(&self, query: AccountQuery) -> Result<AccountPage, StorageError> {
        let mut conn = self.database.read().await?;
        list::page(&mut conn, &query).await.map_err(self.sort())
    }

    async fn account_stats(&self, within: &Within) -> Result<AccountStats, StorageError> {
        let mut conn = self.database.read().await?;
        list::stats(&mut conn, within).await.map_err(self.sort())
    }

    async fn add_account(&self, account: NewAccount) -> Result<Added, StorageError> {
        self.database.transact(account).await
    }

    async fn change_account(&self, change: ChangeAccount) -> Result<Changed, StorageError> {
        self.database.transact(change).await
    }

    async fn touch_accounts(&self, seen: Vec<(UserId, Timestamp)>) -> Result<(), StorageError> {
        self.database.transact(Touch(seen)).await
    }

    async fn erase_account(&self, erase: EraseAccount) -> Result<Changed, StorageError> {
        self.database.transact(erase).await
    }

    async fn due_erasures(&self, now: Timestamp, limit: u32) -> Result<Vec<DueErasure>, StorageError> {
        let mut conn = self.database.read().await?;
        super::erase::due(&mut conn, now, limit).await.map_err(self.sort())
    }

    async fn settle_erasure(&self, user: UserId, due_again: Option<Timestamp>) -> Result<(), StorageError> {
        self.database.transact(super::erase::Settle { user, due_again }).await
    }
}

#[async_trait]
impl Transaction for NewAccount {
    type Outcome = Added;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<Added, sqlx::Error> {
        let at = self.at.as_microsecond();
        let added = sqlx::query(
            "INSERT INTO users (id, kind, name, name_key, email, email_key, email_verified_at, password, status, \
             role, institution, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(self.id.uuid())
        .bind(self.kind.as_str())
        .bind(self.name.clone())
        .bind(folded(&self.name))
        .bind(self.email.as_ref().map(|email| email.as_str().to_owned()))
        .bind(self.email.as_ref().map(|email| email.key().to_owned()))
        .bind(self.email_verified.then_some(at))
        .bind(self.password.clone())
        .bind(self.status.as_str())
        .bind(self.role.clone())
        .bind(self.institution.clone())
        .bind(at)
        .bind(at)
        .execute(&mut *conn)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(Added::EmailTaken);
        }
        audit::write(conn, &self.trail).await?;
        Ok(Added::Done)
    }
}

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
        if let Change::Role(role) = &self.change
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
                // What was begun with the old password must not be finished.
                sqlx::query("UPDATE users SET epoch = epoch + 1 WHERE id = ?")
                    .bind(self.id.uuid())
                    .execute(&mut *conn)
                    .await?;
                sqlx::query("DELETE FROM one_time_tokens WHERE user_id = ? AND purpose <> 'verify'")
                    .bind(self.id.uuid())
                    .execute(&mut *conn)
                    .await?;
                self.end_sessions(conn, *keep).await?;
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

struct Touch(Vec<(UserId, Timestamp)>);

#[async_trait]
impl Transaction for Touch {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for (user, at) in &self.0 {
            sqlx::query(
                "UPDATE users SET last_active_at = max(?, coalesce(last_active_at, 0)) \
                 WHERE id = ? AND erased_at IS NULL",
            )
            .bind(at.as_microsecond())
            .bind(user.uuid())
            .execute(&mut *conn)
            .await?;
        }
        Ok(())
    }
}
