//! The schemas of an installation's stores, looked at and brought up to date without opening the stores.

use super::StorageError;
use super::migration::{Migration, OnMigration, Standing};
use super::mongo::{Mongo, MongoOptions};
use super::sqlite;
use crate::kit::clock::SharedClock;

/// Where a store is, and how it is reached.
#[derive(Debug, Clone)]
pub enum Store {
    /// A file.
    Sqlite(sqlite::Options),
    /// A database on a server.
    Mongo(Box<MongoOptions>),
}

/// A store, and the steps that this binary has for it.
#[derive(Debug, Clone)]
pub struct Schema {
    /// What it is called to people: `voice`, `queue`.
    pub name: &'static str,
    /// Where it is.
    pub store: Store,
    /// In ascending order.
    pub migrations: &'static [Migration],
}

impl Schema {
    /// What the store has, and what it lacks. Changes nothing.
    ///
    /// # Errors
    /// Any [`StorageError`]; [`StorageError::Newer`] when a later binary has been here.
    pub async fn standing(&self) -> Result<Standing, StorageError> {
        match &self.store {
            Store::Sqlite(options) => sqlite::standing(&options.file, self.migrations).await,
            Store::Mongo(options) => Mongo::standing(options, self.migrations).await,
        }
    }

    /// Brings the store up to date, and makes it where there is none; says how it stands then.
    ///
    /// # Errors
    /// Those of [`Schema::standing`].
    pub async fn migrate(
        &self,
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Standing, StorageError> {
        match &self.store {
            Store::Sqlite(options) => sqlite::migrate(options, self.migrations, clock, on_migration).await,
            Store::Mongo(options) => Mongo::migrate(options, self.migrations, clock, on_migration).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::kit::clock::ManualClock;
    use crate::kit::storage::mongo::stage;

    const SQL: &[Migration] =
        &[Migration { version: 1, name: "words", body: "CREATE TABLE words (word TEXT) STRICT" }];
    const JSON: &[Migration] = &[Migration { version: 1, name: "words", body: r#"[{ "create": "words" }]"# }];

    #[tokio::test]
    async fn a_store_is_looked_at_without_being_made_and_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let clock: SharedClock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let file = folder.path().join("words.db");
        let sqlite = Store::Sqlite(sqlite::Options::new(&file));
        let mongo = Store::Mongo(Box::new(stage::on_replica_set().await));
        for (store, migrations) in [(sqlite, SQL), (mongo, JSON)] {
            let schema = Schema { name: "words", store, migrations };
            for _ in 0..2 {
                assert_eq!(schema.standing().await.unwrap().pending, [(1, "words")]);
                assert!(!file.exists() || migrations[0].body == JSON[0].body);
            }
            let standing = schema.migrate(&clock, &|step| assert_eq!(step.name, "words")).await.unwrap();
            assert_eq!((standing.applied.len(), standing.applied[0].at), (1, Timestamp::UNIX_EPOCH));
            let again = schema.migrate(&clock, &|_| panic!("there is nothing to do")).await.unwrap();
            assert_eq!(again, standing);
            assert_eq!(schema.standing().await.unwrap(), standing);
        }
    }
}
