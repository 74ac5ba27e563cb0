//! API keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Hash, NewAccount};
use crate::kit::auth::Scope;
use crate::kit::http::page::{Cursor, Page};
use crate::kit::ids::{KeyId, UserId};
use crate::kit::storage::StorageError;
use crate::users::audit::Entry;
use crate::users::identity::Identity;

/// API keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Whose key has this SHA-256, if it is good and its account is active.
    async fn by_key(&self, hash: &Hash, now: Timestamp) -> Result<Option<Identity>, StorageError>;

    /// Whether there ever was a key, even if it is forgotten by now.
    async fn has_had_keys(&self) -> Result<bool, StorageError>;

    /// Adds a key.
    async fn add_key(&self, key: NewKey) -> Result<AddedKey, StorageError>;

    /// Adds the first account with the first key; false, and nothing, if there ever was one.
    async fn add_first_key(&self, first: FirstKey) -> Result<bool, StorageError>;

    /// A page of somebody's keys, latest first.
    async fn keys(&self, user: UserId, page: Page) -> Result<KeyPage, StorageError>;

    /// One key, and whose it is.
    async fn key(&self, id: KeyId) -> Result<Option<(UserId, Key)>, StorageError>;

    /// Revokes a key of somebody's; false if there is none that is good.
    async fn revoke_key(&self, revoke: RevokeKey) -> Result<bool, StorageError>;

    /// Notes that keys were used.
    async fn touch_keys(&self, used: Vec<(KeyId, Timestamp)>) -> Result<(), StorageError>;
}

/// A key to add.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// Whose.
    pub user: UserId,
    /// For people.
    pub name: String,
    /// Its beginning, by which its owner knows it again.
    pub prefix: String,
    /// Its SHA-256: it is 256 random bits, which no dictionary holds.
    pub hash: Hash,
    /// What it is limited to; `None` for whatever the role permits.
    pub scopes: Option<BTreeSet<Scope>>,
    /// Now.
    pub at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// How many good ones somebody may have.
    pub most: u32,
    /// What the trail will say.
    pub trail: Entry,
}

/// What adding a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedKey {
    /// It is there.
    Done,
    /// There is one of that id.
    Known,
    /// Its owner has as many good ones as one may have.
    TooMany,
    /// There is no such account, or not any more.
    NoAccount,
}

/// The account that an installation begins with, and the key to it.
#[derive(Debug, Clone)]
pub struct FirstKey {
    /// The account.
    pub account: NewAccount,
    /// Its key.
    pub key: NewKey,
}

/// A page of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<Key>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A key, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// For people.
    pub name: String,
    /// Its beginning.
    pub prefix: String,
    /// What it is limited to.
    pub scopes: Option<BTreeSet<Scope>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A key to revoke.
#[derive(Debug, Clone)]
pub struct RevokeKey {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub id: KeyId,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}
