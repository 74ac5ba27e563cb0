//! All of it in a SQLite file.

mod accounts;
mod audit;
mod change;
mod erase;
mod keys;
mod list;
mod one_time;
mod passkeys;
mod portable;
mod roles;
mod rows;
mod second_factor;
mod sessions;
#[cfg(test)]
mod tests;
mod trust;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::{Database, Migration, OnMigration, Options, Transaction, Transactions};
use crate::users::store::{KEYS_KEPT_FOR, NETWORKS_KNOWN_FOR, UserStore};

/// The schema of `users.db`.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "keys",
        body: include_str!("../../../../migrations/sqlite/users/0001_keys.sql"),
    },
    Migration {
        version: 2,
        name: "accounts",
        body: include_str!("../../../../migrations/sqlite/users/0002_accounts.sql"),
    },
    Migration {
        version: 3,
        name: "names and keys",
        body: include_str!("../../../../migrations/sqlite/users/0003_names_and_keys.sql"),
    },
    Migration {
        version: 4,
        name: "unverified",
        body: include_str!("../../../../migrations/sqlite/users/0004_unverified.sql"),
    },
];

/// Accounts and all that belongs to them in one file.
#[derive(Debug)]
pub struct SqliteUsers {
    database: Database<Transactions>,
}

impl SqliteUsers {
    /// Opens or creates the file and brings it up to date.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn open(
        options: &Options,
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        Ok(Self { database: Database::open(options, MIGRATIONS, Transactions, clock, on_migration).await? })
    }

    fn sort(&self) -> impl Fn(sqlx::Error) -> StorageError + '_ {
        |error| self.database.error(&error)
    }
}

#[async_trait]
impl UserStore for SqliteUsers {
    async fn check(&self) -> Result<(), StorageError> {
        self.database.check().await
    }

    async fn prune(&self, now: Timestamp) -> Result<u64, StorageError> {
        let mut gone = self.database.transact(Prune(now)).await?;
        let ended = now.saturating_sub(KEYS_KEPT_FOR).unwrap_or(Timestamp::MIN);
        loop {
            let batch = self.database.transact(keys::Prune(ended)).await?;
            gone += batch;
            if batch == 0 {
                return Ok(gone);
            }
        }
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

/// Removes what has expired.
struct Prune(Timestamp);

#[async_trait]
impl Transaction for Prune {
    type Outcome = u64;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let now = self.0.as_microsecond();
        // A session that is over says for a while yet which networks its owner uses.
        let long_ago = self.0.saturating_sub(NETWORKS_KNOWN_FOR).unwrap_or(Timestamp::MIN).as_microsecond();
        let mut gone = sqlx::query("DELETE FROM sessions WHERE expires_at <= ? AND last_seen_at <= ?")
            .bind(now)
            .bind(long_ago)
            .execute(&mut *conn)
            .await?
            .rows_affected();
        for statement in [
            "DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE expires_at <= ?)",
            "DELETE FROM one_time_tokens WHERE expires_at <= ?",
            "DELETE FROM revocations WHERE expires_at <= ?",
            "DELETE FROM signing_keys WHERE expires_at <= ?",
        ] {
            gone += sqlx::query(statement).bind(now).execute(&mut *conn).await?.rows_affected();
        }
        Ok(gone)
    }
}
