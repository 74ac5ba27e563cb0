//! Second factors: fields of the account, so that using one up is the change of one document.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;

use super::document::{hash, hashes};
use super::{MongoUsers, USERS, audit};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Session, Transaction, binary, micros, uuid};
use crate::users::audit::Entry;
use crate::users::store::{DisableTotp, EnableTotp, Hash, RenewRecoveryCodes, SecondFactorStore};

impl MongoUsers {
    /// Changes an account if it is as `filter` says; answers whether it was.
    async fn use_up(&self, filter: Document, change: Document) -> Result<bool, StorageError> {
        let users = self.mongo.collection::<Document>(USERS);
        let changed = self.mongo.run(async { users.update_one(filter, change).await }).await?;
        Ok(changed.modified_count == 1)
    }
}

#[async_trait]
impl SecondFactorStore for MongoUsers {
    async fn enable_totp(&self, enable: EnableTotp) -> Result<bool, StorageError> {
        self.transact(&enable).await
    }

    async fn disable_totp(&self, disable: DisableTotp) -> Result<bool, StorageError> {
        self.transact(&disable).await
    }

    async fn use_totp_step(&self, user: UserId, step: u64) -> Result<bool, StorageError> {
        let step = step.cast_signed();
        let unused = doc! {
            "_id": uuid(user.uuid()),
            "totp": { "$exists": true },
            "totp_step": { "$lt": step },
        };
        self.use_up(unused, doc! { "$set": { "totp_step": step } }).await
    }

    async fn use_recovery_code(&self, user: UserId, code: &Hash, _: Timestamp) -> Result<bool, StorageError> {
        let unused = doc! { "_id": uuid(user.uuid()), "recovery": hash(code) };
        self.use_up(unused, doc! { "$pull": { "recovery": hash(code) } }).await
    }

    async fn renew_recovery_codes(&self, renew: RenewRecoveryCodes) -> Result<bool, StorageError> {
        self.transact(&renew).await
    }
}

/// Changes the account of `user` if its second factor is `on`, and says so in the trail.
async fn change(
    session: &mut Session,
    user: UserId,
    on: bool,
    change: Document,
    trail: &Entry,
) -> Result<bool, Error> {
    let as_asked = doc! { "_id": uuid(user.uuid()), "totp": { "$exists": on } };
    let changed = session.update(USERS, vec![doc! { "q": as_asked, "u": change }]).await?;
    if changed.matched == 0 {
        return Ok(false);
    }
    audit::write(session, trail).await?;
    Ok(true)
}

#[async_trait]
impl Transaction for EnableTotp {
    type Outcome = bool;

    async fn run(&self, session: &mut Session) -> Result<bool, Error> {
        let enabled = doc! {
            "$set": {
                "totp": binary(&self.secret),
                "totp_step": self.step.cast_signed(),
                "recovery": hashes(&self.recovery),
                "updated_at": micros(self.at),
            },
            "$inc": { "version": 1_i64 },
        };
        change(session, self.user, false, enabled, &self.trail).await
    }
}

#[async_trait]
impl Transaction for DisableTotp {
    type Outcome = bool;

    async fn run(&self, session: &mut Session) -> Result<bool, Error> {
        let disabled = doc! {
            "$set": { "recovery": Vec::<Bson>::new(), "updated_at": micros(self.at) },
            "$unset": { "totp": "" },
            "$inc": { "version": 1_i64 },
        };
        change(session, self.user, true, disabled, &self.trail).await
    }
}

#[async_trait]
impl Transaction for RenewRecoveryCodes {
    type Outcome = bool;

    async fn run(&self, session: &mut Session) -> Result<bool, Error> {
        let renewed = doc! { "$set": { "recovery": hashes(&self.recovery) } };
        change(session, self.user, true, renewed, &self.trail).await
    }
}
