//! Roles.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::kit::storage::StorageError;
use crate::users::api::Role;
use crate::users::audit::Entry;

/// Roles.
#[async_trait]
pub trait RoleStore: Send + Sync {
    /// All of them, by name.
    async fn roles(&self) -> Result<Vec<Role>, StorageError>;

    /// Makes the built-in roles what this version of Voicera says that they are.
    async fn seed_roles(&self, roles: Vec<Role>, now: Timestamp) -> Result<(), StorageError>;

    /// Makes a role or changes one that is not built in.
    async fn put_role(&self, role: Role, now: Timestamp, trail: Entry) -> Result<RoleChange, StorageError>;

    /// Removes a role that nobody has and that is not built in.
    async fn remove_role(&self, name: &str, trail: Entry) -> Result<RoleChange, StorageError>;
}

/// What changing a role came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// It is done.
    Done,
    /// It came with Voicera.
    BuiltIn,
    /// There is none of that name.
    Missing,
    /// Accounts have it.
    InUse,
}
