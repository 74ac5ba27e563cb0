//! Everything carried to another store, and from one.

mod import;

use std::collections::BTreeMap;

use async_trait::async_trait;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use mongodb::options::Hint;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::document::{User, hash, unsigned};
use super::query::Query;
use super::{
    AUDIT, ERASED, ERASURES, KEYS, MongoUsers, ONE_TIME, PASSKEYS, REVOCATIONS, ROLES, SESSIONS,
    SIGNING_KEYS, SPENT, USERS, audit, erase, keys, one_time, passkeys, refresh, roles, sessions, trust,
};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, id, uuid};
use crate::kit::storage::portable::Portable;
use crate::users::store::{AccountRecord, Purpose, Record, RecordKey};

/// Records that are taken over in one transaction.
const AT_ONCE: usize = 100;

/// What is carried by itself; the rest goes with its accounts.
fn carried() -> [(&'static str, Document); 10] {
    [
        (ROLES, doc! { "built_in": false }),
        (SIGNING_KEYS, doc! {}),
        (USERS, doc! {}),
        (ERASED, doc! {}),
        (SESSIONS, doc! {}),
        (SPENT, doc! {}),
        (ONE_TIME, invitations()),
        (REVOCATIONS, doc! {}),
        (AUDIT, doc! {}),
        (ERASURES, doc! {}),
    ]
}

fn invitations() -> Document {
    doc! { "purpose": Purpose::Invite.as_str(), "user": null }
}

/// The documents of a collection after an id, in its order.
pub(super) fn after(of: &'static str, place: impl Into<Bson>, mut filter: Document, limit: u32) -> Query {
    let place: Bson = place.into();
    filter.insert("_id", doc! { "$gt": place });
    Query::of(of, "_id_", filter).sorted(doc! { "_id": 1 }).limit(limit.into())
}

/// Documents of a collection by their ids.
pub(super) fn these(of: &'static str, ids: &[Binary16]) -> Query {
    Query::of(of, "_id_", doc! { "_id": { "$in": ids } })
}

fn by_id() -> Hint {
    Hint::Name("_id_".to_owned())
}

/// What of a collection belongs to any of these accounts.
pub(super) fn of_accounts(of: &'static str, index: &'static str, users: &[Binary16]) -> Query {
    Query::of(of, index, doc! { "user": { "$in": users } })
}

/// What was revoked of these. They are few, and forgotten after hours: no index is kept for this.
pub(super) fn of_subjects(subjects: &[Binary16]) -> Query {
    Query::of(REVOCATIONS, "_id_", doc! { "_id": { "$gt": 0_i64 }, "subject": { "$in": subjects } })
}

/// Accounts with any of these addresses.
pub(super) fn with_addresses(keys: &[String]) -> Query {
    Query::of(USERS, "users_email", doc! { "email_key": { "$in": keys } })
}

#[async_trait]
impl Portable for MongoUsers {
    type Key = RecordKey;
    type Entry = Record;

    async fn entries(&self) -> Result<u64, StorageError> {
        let mut all = 0;
        for (collection, filter) in carried() {
            all += self.number(collection, filter).await?;
        }
        Ok(all)
    }

    async fn lasting(&self) -> Result<u64, StorageError> {
        Ok(self.number(USERS, doc! {}).await? + self.number(ERASED, doc! {}).await?)
    }

    async fn export(
        &self,
        after: Option<RecordKey>,
        limit: u32,
    ) -> Result<Vec<(RecordKey, Record)>, StorageError> {
        let mut place = Some(after.unwrap_or_else(RecordKey::before_all));
        while let Some(key) = place {
            let found = self.beyond(&key, limit).await?;
            if !found.is_empty() {
                return Ok(found.into_iter().map(|record| (record.key(), record)).collect());
            }
            place = key.next_room();
        }
        Ok(Vec::new())
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), StorageError> {
        import::import(self, records).await
    }
}

impl MongoUsers {
    async fn number(&self, collection: &str, filter: Document) -> Result<u64, StorageError> {
        let documents = self.mongo.collection::<Document>(collection);
        self.mongo.run(async { documents.count_documents(filter).hint(by_id()).await }).await
    }

    /// The next records of the room in which `key` is.
    async fn beyond(&self, key: &RecordKey, limit: u32) -> Result<Vec<Record>, StorageError> {
        match key {
            RecordKey::Role(name) => {
                let found = self.all(after(ROLES, name, doc! { "built_in": false }, limit)).await?;
                self.records(found, |kept: roles::Kept| kept.record().map(Record::Role))
            }
            RecordKey::SigningKey(kid) => {
                let found = self.all(after(SIGNING_KEYS, kid, doc! {}, limit)).await?;
                self.records(found, |kept: trust::KeptKey| kept.record().map(Record::SigningKey))
            }
            RecordKey::Account(id) => {
                let found = self.all(after(USERS, uuid(id.uuid()), doc! {}, limit)).await?;
                self.whole_accounts(found).await
            }
            RecordKey::Erased(id) => {
                let found = self.all(after(ERASED, uuid(id.uuid()), doc! {}, limit)).await?;
                self.records(found, |kept: erase::Erased| kept.record().map(Record::Erased))
            }
            RecordKey::Session(id) => {
                let found = self.all(after(SESSIONS, uuid(id.uuid()), doc! {}, limit)).await?;
                self.sessions_of_epochs(found).await
            }
            RecordKey::SpentToken(token) => {
                let found = self.all(after(SPENT, hash(token), doc! {}, limit)).await?;
                self.records(found, |kept: refresh::Spent| kept.record().map(Record::SpentToken))
            }
            RecordKey::Invitation(token) => {
                let found = self.all(after(ONE_TIME, hash(token), invitations(), limit)).await?;
                self.records(found, |kept: one_time::Kept| kept.record().map(Record::Invitation))
            }
            RecordKey::Revocation(position) => {
                let found = self.all(trust::after(*position, limit)).await?;
                self.records(found, |kept: trust::Kept| {
                    Ok(Record::Revocation(unsigned(kept.position), kept.revocation()?))
                })
            }
            RecordKey::Entry(id) => {
                let found = self.all(after(AUDIT, uuid(id.uuid()), doc! {}, limit)).await?;
                self.records(found, |kept: audit::Written| {
                    kept.entry().map(|entry| Record::Entry(Box::new(entry)))
                })
            }
            RecordKey::Erasure(id) => {
                let found = self.all(after(ERASURES, uuid(id.uuid()), doc! {}, limit)).await?;
                self.records(found, |kept: erase::Pending| kept.record().map(Record::Erasure))
            }
        }
    }

    async fn all<T: DeserializeOwned + Send + Sync>(&self, query: Query) -> Result<Vec<T>, StorageError> {
        query.all(self).await
    }

    fn records<T>(
        &self,
        found: Vec<T>,
        record: impl Fn(T) -> Result<Record, Error>,
    ) -> Result<Vec<Record>, StorageError> {
        self.read(found.into_iter().map(record).collect())
    }

    /// Accounts with what belongs to them.
    async fn whole_accounts(&self, users: Vec<User>) -> Result<Vec<Record>, StorageError> {
        let ids: Vec<Binary16> = users.iter().map(|user| user.id).collect();
        let keys: Vec<keys::Kept> = self.all(of_accounts(KEYS, "api_keys_user", &ids)).await?;
        let passkeys: Vec<passkeys::Kept> = self.all(of_accounts(PASSKEYS, "passkeys_user", &ids)).await?;
        let tokens: Vec<one_time::Kept> =
            self.all(of_accounts(ONE_TIME, "one_time_tokens_user", &ids)).await?;
        let accounts = users.into_iter().map(User::record).collect::<Result<Vec<_>, _>>();
        let mut accounts: BTreeMap<Uuid, AccountRecord> =
            self.read(accounts)?.into_iter().map(|one| (one.account.id.uuid(), one)).collect();
        let add = || -> Result<(), Error> {
            for key in keys {
                if let Some(owner) = accounts.get_mut(&id(key.user)) {
                    owner.keys.push(key.record()?);
                }
            }
            for passkey in passkeys {
                if let Some(owner) = accounts.get_mut(&id(passkey.user)) {
                    owner.passkeys.push(passkey.record()?);
                }
            }
            for token in tokens.into_iter().filter(one_time::Kept::was_sent) {
                if let Some(owner) = token.user.and_then(|user| accounts.get_mut(&id(user))) {
                    owner.tokens.push(token.record()?);
                }
            }
            Ok(())
        };
        self.read(add())?;
        let sorted = accounts.into_values().map(|mut one| {
            one.keys.sort_by_key(|one| one.key.id);
            one.passkeys.sort_by_key(|one| one.passkey.id);
            one.tokens.sort_by_key(|one| one.hash);
            Record::Account(Box::new(one))
        });
        Ok(sorted.collect())
    }

    /// Sessions with the epochs of their accounts.
    async fn sessions_of_epochs(&self, found: Vec<sessions::Kept>) -> Result<Vec<Record>, StorageError> {
        let owners: Vec<Binary16> = found.iter().map(|kept| kept.user).collect();
        let users: Vec<User> = self.all(these(USERS, &owners)).await?;
        let epochs: BTreeMap<Uuid, u64> = users.iter().map(|user| (id(user.id), user.epoch())).collect();
        self.records(found, |kept| {
            let epoch = epochs.get(&id(kept.user)).copied().unwrap_or(0);
            kept.record(epoch).map(|session| Record::Session(Box::new(session)))
        })
    }
}
