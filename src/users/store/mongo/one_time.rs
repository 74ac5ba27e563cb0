//! Tokens that are good once.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, Document, doc};
use mongodb::error::Error;
use serde::Deserialize;

use super::document::{hash, read_hash, strange};
use super::{MongoUsers, ONE_TIME};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, Session, Transaction, binary, date, id, instant, micros, uuid};
use crate::users::store::{Hash, OneTime, OneTimeStore, Purpose, Redeemed, TokenRecord};

/// A token.
#[derive(Debug, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "_id")]
    hash: Binary,
    purpose: String,
    pub(super) user: Option<Binary16>,
    payload: Option<Binary>,
    attempts: i64,
    created_at: i64,
    expires_at: i64,
}

impl Kept {
    fn purpose(&self) -> Option<Purpose> {
        Purpose::SENT.into_iter().find(|purpose| purpose.as_str() == self.purpose)
    }

    /// Whether somebody has it in a message.
    pub(super) fn was_sent(&self) -> bool {
        self.purpose().is_some()
    }

    pub(super) fn record(self) -> Result<TokenRecord, Error> {
        Ok(TokenRecord {
            hash: read_hash(&self.hash)?,
            purpose: self.purpose().ok_or_else(|| strange("purpose"))?,
            payload: self.payload.map(|payload| payload.bytes),
            attempts: u32::try_from(self.attempts).map_err(Error::custom)?,
            created_at: instant(self.created_at)?,
            expires_at: instant(self.expires_at)?,
        })
    }
}

/// A token about `user` as a document.
pub(super) fn document(token: &TokenRecord, user: Option<UserId>) -> Document {
    let mut document = doc! {
        "_id": hash(&token.hash),
        "purpose": token.purpose.as_str(),
        "attempts": i64::from(token.attempts),
        "created_at": micros(token.created_at),
        "expires_at": micros(token.expires_at),
        "gone_at": date(token.expires_at),
    };
    document.extend(user.map(|user| ("user".to_owned(), uuid(user.uuid()).into())));
    document.extend(token.payload.as_ref().map(|payload| ("payload".to_owned(), binary(payload).into())));
    document
}

impl From<Kept> for Redeemed {
    fn from(kept: Kept) -> Self {
        Self { user: kept.user.map(id), payload: kept.payload.map(|payload| payload.bytes) }
    }
}

/// A token that is good.
pub(super) fn good(purpose: Purpose, token: &Hash, now: Timestamp) -> Document {
    doc! { "_id": hash(token), "purpose": purpose.as_str(), "expires_at": { "$gt": micros(now) } }
}

#[async_trait]
impl OneTimeStore for MongoUsers {
    async fn issue(&self, token: OneTime) -> Result<(), StorageError> {
        self.transact(&token).await
    }

    async fn redeem(
        &self,
        purpose: Purpose,
        hash: &Hash,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, StorageError> {
        let tokens = self.mongo.collection::<Kept>(ONE_TIME);
        let taken = async { tokens.find_one_and_delete(good(purpose, hash, now)).await };
        Ok(self.mongo.run(taken).await?.map(Redeemed::from))
    }

    async fn attempt(
        &self,
        purpose: Purpose,
        hash: &Hash,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, StorageError> {
        let tokens = self.mongo.collection::<Kept>(ONE_TIME);
        let mut open = good(purpose, hash, now);
        open.insert("attempts", doc! { "$lt": i64::from(most) });
        let tried = doc! { "$inc": { "attempts": 1_i64 } };
        let tried = async { tokens.find_one_and_update(open, tried).await };
        Ok(self.mongo.run(tried).await?.map(Redeemed::from))
    }
}

#[async_trait]
impl Transaction for OneTime {
    type Outcome = ();

    async fn run(&self, session: &mut Session) -> Result<(), Error> {
        let user = self.user.map(|user| uuid(user.uuid()));
        if let Some(user) = user.filter(|_| self.only) {
            session.delete(ONE_TIME, doc! { "user": user, "purpose": self.purpose.as_str() }).await?;
        }
        let token = TokenRecord {
            hash: self.hash,
            purpose: self.purpose,
            payload: self.payload.clone(),
            attempts: 0,
            created_at: self.at,
            expires_at: self.expires_at,
        };
        session.insert(ONE_TIME, &[document(&token, self.user)]).await.map(drop)
    }
}
