//! Roles.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc, serialize_to_bson};
use mongodb::error::Error;
use serde::Deserialize;

use super::document::strange;
use super::query::Query;
use super::{MongoUsers, ROLES, USERS, audit};
use crate::kit::auth::{Reach, Scope};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Session, Transaction, instant, micros};
use crate::users::api::Role;
use crate::users::audit::Entry;
use crate::users::store::{RoleChange, RoleRecord, RoleStore};

/// A role.
#[derive(Debug, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "_id")]
    name: String,
    description: String,
    permissions: BTreeSet<Scope>,
    reach: String,
    built_in: bool,
    updated_at: i64,
}

impl Kept {
    pub(super) fn record(self) -> Result<RoleRecord, Error> {
        let updated_at = instant(self.updated_at)?;
        Ok(RoleRecord { role: self.role()?, updated_at })
    }

    pub(super) fn role(self) -> Result<Role, Error> {
        Ok(Role {
            name: self.name,
            description: self.description,
            permissions: self.permissions,
            reach: match self.reach.as_str() {
                "everyone" => Reach::Everyone,
                "institution" => Reach::Institution,
                "own" => Reach::Own,
                _ => return Err(strange("reach")),
            },
            built_in: self.built_in,
        })
    }
}

/// All roles by name.
pub(super) fn all() -> Query {
    Query::of(ROLES, "_id_", doc! {}).sorted(doc! { "_id": 1 })
}

/// Who has a role.
pub(super) fn holders(role: &str) -> Query {
    Query::of(USERS, "users_by_role", doc! { "role": role }).limit(1)
}

pub(super) fn named(role: &str) -> Query {
    Query::by_id(ROLES, doc! { "_id": role })
}

/// What puts a role in its place, whether or not there is one.
pub(super) fn put(role: &Role, now: Timestamp) -> Result<Document, Error> {
    let reach = match role.reach {
        Reach::Everyone => "everyone",
        Reach::Institution => "institution",
        Reach::Own => "own",
    };
    let permissions: Bson = serialize_to_bson(&role.permissions)?;
    Ok(doc! {
        "q": { "_id": &role.name },
        "u": {
            "$set": {
                "description": &role.description,
                "permissions": permissions,
                "reach": reach,
                "built_in": role.built_in,
                "updated_at": micros(now),
            },
            "$setOnInsert": { "given": 0_i64 },
        },
        "upsert": true,
    })
}

#[async_trait]
impl RoleStore for MongoUsers {
    async fn roles(&self) -> Result<Vec<Role>, StorageError> {
        let found: Vec<Kept> = all().all(self).await?;
        self.read(found.into_iter().map(Kept::role).collect())
    }

    async fn seed_roles(&self, roles: Vec<Role>, now: Timestamp) -> Result<(), StorageError> {
        self.transact(&Seed { roles, now }).await
    }

    async fn put_role(&self, role: Role, now: Timestamp, trail: Entry) -> Result<RoleChange, StorageError> {
        self.transact(&Put { role, now, trail }).await
    }

    async fn remove_role(&self, name: &str, trail: Entry) -> Result<RoleChange, StorageError> {
        self.transact(&Remove { name: name.to_owned(), trail }).await
    }
}

struct Seed {
    roles: Vec<Role>,
    now: Timestamp,
}

#[async_trait]
impl Transaction for Seed {
    type Outcome = ();

    async fn run(&self, session: &mut Session) -> Result<(), Error> {
        let seeds = self.roles.iter().map(|role| put(role, self.now)).collect::<Result<Vec<_>, _>>()?;
        session.update(ROLES, seeds).await.map(drop)
    }
}

struct Put {
    role: Role,
    now: Timestamp,
    trail: Entry,
}

#[async_trait]
impl Transaction for Put {
    type Outcome = RoleChange;

    async fn run(&self, session: &mut Session) -> Result<RoleChange, Error> {
        let known: Option<Kept> = named(&self.role.name).one_within(session).await?;
        if known.is_some_and(|known| known.built_in) {
            return Ok(RoleChange::BuiltIn);
        }
        session.update(ROLES, vec![put(&self.role, self.now)?]).await?;
        audit::write(session, &self.trail).await?;
        Ok(RoleChange::Done)
    }
}

struct Remove {
    name: String,
    trail: Entry,
}

#[async_trait]
impl Transaction for Remove {
    type Outcome = RoleChange;

    async fn run(&self, session: &mut Session) -> Result<RoleChange, Error> {
        match named(&self.name).one_within::<Kept>(session).await? {
            None => return Ok(RoleChange::Missing),
            Some(known) if known.built_in => return Ok(RoleChange::BuiltIn),
            Some(_) => {}
        }
        if holders(&self.name).any_within(session).await? {
            return Ok(RoleChange::InUse);
        }
        session.delete(ROLES, doc! { "_id": &self.name }).await?;
        audit::write(session, &self.trail).await?;
        Ok(RoleChange::Done)
    }
}
