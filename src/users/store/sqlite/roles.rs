//! Roles.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::rows::{json, strange, to_json};
use super::{SqliteUsers, audit};
use crate::kit::auth::Reach;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::api::Role;
use crate::users::audit::Entry;
use crate::users::store::{RoleChange, RoleStore};

#[async_trait]
impl RoleStore for SqliteUsers {
    async fn roles(&self) -> Result<Vec<Role>, StorageError> {
        let mut conn = self.database.read().await?;
        let rows =
            sqlx::query("SELECT name, description, permissions, reach, built_in FROM roles ORDER BY name")
                .fetch_all(&mut *conn)
                .await
                .map_err(self.sort())?;
        rows.iter().map(role).collect::<Result<_, _>>().map_err(self.sort())
    }

    async fn seed_roles(&self, roles: Vec<Role>, now: Timestamp) -> Result<(), StorageError> {
        self.database.transact(Seed { roles, now }).await
    }

    async fn put_role(&self, role: Role, now: Timestamp, trail: Entry) -> Result<RoleChange, StorageError> {
        self.database.transact(Put { role, now, trail }).await
    }

    async fn remove_role(&self, name: &str, trail: Entry) -> Result<RoleChange, StorageError> {
        self.database.transact(Remove { name: name.to_owned(), trail }).await
    }
}

pub(super) fn role(row: &SqliteRow) -> Result<Role, sqlx::Error> {
    Ok(Role {
        name: row.try_get(0)?,
        description: row.try_get(1)?,
        permissions: json(row.try_get(2)?)?,
        reach: match row.try_get(3)? {
            "everyone" => Reach::Everyone,
            "institution" => Reach::Institution,
            "own" => Reach::Own,
            _ => return Err(strange("reach")),
        },
        built_in: row.try_get(4)?,
    })
}

pub(super) async fn write(
    conn: &mut SqliteConnection,
    role: &Role,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let reach = match role.reach {
        Reach::Everyone => "everyone",
        Reach::Institution => "institution",
        Reach::Own => "own",
    };
    sqlx::query("INSERT OR REPLACE INTO roles (name, description, permissions, reach, built_in, updated_at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(role.name.clone())
        .bind(role.description.clone())
        .bind(to_json(&role.permissions)?)
        .bind(reach)
        .bind(role.built_in)
        .bind(now.as_microsecond())
        .execute(conn)
        .await
        .map(drop)
}

/// The role of a name.
pub(super) async fn named(conn: &mut SqliteConnection, name: &str) -> Result<Option<Role>, sqlx::Error> {
    let row = sqlx::query("SELECT name, description, permissions, reach, built_in FROM roles WHERE name = ?")
        .bind(name.to_owned())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(role).transpose()
}

/// Whether the role of a name is built in; `None` if there is none.
async fn is_built_in(conn: &mut SqliteConnection, name: &str) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar("SELECT built_in FROM roles WHERE name = ?")
        .bind(name.to_owned())
        .fetch_optional(conn)
        .await
}

struct Seed {
    roles: Vec<Role>,
    now: Timestamp,
}

#[async_trait]
impl Transaction for Seed {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for role in &self.roles {
            write(conn, role, self.now).await?;
        }
        Ok(())
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

    async fn run(&self, conn: &mut SqliteConnection) -> Result<RoleChange, sqlx::Error> {
        if is_built_in(conn, &self.role.name).await? == Some(true) {
            return Ok(RoleChange::BuiltIn);
        }
        write(conn, &self.role, self.now).await?;
        audit::write(conn, &self.trail).await?;
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

    async fn run(&self, conn: &mut SqliteConnection) -> Result<RoleChange, sqlx::Error> {
        match is_built_in(conn, &self.name).await? {
            None => return Ok(RoleChange::Missing),
            Some(true) => return Ok(RoleChange::BuiltIn),
            Some(false) => {}
        }
        let in_use: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE role = ? AND erased_at IS NULL)")
                .bind(self.name.clone())
                .fetch_one(&mut *conn)
                .await?;
        if in_use {
            return Ok(RoleChange::InUse);
        }
        sqlx::query("DELETE FROM roles WHERE name = ?").bind(self.name.clone()).execute(&mut *conn).await?;
        audit::write(conn, &self.trail).await?;
        Ok(RoleChange::Done)
    }
}
