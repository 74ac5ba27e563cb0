//! Where accounts are kept, with their sessions, keys, roles and trail.
//!
//! One trait a room, so that who needs sessions sees sessions; [`UserStore`] is all of them. Every
//! change takes the [`Entry`] that tells of it and writes both or neither. Whose account may be seen
//! or changed is part of the query ([`Within`]), not a check after it.

mod accounts;
mod audit;
#[cfg(test)]
mod conformance;
mod keys;
pub mod mongo;
mod one_time;
mod passkeys;
mod portable;
mod roles;
mod second_factor;
mod sessions;
pub mod sqlite;
mod trust;

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

pub use accounts::*;
pub use audit::*;
pub use keys::*;
pub use one_time::*;
pub use passkeys::*;
pub use portable::*;
pub use roles::*;
pub use second_factor::*;
pub use sessions::*;
pub use trust::*;

use crate::kit::auth::{Principal, Reach};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::Portable;

#[cfg(doc)]
use crate::users::audit::Entry;

/// How long a revocation is remembered: no access token and no remembered key outlives it.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(2);

/// For how long a key is kept that is revoked or has expired.
pub const KEYS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// For how long the networks of earlier log-ins are known ones.
pub const NETWORKS_KNOWN_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// All that the users module keeps.
#[async_trait]
pub trait UserStore:
    AccountStore
    + SessionStore
    + SecondFactorStore
    + PasskeyStore
    + KeyStore
    + RoleStore
    + OneTimeStore
    + TrustStore
    + AuditStore
    + Portable<Key = RecordKey, Entry = Record>
    + Debug
{
    /// Whether the store can be read and written, as far as is known.
    async fn check(&self) -> Result<(), StorageError>;

    /// Removes what has expired and nobody will ask for again; answers how much.
    async fn prune(&self, now: Timestamp) -> Result<u64, StorageError>;

    /// Flushes and closes.
    async fn close(&self);
}

/// Whose accounts a query is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// All.
    Everyone,
    /// Those of one institution.
    Institution(String),
    /// One.
    Only(UserId),
}

impl Within {
    /// As far as the principal's role reaches.
    pub fn reach_of(principal: &Principal) -> Self {
        match (principal.reach, &principal.institution) {
            (Reach::Everyone, _) => Self::Everyone,
            (Reach::Institution, Some(institution)) => Self::Institution(institution.clone()),
            // An institution's administrator without one reaches nobody else.
            (Reach::Institution, None) | (Reach::Own, _) => Self::Only(principal.user_id),
        }
    }
}
