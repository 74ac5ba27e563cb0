//! Accounts: looked up and added.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::SqliteUsers;
use super::rows::{ACCOUNT, ACCOUNT_COLUMNS, account};
use super::{audit, list};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::account::{Account, Email, folded};
use crate::users::store::{
    AccountPage, AccountQuery, AccountStats, AccountStore, Added, ChangeAccount, Changed, DueErasure,
    EraseAccount, Login, NewAccount, RemoveAccount, Within,
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

    async fn unverified(&self, before: Timestamp, limit: u32) -> Result<Vec<Account>, StorageError> {
        let mut conn = self.database.read().await?;
        super::list::unverified(&mut conn, before, limit).await.map_err(self.sort())
    }

    async fn remove_accounts(&self, remove: Vec<RemoveAccount>) -> Result<u64, StorageError> {
        self.database.transact(super::erase::Remove(remove)).await
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
