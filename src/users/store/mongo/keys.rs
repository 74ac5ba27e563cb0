//! API keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, DateTime, Document, doc};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};

use super::document::{User, hash, read_hash, when};
use super::query::Query;
use super::{KEYS, MongoUsers, USERS, audit, count, trust};
use crate::kit::auth::{Presented, Scope};
use crate::kit::http::page::{Cursor, From, Page};
use crate::kit::ids::{KeyId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{
    Binary16, Position, Session, Transaction, binary, id, instant, micros, uuid,
};
use crate::users::account::Status;
use crate::users::identity::Identity;
use crate::users::store::{
    AddedKey, FirstKey, Hash, KEYS_KEPT_FOR, Key, KeyPage, KeyRecord, KeyStore, NewKey, RevokeKey,
};

/// What every transaction moves that makes a first key.
const FIRST: &str = "first_key";

/// A key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "_id")]
    id: Binary16,
    pub(super) user: Binary16,
    name: String,
    prefix: String,
    hash: Binary,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<BTreeSet<Scope>>,
    created_at: i64,
    position: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone_at: Option<DateTime>,
}

/// When a key is forgotten that ends then.
fn forgotten(ended: Timestamp) -> DateTime {
    let gone = ended.saturating_add(KEYS_KEPT_FOR).unwrap_or(Timestamp::MAX);
    DateTime::from_millis(gone.as_millisecond())
}

impl Kept {
    fn new(new: &NewKey) -> Self {
        Self {
            id: uuid(new.id.uuid()),
            user: uuid(new.user.uuid()),
            name: new.name.clone(),
            prefix: new.prefix.clone(),
            hash: binary(&new.hash),
            scopes: new.scopes.clone(),
            created_at: micros(new.at),
            position: Position::of(Cursor { at: new.at, id: new.id.uuid() }),
            expires_at: new.expires_at.map(micros),
            last_used_at: None,
            revoked_at: None,
            gone_at: new.expires_at.map(forgotten),
        }
    }

    pub(super) fn record(self) -> Result<KeyRecord, Error> {
        let hash = read_hash(&self.hash)?;
        Ok(KeyRecord { key: self.key()?, hash })
    }

    pub(super) fn of_record(KeyRecord { key, hash }: &KeyRecord, user: UserId) -> Self {
        let ends = [key.expires_at, key.revoked_at].into_iter().flatten().min();
        Self {
            id: uuid(key.id.uuid()),
            user: uuid(user.uuid()),
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            hash: binary(hash),
            scopes: key.scopes.clone(),
            created_at: micros(key.created_at),
            position: Position::of(Cursor { at: key.created_at, id: key.id.uuid() }),
            expires_at: key.expires_at.map(micros),
            last_used_at: key.last_used_at.map(micros),
            revoked_at: key.revoked_at.map(micros),
            gone_at: ends.map(forgotten),
        }
    }

    fn key(self) -> Result<Key, Error> {
        Ok(Key {
            id: id(self.id),
            name: self.name,
            prefix: self.prefix,
            scopes: self.scopes,
            created_at: instant(self.created_at)?,
            expires_at: when(self.expires_at)?,
            last_used_at: when(self.last_used_at)?,
            revoked_at: when(self.revoked_at)?,
        })
    }
}

/// The key with this SHA-256, if it is good.
pub(super) fn good(key: &Hash, now: Timestamp) -> Query {
    let good = doc! {
        "hash": hash(key),
        "revoked_at": null,
        "$or": [{ "expires_at": null }, { "expires_at": { "$gt": micros(now) } }],
    };
    Query::of(KEYS, "api_keys_hash", good).limit(1)
}

/// A page of somebody's keys.
pub(super) fn listed(user: UserId, page: Page) -> Query {
    let mut filter = doc! { "user": uuid(user.uuid()) };
    let mut skip = 0;
    match page.from {
        From::Offset(offset) => skip = offset,
        From::After(cursor) => drop(filter.insert("position", doc! { "$lt": Position::of(cursor) })),
    }
    let found = Query::of(KEYS, "api_keys_user", filter).sorted(doc! { "position": -1 });
    found.skip(skip).limit(i64::from(page.limit) + 1)
}

/// Somebody's good keys.
pub(super) fn good_of(user: UserId, now: Timestamp) -> Query {
    let good = doc! {
        "user": uuid(user.uuid()),
        "revoked_at": null,
        "$or": [{ "expires_at": null }, { "expires_at": { "$gt": micros(now) } }],
    };
    Query::of(KEYS, "api_keys_user", good)
}

/// Any key.
pub(super) fn any() -> Query {
    Query::of(KEYS, "_id_", doc! {}).limit(1)
}

fn one(key: KeyId) -> Query {
    Query::by_id(KEYS, doc! { "_id": uuid(key.uuid()) })
}

#[async_trait]
impl KeyStore for MongoUsers {
    async fn by_key(&self, hash: &Hash, now: Timestamp) -> Result<Option<Identity>, StorageError> {
        let Some(key) = good(hash, now).one::<Kept>(self).await? else { return Ok(None) };
        let active = doc! { "_id": key.user, "status": Status::Active.as_str() };
        let Some(user) = Query::by_id(USERS, active).one::<User>(self).await? else { return Ok(None) };
        let (key, account) = (self.read(key.key())?, self.read(user.account())?);
        Ok(Some(Identity {
            user_id: account.id,
            name: account.name,
            role: account.role,
            institution: account.institution,
            epoch: account.epoch,
            credential: Presented::Key(key.id),
            scopes: key.scopes,
            expires_at: key.expires_at,
        }))
    }

    async fn has_had_keys(&self) -> Result<bool, StorageError> {
        Ok(any().one::<Document>(self).await?.is_some()
            || audit::of_keys().one::<Document>(self).await?.is_some())
    }

    async fn add_key(&self, key: NewKey) -> Result<AddedKey, StorageError> {
        self.transact(&key).await
    }

    async fn add_first_key(&self, first: FirstKey) -> Result<bool, StorageError> {
        self.transact(&first).await
    }

    async fn keys(&self, user: UserId, page: Page) -> Result<KeyPage, StorageError> {
        let found: Vec<Kept> = listed(user, page).all(self).await?;
        let limit = page.limit as usize;
        let more = found.len() > limit;
        let keys: Vec<Key> = self.read(found.into_iter().take(limit).map(Kept::key).collect())?;
        let next =
            keys.last().filter(|_| more).map(|last| Cursor { at: last.created_at, id: last.id.uuid() });
        Ok(KeyPage { keys, next })
    }

    async fn key(&self, key: KeyId) -> Result<Option<(UserId, Key)>, StorageError> {
        let Some(found) = one(key).one::<Kept>(self).await? else { return Ok(None) };
        let owner = id(found.user);
        Ok(Some((owner, self.read(found.key())?)))
    }

    async fn revoke_key(&self, revoke: RevokeKey) -> Result<bool, StorageError> {
        self.transact(&revoke).await
    }

    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StorageError> {
        let touched: Vec<_> = used
            .iter()
            .map(|(key, at)| {
                doc! { "q": { "_id": uuid(key.uuid()) }, "u": { "$max": { "last_used_at": micros(*at) } } }
            })
            .collect();
        self.update_each(KEYS, &touched).await
    }
}

#[async_trait]
impl Transaction for NewKey {
    type Outcome = AddedKey;

    async fn run(&self, session: &mut Session) -> Result<AddedKey, Error> {
        if one(self.id).any_within(session).await? {
            return Ok(AddedKey::Known);
        }
        // Written, so that of two that are made at once the second counts the first.
        let guarded = doc! { "q": { "_id": uuid(self.user.uuid()) }, "u": { "$inc": { "guard": 1_i64 } } };
        if session.update(USERS, vec![guarded]).await?.matched == 0 {
            return Ok(AddedKey::NoAccount);
        }
        let counted = good_of(self.user, self.at).limit(self.most.into());
        if self.most == 0 || counted.all_within::<Document>(session).await?.len() >= self.most as usize {
            return Ok(AddedKey::TooMany);
        }
        if !session.insert_new(KEYS, &Kept::new(self)).await? {
            return Ok(AddedKey::Known);
        }
        audit::write(session, &self.trail).await?;
        Ok(AddedKey::Done)
    }
}

#[async_trait]
impl Transaction for FirstKey {
    type Outcome = bool;

    async fn run(&self, session: &mut Session) -> Result<bool, Error> {
        if any().any_within(session).await? || audit::of_keys().any_within(session).await? {
            return Ok(false);
        }
        count(session, FIRST, 1).await?;
        self.account.run(session).await?;
        self.key.run(session).await?;
        Ok(true)
    }
}

#[async_trait]
impl Transaction for RevokeKey {
    type Outcome = bool;

    async fn run(&self, session: &mut Session) -> Result<bool, Error> {
        let good = doc! { "_id": uuid(self.id.uuid()), "user": uuid(self.user.uuid()), "revoked_at": null };
        let revoked = doc! {
            "$set": { "revoked_at": micros(self.at) },
            "$min": { "gone_at": forgotten(self.at) },
        };
        if session.update(KEYS, vec![doc! { "q": good, "u": revoked }]).await?.matched == 0 {
            return Ok(false);
        }
        trust::revoke(session, &[(self.id.uuid(), None)], self.at).await?;
        audit::write(session, &self.trail).await?;
        Ok(true)
    }
}
