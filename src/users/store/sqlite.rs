//! Accounts and keys in a SQLite file.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use crate::kit::auth::Principal;
use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::{Apply, Database, Migration, OnMigration, Options};
use crate::users::store::{NewAccount, UserStore};

/// The schema of `users.db`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "keys",
    sql: include_str!("../../../migrations/sqlite/users/0001_keys.sql"),
}];

/// Accounts and keys in one file.
#[derive(Debug)]
pub struct SqliteUsers {
    database: Database<Accounts>,
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
        Ok(Self { database: Database::open(options, MIGRATIONS, Accounts, clock, on_migration).await? })
    }
}

#[derive(Debug)]
struct Accounts;

#[async_trait]
impl Apply for Accounts {
    type Op = NewAccount;
    type Reply = ();

    async fn apply(
        &mut self,
        conn: &mut SqliteConnection,
        batch: &[NewAccount],
    ) -> Result<Vec<()>, sqlx::Error> {
        for account in batch {
            let created_at = account.created_at.as_microsecond();
            sqlx::query("INSERT INTO users (id, name, created_at) VALUES (?, ?, ?)")
                .bind(account.user_id.uuid())
                .bind(account.name.clone())
                .bind(created_at)
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "INSERT INTO api_keys (id, user_id, name, hash, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(account.key_id.uuid())
            .bind(account.user_id.uuid())
            .bind("first key")
            .bind(account.hash.to_vec())
            .bind(serde_json::to_string(&account.scopes).unwrap_or_default())
            .bind(created_at)
            .execute(&mut *conn)
            .await?;
        }
        Ok(vec![(); batch.len()])
    }
}

#[async_trait]
impl UserStore for SqliteUsers {
    async fn by_key(&self, hash: &[u8; 32]) -> Result<Option<Principal>, StorageError> {
        let mut conn = self.database.read().await?;
        let row = sqlx::query(
            "SELECT api_keys.id, user_id, users.name, scopes FROM api_keys JOIN users ON users.id = user_id WHERE hash = ?",
        )
        .bind(hash.to_vec())
        .fetch_optional(&mut *conn)
        .await
        .map_err(|error| self.database.error(&error))?;
        let principal = |row: sqlx::sqlite::SqliteRow| {
            Ok(Principal {
                key_id: row.try_get::<Uuid, _>(0)?.into(),
                user_id: row.try_get::<Uuid, _>(1)?.into(),
                name: row.try_get(2)?,
                scopes: serde_json::from_str(row.try_get(3)?)
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            })
        };
        row.map(principal).transpose().map_err(|error| self.database.error(&error))
    }

    async fn has_keys(&self) -> Result<bool, StorageError> {
        let mut conn = self.database.read().await?;
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM api_keys)")
            .fetch_one(&mut *conn)
            .await
            .map_err(|error| self.database.error(&error))
    }

    async fn add(&self, account: NewAccount) -> Result<(), StorageError> {
        self.database.write(account).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.database.check().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}
