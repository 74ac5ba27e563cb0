//! All of it in a MongoDB database.
//!
//! What touches several documents is one transaction of the replica set, and so is every change with its
//! entry in the trail; where one document is enough, one is changed. Transactions see a snapshot each, so
//! two of them may both find that the other's document is as it should be: what only the two together
//! would break is kept by a document that both write (the guard of an account, a counter), and the later
//! one is done again.
//!
//! The database is not to be sharded: an address is unique among all accounts, which a sharded collection
//! cannot promise.
//!
//! What expires has a date in `gone_at`, at which the server removes it by its own clock.

mod accounts;
mod audit;
mod change;
mod document;
mod erase;
mod keys;
mod list;
mod one_time;
mod passkeys;
mod portable;
mod query;
mod refresh;
mod roles;
mod second_factor;
mod sessions;
#[cfg(test)]
mod tests;
mod trust;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;

use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::migration::{Migration, OnMigration};
use crate::kit::storage::mongo::{Mongo, MongoOptions, Session, Transaction, date, micros};
use crate::users::store::UserStore;

/// The schema of `voicera_users`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "accounts",
    body: include_str!("../../../../migrations/mongodb/users/0001_accounts.json"),
}];

const USERS: &str = "users";
const ERASED: &str = "erased_users";
const ROLES: &str = "roles";
const KEYS: &str = "api_keys";
const SESSIONS: &str = "sessions";
const SPENT: &str = "spent_tokens";
const ONE_TIME: &str = "one_time_tokens";
const PASSKEYS: &str = "passkeys";
const SIGNING_KEYS: &str = "signing_keys";
const REVOCATIONS: &str = "revocations";
const AUDIT: &str = "audit";
const ERASURES: &str = "erasures";
const COUNTERS: &str = "counters";

/// Updates that go to the server in one call.
const AT_ONCE: usize = 500;

/// Accounts and all that belongs to them in one database.
#[derive(Debug)]
pub struct MongoUsers {
    mongo: Mongo,
}

impl MongoUsers {
    /// Opens the database and brings it up to date, now or as soon as its server is there.
    ///
    /// # Errors
    /// Those of [`Mongo::open`]; [`StorageError::Alone`] for a server without transactions.
    pub async fn open(
        options: &MongoOptions,
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        let options = MongoOptions { needs_transactions: true, ..options.clone() };
        Ok(Self { mongo: Mongo::open(&options, MIGRATIONS, clock, on_migration).await? })
    }

    async fn transact<T: Transaction>(&self, transaction: &T) -> Result<T::Outcome, StorageError> {
        self.mongo.transact(transaction).await
    }

    /// What came of reading a document.
    fn read<T>(&self, read: Result<T, Error>) -> Result<T, StorageError> {
        read.map_err(|error| self.mongo.error(&error))
    }

    /// Updates of documents that have nothing to do with each other.
    async fn update_each(&self, collection: &str, updates: &[Document]) -> Result<(), StorageError> {
        for some in updates.chunks(AT_ONCE) {
            let command = doc! {
                "update": collection,
                "updates": some,
                "ordered": false,
                "writeConcern": { "w": "majority" },
            };
            self.mongo.run(async { self.mongo.database().run_command(command).await }).await?;
        }
        Ok(())
    }

    /// Removes what is to be gone by `now`; the server may have done so already.
    async fn remove_gone(&self, collection: &str, now: Timestamp) -> Result<u64, StorageError> {
        let documents = self.mongo.collection::<Document>(collection);
        let gone = doc! { "gone_at": { "$lte": date(now) } };
        Ok(self.mongo.run(async { documents.delete_many(gone).await }).await?.deleted_count)
    }
}

/// Moves the counter of `name`, so that no two transactions that do so pass each other by; answers
/// where it stands then.
async fn count(session: &mut Session, name: &str, by: i64) -> Result<i64, Error> {
    let moved = doc! { "q": { "_id": name }, "u": { "$inc": { "value": by } }, "upsert": true };
    session.update(COUNTERS, vec![moved]).await?;
    let counter: Option<Document> = session.find_one(COUNTERS, doc! { "_id": name }).await?;
    counter
        .and_then(|counter| counter.get_i64("value").ok())
        .ok_or_else(|| Error::custom(format!("the counter {name} is not there")))
}

#[async_trait]
impl UserStore for MongoUsers {
    async fn check(&self) -> Result<(), StorageError> {
        self.mongo.check().await
    }

    async fn prune(&self, now: Timestamp) -> Result<u64, StorageError> {
        let mut gone = 0;
        for collection in [SESSIONS, SPENT, ONE_TIME, REVOCATIONS, SIGNING_KEYS, KEYS] {
            gone += self.remove_gone(collection, now).await?;
        }
        // A session that is over says for a while yet which networks its owner uses, and nothing else.
        let sessions = self.mongo.collection::<Document>(SESSIONS);
        let over = doc! { "expires_at": { "$lte": micros(now) }, "current": { "$exists": true } };
        let tokens = doc! { "$unset": { "current": "", "previous": "" } };
        let emptied = self.mongo.run(async { sessions.update_many(over, tokens).await }).await?;
        Ok(gone + emptied.modified_count)
    }

    async fn close(&self) {
        self.mongo.close().await;
    }
}
