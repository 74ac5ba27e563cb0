//! Signing keys and revocations: what every service has to know.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::kit::storage::StorageError;
use crate::users::api::Revocation;
use crate::users::audit::Entry;

/// Signing keys and revocations.
#[async_trait]
pub trait TrustStore: Send + Sync {
    /// The signing keys that verify something yet, by the time from which they sign.
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SigningKey>, StorageError>;

    /// Adds a signing key, and ends the others as it says. If it is the first one and another first
    /// one has come before it, nothing is done.
    async fn add_signing_key(&self, key: NewSigningKey) -> Result<(), StorageError>;

    /// What was revoked after `position`, oldest first and `limit` at most, and the position to go on
    /// from. Nothing that is revoked later comes before it.
    async fn revocations(&self, position: u64, limit: u32) -> Result<(Vec<Revocation>, u64), StorageError>;
}

/// A key that signs access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name.
    pub kid: String,
    /// The private half, sealed.
    pub seed: Vec<u8>,
    /// The public half, 32 bytes.
    pub public: Vec<u8>,
    /// From when it signs.
    pub active_at: Timestamp,
    /// When the last token that it signed has expired; `None` while there is no later one.
    pub expires_at: Option<Timestamp>,
}

/// A signing key to add.
#[derive(Debug, Clone)]
pub struct NewSigningKey {
    /// The key.
    pub key: SigningKey,
    /// Only if there is no other.
    pub first: bool,
    /// When the others verify nothing any more.
    pub others_expire_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}
