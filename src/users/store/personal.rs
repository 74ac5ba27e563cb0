//! What else is kept of a person, to be handed out.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::kit::ids::{PasskeyId, UserId};
use crate::kit::storage::StorageError;

/// What else is kept of a person.
#[async_trait]
pub trait PersonalStore: Send + Sync {
    /// Somebody's passkeys, earliest first.
    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StorageError>;
}

/// A passkey, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// For people.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}
