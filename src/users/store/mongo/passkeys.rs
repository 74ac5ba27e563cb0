//! Passkeys.

use async_trait::async_trait;
use mongodb::bson::{Binary, Document, doc};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};

use super::document::{User, when};
use super::query::Query;
use super::{MongoUsers, PASSKEYS, USERS, audit};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, Session, Transaction, binary, id, instant, micros, uuid};
use crate::users::store::{
    AddedPasskey, NewPasskey, PasskeyRecord, PasskeyStore, RemovePasskey, RemovedPasskey, StoredPasskey,
    UsedPasskey,
};

/// A passkey.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "_id")]
    id: Binary16,
    credential_id: Binary,
    pub(super) user: Binary16,
    name: String,
    credential: String,
    counter: i64,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<i64>,
}

impl Kept {
    pub(super) fn record(self) -> Result<PasskeyRecord, Error> {
        let counter = u32::try_from(self.counter).map_err(Error::custom)?;
        Ok(PasskeyRecord { passkey: self.stored()?, counter })
    }

    pub(super) fn of_record(PasskeyRecord { passkey, counter }: &PasskeyRecord) -> Self {
        Self {
            id: uuid(passkey.id.uuid()),
            credential_id: binary(&passkey.credential_id),
            user: uuid(passkey.user.uuid()),
            name: passkey.name.clone(),
            credential: passkey.credential.clone(),
            counter: i64::from(*counter),
            created_at: micros(passkey.created_at),
            last_used_at: passkey.last_used_at.map(micros),
        }
    }

    fn stored(self) -> Result<StoredPasskey, Error> {
        Ok(StoredPasskey {
            id: id(self.id),
            credential_id: self.credential_id.bytes,
            user: id(self.user),
            name: self.name,
            credential: self.credential,
            created_at: instant(self.created_at)?,
            last_used_at: when(self.last_used_at)?,
        })
    }
}

/// Somebody's passkeys.
pub(super) fn of(user: UserId) -> Query {
    let by_time = doc! { "created_at": 1, "_id": 1 };
    Query::of(PASSKEYS, "passkeys_user", doc! { "user": uuid(user.uuid()) }).sorted(by_time)
}

/// The passkey that names itself so.
pub(super) fn named(credential_id: &[u8]) -> Query {
    Query::of(PASSKEYS, "passkeys_credential", doc! { "credential_id": binary(credential_id) }).limit(1)
}

#[async_trait]
impl PasskeyStore for MongoUsers {
    async fn add_passkey(&self, passkey: NewPasskey) -> Result<AddedPasskey, StorageError> {
        self.transact(&passkey).await
    }

    async fn passkeys(&self, user: UserId) -> Result<Vec<StoredPasskey>, StorageError> {
        let found: Vec<Kept> = of(user).all(self).await?;
        self.read(found.into_iter().map(Kept::stored).collect())
    }

    async fn passkey(&self, credential_id: &[u8]) -> Result<Option<StoredPasskey>, StorageError> {
        let found: Option<Kept> = named(credential_id).one(self).await?;
        self.read(found.map(Kept::stored).transpose())
    }

    async fn use_passkey(&self, used: UsedPasskey) -> Result<bool, StorageError> {
        let counter = i64::from(used.counter);
        // One that does not count says 0 each time.
        let grown = if counter == 0 {
            doc! { "$eq": 0_i64 }
        } else {
            doc! { "$lt": counter }
        };
        let filter = doc! { "_id": uuid(used.id.uuid()), "counter": grown };
        let change = doc! { "$set": {
            "credential": used.credential,
            "counter": counter,
            "last_used_at": micros(used.at),
        } };
        let passkeys = self.mongo.collection::<Document>(PASSKEYS);
        let changed = self.mongo.run(async { passkeys.update_one(filter, change).await }).await?;
        Ok(changed.matched_count == 1)
    }

    async fn remove_passkey(&self, remove: RemovePasskey) -> Result<RemovedPasskey, StorageError> {
        self.transact(&remove).await
    }
}

/// Writes the account, so that of two that change its passkeys at once the second sees what the first has
/// done; false if there is none.
async fn guard(session: &mut Session, user: UserId) -> Result<bool, Error> {
    let guarded = doc! { "q": { "_id": uuid(user.uuid()) }, "u": { "$inc": { "guard": 1_i64 } } };
    Ok(session.update(USERS, vec![guarded]).await?.matched > 0)
}

#[async_trait]
impl Transaction for NewPasskey {
    type Outcome = AddedPasskey;

    async fn run(&self, session: &mut Session) -> Result<AddedPasskey, Error> {
        if !guard(session, self.user).await? {
            return Ok(AddedPasskey::NoAccount);
        }
        if of(self.user).all_within::<Document>(session).await?.len() >= self.most as usize {
            return Ok(AddedPasskey::TooMany);
        }
        let kept = Kept {
            id: uuid(self.id.uuid()),
            credential_id: binary(&self.credential_id),
            user: uuid(self.user.uuid()),
            name: self.name.clone(),
            credential: self.credential.clone(),
            counter: 0,
            created_at: micros(self.at),
            last_used_at: None,
        };
        if !session.insert_new(PASSKEYS, &kept).await? {
            return Ok(AddedPasskey::Known);
        }
        audit::write(session, &self.trail).await?;
        Ok(AddedPasskey::Done)
    }
}

#[async_trait]
impl Transaction for RemovePasskey {
    type Outcome = RemovedPasskey;

    async fn run(&self, session: &mut Session) -> Result<RemovedPasskey, Error> {
        let (passkey, user) = (uuid(self.id.uuid()), uuid(self.user.uuid()));
        let own = doc! { "_id": passkey, "user": user };
        if !Query::by_id(PASSKEYS, own.clone()).any_within(session).await? {
            return Ok(RemovedPasskey::Missing);
        }
        guard(session, self.user).await?;
        let owner: Option<User> = Query::by_id(USERS, doc! { "_id": user }).one_within(session).await?;
        let password = owner.is_some_and(|owner| owner.password.is_some());
        if !password && of(self.user).limit(2).all_within::<Document>(session).await?.len() < 2 {
            return Ok(RemovedPasskey::LastWayIn);
        }
        session.delete(PASSKEYS, own).await?;
        audit::write(session, &self.trail).await?;
        Ok(RemovedPasskey::Done)
    }
}
