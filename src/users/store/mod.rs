//! Where accounts and keys are kept.

pub mod sqlite;

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::kit::auth::{Principal, Scope};
use crate::kit::ids::{KeyId, UserId};
use crate::kit::storage::StorageError;

/// Accounts and keys.
#[async_trait]
pub trait UserStore: Debug + Send + Sync {
    /// Whose key has this SHA-256, and what it is good for.
    async fn by_key(&self, hash: &[u8; 32]) -> Result<Option<Principal>, StorageError>;

    /// Whether there is any key at all.
    async fn has_keys(&self) -> Result<bool, StorageError>;

    /// Adds an account with its first key.
    async fn add(&self, account: NewAccount) -> Result<(), StorageError>;

    /// Whether the store can be read and written, as far as is known.
    async fn check(&self) -> Result<(), StorageError>;

    /// Flushes and closes.
    async fn close(&self);
}

/// An account with its first key.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The account.
    pub user_id: UserId,
    /// Its name, for people.
    pub name: String,
    /// The key.
    pub key_id: KeyId,
    /// The key's SHA-256.
    pub hash: [u8; 32],
    /// What the key is good for.
    pub scopes: BTreeSet<Scope>,
    /// Now.
    pub created_at: Timestamp,
}
