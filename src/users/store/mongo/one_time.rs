//! Tokens that are good once.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, Document, doc};
use mongodb::error::Error;
use serde::Deserialize;

use super::document::hash;
use super::{MongoUsers, ONE_TIME};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, Session, Transaction, binary, date, id, micros, uuid};
use crate::users::store::{Hash, OneTime, OneTimeStore, Purpose, Redeemed};

/// As much of a token as its redeemer learns.
#[derive(Debug, Deserialize)]
struct Kept {
    user: Option<Binary16>,
    payload: Option<Binary>,
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
        let mut token = doc! {
            "_id": hash(&self.hash),
            "purpose": self.purpose.as_str(),
            "attempts": 0_i64,
            "created_at": micros(self.at),
            "expires_at": micros(self.expires_at),
            "gone_at": date(self.expires_at),
        };
        token.extend(user.map(|user| ("user".to_owned(), user.into())));
        token.extend(self.payload.as_ref().map(|payload| ("payload".to_owned(), binary(payload).into())));
        session.insert(ONE_TIME, &[token]).await.map(drop)
    }
}
