//! Forgetting who an account belonged to.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use serde::Deserialize;

use super::accounts::find;
use super::change::is_last_admin;
use super::query::Query;
use super::{ERASED, ERASURES, KEYS, MongoUsers, ONE_TIME, PASSKEYS, SESSIONS, SPENT, USERS, audit, trust};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, Session, Transaction, id, instant, micros, uuid};
use crate::users::store::{Changed, DueErasure, EraseAccount, ErasedRecord, ErasureRecord, RemoveAccount};

/// Where else somebody has left something, by the field `user`.
pub(super) const OWNED: [&str; 5] = [SESSIONS, SPENT, KEYS, ONE_TIME, PASSKEYS];

#[async_trait]
impl Transaction for EraseAccount {
    type Outcome = Changed;

    async fn run(&self, session: &mut Session) -> Result<Changed, Error> {
        let Some(before) = find(session, self.id, &self.within).await? else { return Ok(Changed::Missing) };
        let before = before.account()?;
        if self.if_version.is_some_and(|version| version != before.version) {
            return Ok(Changed::Stale);
        }
        if is_last_admin(session, &before, self.at).await? {
            return Ok(Changed::LastAdmin);
        }
        let user = uuid(self.id.uuid());
        // Sessions and keys go with their documents: the account itself is refused from now on.
        trust::revoke(session, &[(self.id.uuid(), None)], self.at).await?;
        for collection in OWNED {
            session.delete(collection, doc! { "user": user }).await?;
        }
        session.delete(USERS, doc! { "_id": user }).await?;
        session.insert(ERASED, &[doc! { "_id": user, "erased_at": micros(self.at) }]).await?;
        let due = doc! {
            "q": { "_id": user },
            "u": { "$set": { "due_at": micros(self.due_at), "passes": 0_i64 } },
            "upsert": true,
        };
        session.update(ERASURES, vec![due]).await?;
        audit::write(session, &self.trail).await?;
        Ok(Changed::Done(Box::new(before)))
    }
}

#[async_trait]
impl Transaction for RemoveAccount {
    type Outcome = bool;

    async fn run(&self, session: &mut Session) -> Result<bool, Error> {
        let user = uuid(self.id.uuid());
        let as_judged = doc! { "_id": user, "version": self.if_version.cast_signed() };
        if session.delete(USERS, as_judged).await? == 0 {
            return Ok(false);
        }
        for collection in OWNED {
            session.delete(collection, doc! { "user": user }).await?;
        }
        audit::write(session, &self.trail).await?;
        Ok(true)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Pending {
    #[serde(rename = "_id")]
    user: Binary16,
    due_at: i64,
    passes: i64,
}

impl Pending {
    pub(super) fn record(self) -> Result<ErasureRecord, Error> {
        let DueErasure { user, passes } = self.due();
        Ok(ErasureRecord { user, due_at: instant(self.due_at)?, passes })
    }

    fn due(&self) -> DueErasure {
        DueErasure { user: id(self.user), passes: u32::try_from(self.passes).unwrap_or(u32::MAX) }
    }
}

/// An account that is forgotten.
#[derive(Debug, Deserialize)]
pub(super) struct Erased {
    #[serde(rename = "_id")]
    user: Binary16,
    erased_at: i64,
}

impl Erased {
    pub(super) fn record(self) -> Result<ErasedRecord, Error> {
        Ok(ErasedRecord { user: id(self.user), at: instant(self.erased_at)? })
    }
}

/// The erasures that are due by `now`.
pub(super) fn due_by(now: Timestamp, limit: u32) -> Query {
    let due = doc! { "due_at": { "$lte": micros(now) } };
    Query::of(ERASURES, "erasures_due", due).sorted(doc! { "due_at": 1, "_id": 1 }).limit(limit.into())
}

pub(super) async fn due(
    store: &MongoUsers,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<DueErasure>, StorageError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let found: Vec<Pending> = due_by(now, limit).all(store).await?;
    Ok(found.iter().map(Pending::due).collect())
}

/// Notes how an erasure went on.
pub(super) async fn settle(
    store: &MongoUsers,
    user: UserId,
    due_again: Option<Timestamp>,
) -> Result<(), StorageError> {
    let erasures = store.mongo.collection::<Document>(ERASURES);
    let one = doc! { "_id": uuid(user.uuid()) };
    let settled = async {
        match due_again {
            Some(at) => {
                let change = doc! { "$set": { "due_at": micros(at) }, "$inc": { "passes": 1_i64 } };
                erasures.update_one(one, change).await.map(drop)
            }
            None => erasures.delete_one(one).await.map(drop),
        }
    };
    store.mongo.run(settled).await
}
