//! Second factors.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{SqliteUsers, audit};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::store::{DisableTotp, EnableTotp, Hash, RenewRecoveryCodes, SecondFactorStore};

#[async_trait]
impl SecondFactorStore for SqliteUsers {
    async fn enable_totp(&self, enable: EnableTotp) -> Result<bool, StorageError> {
        self.database.transact(enable).await
    }

    async fn disable_totp(&self, disable: DisableTotp) -> Result<bool, StorageError> {
        self.database.transact(disable).await
    }

    async fn use_totp_step(&self, user: UserId, step: u64) -> Result<bool, StorageError> {
        self.database.transact(UseStep { user, step }).await
    }

    async fn use_recovery_code(
        &self,
        user: UserId,
        hash: &Hash,
        at: Timestamp,
    ) -> Result<bool, StorageError> {
        self.database.transact(UseRecoveryCode { user, hash: *hash, at }).await
    }

    async fn renew_recovery_codes(&self, renew: RenewRecoveryCodes) -> Result<bool, StorageError> {
        self.database.transact(renew).await
    }
}

#[async_trait]
impl Transaction for EnableTotp {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let enabled = sqlx::query(
            "UPDATE users SET totp = ?, totp_step = ?, version = version + 1, updated_at = ? \
             WHERE id = ? AND totp IS NULL AND erased_at IS NULL",
        )
        .bind(self.secret.clone())
        .bind(self.step.cast_signed())
        .bind(self.at.as_microsecond())
        .bind(self.user.uuid())
        .execute(&mut *conn)
        .await?;
        if enabled.rows_affected() == 0 {
            return Ok(false);
        }
        replace_codes(conn, self.user, &self.recovery).await?;
        audit::write(conn, &self.trail).await?;
        Ok(true)
    }
}

#[async_trait]
impl Transaction for DisableTotp {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let disabled = sqlx::query(
            "UPDATE users SET totp = NULL, version = version + 1, updated_at = ? \
             WHERE id = ? AND totp IS NOT NULL",
        )
        .bind(self.at.as_microsecond())
        .bind(self.user.uuid())
        .execute(&mut *conn)
        .await?;
        if disabled.rows_affected() == 0 {
            return Ok(false);
        }
        replace_codes(conn, self.user, &[]).await?;
        audit::write(conn, &self.trail).await?;
        Ok(true)
    }
}

#[async_trait]
impl Transaction for RenewRecoveryCodes {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let enabled: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND totp IS NOT NULL)")
                .bind(self.user.uuid())
                .fetch_one(&mut *conn)
                .await?;
        if enabled {
            replace_codes(conn, self.user, &self.recovery).await?;
            audit::write(conn, &self.trail).await?;
        }
        Ok(enabled)
    }
}

async fn replace_codes(
    conn: &mut SqliteConnection,
    user: UserId,
    hashes: &[Hash],
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM recovery_codes WHERE user_id = ?").bind(user.uuid()).execute(&mut *conn).await?;
    for hash in hashes {
        sqlx::query("INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)")
            .bind(user.uuid())
            .bind(hash.to_vec())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

struct UseStep {
    user: UserId,
    step: u64,
}

#[async_trait]
impl Transaction for UseStep {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let step = self.step.cast_signed();
        let used = sqlx::query(
            "UPDATE users SET totp_step = ?1 WHERE id = ?2 AND totp IS NOT NULL AND totp_step < ?1",
        )
        .bind(step)
        .bind(self.user.uuid())
        .execute(conn)
        .await?;
        Ok(used.rows_affected() == 1)
    }
}

struct UseRecoveryCode {
    user: UserId,
    hash: Hash,
    at: Timestamp,
}

#[async_trait]
impl Transaction for UseRecoveryCode {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let used = sqlx::query(
            "UPDATE recovery_codes SET used_at = ? WHERE user_id = ? AND hash = ? AND used_at IS NULL",
        )
        .bind(self.at.as_microsecond())
        .bind(self.user.uuid())
        .bind(self.hash.to_vec())
        .execute(conn)
        .await?;
        Ok(used.rows_affected() == 1)
    }
}
