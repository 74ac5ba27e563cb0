//! Passkeys.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::kit::ids::{PasskeyId, UserId};
use crate::kit::storage::StorageError;
use crate::users::audit::Entry;

/// Passkeys.
#[async_trait]
pub trait PasskeyStore: Send + Sync {
    /// Keeps a passkey.
    async fn add_passkey(&self, passkey: NewPasskey) -> Result<AddedPasskey, StorageError>;

    /// Somebody's passkeys, earliest first.
    async fn passkeys(&self, user: UserId) -> Result<Vec<StoredPasskey>, StorageError>;

    /// The passkey that names itself so.
    async fn passkey(&self, credential_id: &[u8]) -> Result<Option<StoredPasskey>, StorageError>;

    /// Notes that a passkey was used; false when it is gone, or when its counter has not grown: then
    /// there are two of it.
    async fn use_passkey(&self, used: UsedPasskey) -> Result<bool, StorageError>;

    /// Removes a passkey, unless its owner could not log in any more.
    async fn remove_passkey(&self, remove: RemovePasskey) -> Result<RemovedPasskey, StorageError>;
}

/// A passkey to keep.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    /// Its id here.
    pub id: PasskeyId,
    /// Its own id.
    pub credential_id: Vec<u8>,
    /// Whose.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What its answers are checked with.
    pub credential: String,
    /// How many somebody may have.
    pub most: u32,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// What keeping came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedPasskey {
    /// It is there.
    Done,
    /// It was there before, here or with another account.
    Known,
    /// Its owner has as many as one may have.
    TooMany,
    /// There is no such account, or not any more.
    NoAccount,
}

/// A passkey that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPasskey {
    /// Its id here.
    pub id: PasskeyId,
    /// Its own id.
    pub credential_id: Vec<u8>,
    /// Whose.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What its answers are checked with.
    pub credential: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used to log in.
    pub last_used_at: Option<Timestamp>,
}

/// A passkey that was used.
#[derive(Debug, Clone)]
pub struct UsedPasskey {
    /// Which.
    pub id: PasskeyId,
    /// What its next answers are checked with.
    pub credential: String,
    /// How often it says that it has signed; 0 for one that does not count.
    pub counter: u32,
    /// Now.
    pub at: Timestamp,
}

/// A passkey to remove.
#[derive(Debug, Clone)]
pub struct RemovePasskey {
    /// Which.
    pub id: PasskeyId,
    /// Whose.
    pub user: UserId,
    /// What the trail will say.
    pub trail: Entry,
}

/// What removing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedPasskey {
    /// It is gone.
    Done,
    /// There is none, or it is somebody else's.
    Missing,
    /// There is no password and no other passkey.
    LastWayIn,
}
