//! Changes to one account.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use serde::Deserialize;

use super::accounts::find;
use super::document::json;
use super::query::Query;
use super::{KEYS, ONE_TIME, PASSKEYS, ROLES, USERS, audit, count, sessions, trust};
use crate::kit::ids::SessionId;
use crate::kit::storage::mongo::{Binary16, Session, Transaction, micros, uuid};
use crate::users::account::{Account, Status, folded};
use crate::users::roles::ADMIN;
use crate::users::store::{Change, ChangeAccount, Changed, Description, Within};

/// What every transaction moves that takes an administrator away.
const ADMINISTRATORS: &str = "administrators";

/// Fields of an account that become another.
#[derive(Debug, Default)]
struct Fields {
    set: Document,
    unset: Document,
    /// Whether what was made out before is refused.
    outdates: bool,
}

impl Fields {
    fn set(mut self, field: &str, value: impl Into<Bson>) -> Self {
        self.set.insert(field, value);
        self
    }

    /// Sets the field, or takes it away.
    fn put(self, field: &str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.set(field, value),
            None => self.unset(field),
        }
    }

    fn unset(mut self, field: &str) -> Self {
        self.unset.insert(field, "");
        self
    }

    fn outdating(self) -> Self {
        Self { outdates: true, ..self }
    }
}

#[async_trait]
impl Transaction for ChangeAccount {
    type Outcome = Changed;

    async fn run(&self, session: &mut Session) -> Result<Changed, Error> {
        Doing(self).run(session).await
    }
}

/// A change that is being done.
struct Doing<'a>(&'a ChangeAccount);

impl Doing<'_> {
    async fn run(&self, session: &mut Session) -> Result<Changed, Error> {
        let Some(user) = find(session, self.0.id, &self.0.within).await? else { return Ok(Changed::Missing) };
        let has_password = user.password.is_some();
        let before = user.account()?;
        if self.0.if_version.is_some_and(|version| version != before.version) {
            return Ok(Changed::Stale);
        }
        if self.leaves_no_admin(session, &before, has_password).await? {
            return Ok(Changed::LastAdmin);
        }
        if let Change::Role(role) | Change::TakeOver { role, .. } = &self.0.change
            && !give_role(session, role).await?
        {
            return Ok(Changed::NoSuchRole);
        }
        let fields = self.apply(session, &before).await?;
        let outdates = fields.outdates;
        self.write(session, fields).await?;
        let after = find(session, self.0.id, &Within::Everyone).await?;
        let after = after.ok_or_else(|| Error::custom("the account is gone".to_owned()))?.account()?;
        if outdates {
            trust::revoke(session, &[(self.0.id.uuid(), Some(after.epoch))], self.0.at).await?;
        }
        if !matches!(self.0.change, Change::Rehash(_)) {
            audit::write(session, &self.0.trail).await?;
        }
        Ok(Changed::Done(Box::new(after)))
    }

    /// Whether this takes away the last active account that may do everything.
    async fn leaves_no_admin(
        &self,
        session: &mut Session,
        before: &Account,
        has_password: bool,
    ) -> Result<bool, Error> {
        let takes_away = match &self.0.change {
            Change::Role(role) => role != ADMIN,
            Change::Status(status) => *status != Status::Active,
            Change::ResetSecondFactor => {
                !has_password && !has_good_key(session, &[uuid(before.id.uuid())], self.0.at).await?
            }
            _ => false,
        };
        Ok(takes_away && is_last_admin(session, before, self.0.at).await?)
    }

    /// Does what concerns other documents; answers what becomes of the account.
    async fn apply(&self, session: &mut Session, before: &Account) -> Result<Fields, Error> {
        let fields = Fields::default();
        Ok(match &self.0.change {
            Change::Describe(description) => described(before, description)?,
            Change::Role(role) => fields.set("role", role).outdating(),
            Change::Status(status) => {
                if *status != Status::Active {
                    self.end_sessions(session, None).await?;
                }
                fields.set("status", status.as_str()).outdating()
            }
            Change::Password { hash, keep } => {
                self.end_what_was_begun(session, *keep).await?;
                fields.set("password", hash).outdating()
            }
            Change::TakeOver { hash, role, institution } => {
                self.end_what_was_begun(session, None).await?;
                fields
                    .set("password", hash)
                    .set("role", role)
                    .put("institution", institution.clone())
                    .set("email_verified_at", micros(self.0.at))
                    .set("status", Status::Active.as_str())
                    .outdating()
            }
            Change::ResetSecondFactor => {
                session.delete(PASSKEYS, doc! { "user": uuid(self.0.id.uuid()) }).await?;
                self.end_what_was_begun(session, None).await?;
                fields.unset("totp").set("recovery", Vec::<Bson>::new()).outdating()
            }
            Change::Rehash(hash) => fields.set("password", hash),
            Change::Verified => {
                let pending = before.status == Status::Pending;
                let status = if pending { Status::Active } else { before.status };
                fields.set("email_verified_at", micros(self.0.at)).set("status", status.as_str())
            }
        })
    }

    async fn write(&self, session: &mut Session, fields: Fields) -> Result<(), Error> {
        let mut change = doc! { "$set": fields.set };
        if !matches!(self.0.change, Change::Rehash(_)) {
            let epochs = i64::from(fields.outdates);
            change.insert("$inc", doc! { "version": 1_i64, "epoch": epochs });
            if let Ok(set) = change.get_document_mut("$set") {
                set.insert("updated_at", micros(self.0.at));
            }
        }
        if !fields.unset.is_empty() {
            change.insert("$unset", fields.unset);
        }
        session.update(USERS, vec![doc! { "q": { "_id": uuid(self.0.id.uuid()) }, "u": change }]).await?;
        Ok(())
    }

    /// What was begun with other credentials must not be finished.
    async fn end_what_was_begun(&self, session: &mut Session, keep: Option<SessionId>) -> Result<(), Error> {
        let begun = doc! { "user": uuid(self.0.id.uuid()), "purpose": { "$ne": "verify" } };
        session.delete(ONE_TIME, begun).await?;
        self.end_sessions(session, keep).await
    }

    async fn end_sessions(&self, session: &mut Session, keep: Option<SessionId>) -> Result<(), Error> {
        sessions::end(session, self.0.id, None, keep, self.0.trail.action.as_str(), self.0.at).await.map(drop)
    }
}

/// Whether there is a role to give. Who removes it meanwhile finds it changed.
async fn give_role(session: &mut Session, role: &str) -> Result<bool, Error> {
    let given = doc! { "q": { "_id": role }, "u": { "$inc": { "given": 1_i64 } } };
    Ok(session.update(ROLES, vec![given]).await?.matched > 0)
}

#[derive(Debug, Deserialize)]
struct Known {
    #[serde(rename = "_id")]
    id: Binary16,
}

/// Other active accounts of the role that may do everything.
pub(super) fn other_administrators(id: Binary16) -> Query {
    let others = doc! { "role": ADMIN, "status": Status::Active.as_str(), "_id": { "$ne": id } };
    Query::of(USERS, "users_by_role", others)
}

/// Those of them who have a password.
pub(super) fn others_with_password(id: Binary16) -> Query {
    let others = doc! {
        "role": ADMIN,
        "status": Status::Active.as_str(),
        "_id": { "$ne": id },
        "password": { "$exists": true },
    };
    Query::of(USERS, "users_by_role", others).limit(1)
}

pub(super) fn passkeys_of(users: &[Binary16]) -> Query {
    Query::of(PASSKEYS, "passkeys_user", doc! { "user": { "$in": users } }).limit(1)
}

pub(super) fn good_keys_of(users: &[Binary16], now: Timestamp) -> Query {
    let good = doc! {
        "user": { "$in": users },
        "revoked_at": null,
        "scopes": null,
        "$or": [{ "expires_at": null }, { "expires_at": { "$gt": micros(now) } }],
    };
    Query::of(KEYS, "api_keys_user", good).limit(1)
}

async fn has_good_key(session: &mut Session, users: &[Binary16], now: Timestamp) -> Result<bool, Error> {
    good_keys_of(users, now).any_within(session).await
}

/// Whether this is the only active account of the role that may do everything. Of two that are taken away
/// at once, the second is looked at again after the first.
pub(super) async fn is_last_admin(
    session: &mut Session,
    account: &Account,
    now: Timestamp,
) -> Result<bool, Error> {
    if account.role != ADMIN || account.status != Status::Active {
        return Ok(false);
    }
    count(session, ADMINISTRATORS, 1).await?;
    let id = uuid(account.id.uuid());
    if others_with_password(id).any_within(session).await? {
        return Ok(false);
    }
    // One that nobody can get into any more is none.
    let others: Vec<Known> = other_administrators(id).all_within(session).await?;
    let others: Vec<Binary16> = others.into_iter().map(|known| known.id).collect();
    let gets_in =
        passkeys_of(&others).any_within(session).await? || has_good_key(session, &others, now).await?;
    Ok(!gets_in)
}

fn described(before: &Account, new: &Description) -> Result<Fields, Error> {
    let mut fields = Fields::default();
    if let Some(name) = &new.name {
        fields = fields.set("name", name).set("name_key", folded(name));
    }
    if let Some(avatar) = &new.avatar {
        fields = fields.put("avatar", avatar.clone());
    }
    if let Some(preferences) = &new.preferences {
        fields = fields.set("preferences", json(preferences)?);
    }
    if let Some(profile) = &new.profile {
        fields = fields.set("profile", json(profile)?);
    }
    if let Some(metadata) = &new.metadata {
        fields = fields.set("metadata", json(metadata)?);
    }
    if let Some(institution) = &new.institution {
        fields = fields.put("institution", institution.clone());
        fields.outdates = *institution != before.institution;
    }
    Ok(fields)
}
