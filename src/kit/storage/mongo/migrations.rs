//! How a database's schema is brought up to date, by one process at a time.
//!
//! A migration is a JSON list of MongoDB's own commands, run in order. The server can't undo half of
//! one, so each command has to be such that it may be run again: `create` of a collection that is there
//! gives it the validator instead, `drop` and `dropIndexes` of what is gone are done.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::Database;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};

use super::{Mongo, error, values};
use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::migration::{Applied, Migration, MigrationStep, OnMigration, Standing};

/// The collection that remembers what was done.
const LEDGER: &str = "migrations";
/// The collection of the one lock.
const LOCK: &str = "migration_lock";
/// How long a process that has died keeps others from migrating.
const LEASE: Duration = Duration::from_secs(30);
/// Between two looks at a lock that another holds.
const INTERVAL: Duration = Duration::from_millis(100);

/// A step in the ledger.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "_id")]
    version: i32,
    name: String,
    checksum: mongodb::bson::Binary,
    applied_at: DateTime,
}

/// The steps that the database has, in their order.
pub(super) async fn applied(database: &Database) -> Result<Vec<Applied>, Error> {
    let entries = database.collection::<Entry>(LEDGER).find(doc! {}).sort(doc! { "_id": 1 }).await?;
    entries
        .map(|entry| {
            let entry = entry?;
            Ok(Applied {
                version: u32::try_from(entry.version).map_err(Error::custom)?,
                name: entry.name,
                checksum: entry.checksum.bytes,
                at: jiff::Timestamp::from_millisecond(entry.applied_at.timestamp_millis())
                    .map_err(Error::custom)?,
            })
        })
        .try_collect()
        .await
}

/// Applies what the database lacks. While another process is at it, waits for that one.
pub(super) async fn run(
    mongo: &Mongo,
    list: &[Migration],
    clock: &SharedClock,
    on_migration: OnMigration<'_>,
) -> Result<(), StorageError> {
    if mongo.standing_now(list).await?.pending.is_empty() {
        return Ok(());
    }
    let lock = Lock::take(mongo).await?;
    let done = tokio::select! {
        done = apply(mongo, list, clock, on_migration) => done,
        lost = lock.hold() => Err(lost),
    };
    lock.release().await;
    done
}

async fn apply(
    mongo: &Mongo,
    list: &[Migration],
    clock: &SharedClock,
    on_migration: OnMigration<'_>,
) -> Result<(), StorageError> {
    // Another process may have done some of it while this one waited for the lock.
    let Standing { applied, pending, .. } = mongo.standing_now(list).await?;
    for (done, step) in list.iter().skip(applied.len()).enumerate() {
        on_migration(MigrationStep { done, total: pending.len(), name: step.name });
        for command in commands(step).map_err(|detail| rejected(mongo, detail))? {
            // An index of a large collection takes as long as it takes; that the server is there is
            // what holding the lock finds out.
            perform(mongo, command).await.map_err(|error| mongo.error(&error))?;
        }
        let entry = Entry {
            version: i32::try_from(step.version).map_err(|error| rejected(mongo, error.to_string()))?,
            name: step.name.to_owned(),
            checksum: values::binary(&step.checksum()),
            applied_at: DateTime::from_millis(clock.now().as_millisecond()),
        };
        let ledger = mongo.0.database.collection::<Entry>(LEDGER);
        let recorded = async {
            match ledger.insert_one(&entry).await {
                // By a process whose lease had ended, and which did it nevertheless.
                Err(error) if error::is_duplicate(&error) => Ok(()),
                other => other.map(drop),
            }
        };
        mongo.within(mongo.0.operation_timeout, recorded).await?;
    }
    Ok(())
}

fn rejected(mongo: &Mongo, detail: String) -> StorageError {
    StorageError::Rejected { place: mongo.0.place.clone(), detail }
}

/// The commands of a migration.
pub(super) fn commands(step: &Migration) -> Result<Vec<Document>, String> {
    serde_json::from_str(step.body)
        .map_err(|error| format!("migration {} is malformed: {error}", step.version))
}

async fn perform(mongo: &Mongo, mut command: Document) -> Result<(), Error> {
    command.insert("writeConcern", doc! { "w": "majority" });
    let name = command.keys().next().cloned().unwrap_or_default();
    let database = &mongo.0.database;
    match database.run_command(command.clone()).await {
        Ok(_) => Ok(()),
        Err(error) => match (name.as_str(), error::code(&error)) {
            // NamespaceExists
            ("create", Some(48)) => {
                let mut change = doc! { "collMod": command.get_str("create").map_err(Error::custom)? };
                let kept = ["validator", "validationLevel", "validationAction", "writeConcern"];
                change.extend(command.into_iter().filter(|(key, _)| kept.contains(&key.as_str())));
                database.run_command(change).await.map(drop)
            }
            // NamespaceNotFound, IndexNotFound
            ("drop" | "dropIndexes", Some(26 | 27)) => Ok(()),
            _ => Err(error),
        },
    }
}

/// The right to migrate, for as long as it is held on to. Its times are the server's.
struct Lock<'a> {
    mongo: &'a Mongo,
    holder: ObjectId,
}

impl<'a> Lock<'a> {
    /// # Errors
    /// [`StorageError::Busy`] when another process has it for longer than a call may take.
    async fn take(mongo: &'a Mongo) -> Result<Self, StorageError> {
        let lock = Self { mongo, holder: ObjectId::new() };
        let deadline = mongo.0.operation_timeout;
        let there = async {
            let free = doc! { "$setOnInsert": { "expires_at": DateTime::MIN } };
            match lock.collection().update_one(doc! { "_id": LOCK }, free).upsert(true).await {
                Err(error) if error::is_duplicate(&error) => Ok(()),
                other => other.map(drop),
            }
        };
        mongo.within(deadline, there).await?;
        let waited = async {
            while !lock.extend(doc! { "$expr": { "$lt": ["$expires_at", "$$NOW"] } }).await? {
                tokio::time::sleep(INTERVAL).await;
            }
            Ok(())
        };
        tokio::time::timeout(deadline, waited).await.unwrap_or_else(|_| {
            let detail = "another process is bringing the schema up to date".to_owned();
            Err(StorageError::Busy { place: mongo.0.place.clone(), detail })
        })?;
        Ok(lock)
    }

    fn collection(&self) -> mongodb::Collection<Document> {
        self.mongo.0.database.collection(LOCK)
    }

    /// Makes it this one's from now on for the time of a lease, if `condition` holds.
    async fn extend(&self, condition: Document) -> Result<bool, StorageError> {
        let mut filter = doc! { "_id": LOCK };
        filter.extend(condition);
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let until = doc! { "$add": ["$$NOW", lease] };
        let change = vec![doc! { "$set": { "holder": self.holder, "expires_at": until } }];
        let changed = async { self.collection().update_one(filter, change).await };
        Ok(self.mongo.within(self.mongo.0.operation_timeout, changed).await?.matched_count > 0)
    }

    /// Holds on to it until it is lost; answers why.
    async fn hold(&self) -> StorageError {
        loop {
            tokio::time::sleep(LEASE / 6).await;
            match self.extend(doc! { "holder": self.holder }).await {
                Ok(true) => {}
                Ok(false) => {
                    let detail = "another process has taken over bringing the schema up to date".to_owned();
                    return StorageError::Busy { place: self.mongo.0.place.clone(), detail };
                }
                Err(error) => return error,
            }
        }
    }

    async fn release(self) {
        let free = doc! { "$set": { "expires_at": DateTime::MIN } };
        let mine = doc! { "_id": LOCK, "holder": self.holder };
        let released = async { self.collection().update_one(mine, free).await };
        if let Err(error) = self.mongo.within(self.mongo.0.operation_timeout, released).await {
            tracing::warn!(%error, "the lock of the migrations was not released: it ends by itself");
        }
    }
}
