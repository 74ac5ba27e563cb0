//! Second factors: codes by the clock, and recovery codes for who has lost what makes them.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Hash;
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::users::audit::Entry;

/// Second factors.
#[async_trait]
pub trait SecondFactorStore: Send + Sync {
    /// Turns the second factor on; false when it is on already.
    async fn enable_totp(&self, enable: EnableTotp) -> Result<bool, StorageError>;

    /// Takes it off, and the recovery codes with it; false when there is none.
    async fn disable_totp(&self, disable: DisableTotp) -> Result<bool, StorageError>;

    /// Uses up the code of a time step, and those of all earlier steps; false when it was used up.
    async fn use_totp_step(&self, user: UserId, step: u64) -> Result<bool, StorageError>;

    /// Uses up a recovery code; false when it was used, or is none.
    async fn use_recovery_code(&self, user: UserId, hash: &Hash, at: Timestamp)
    -> Result<bool, StorageError>;

    /// Puts recovery codes in the place of earlier ones; false without a second factor.
    async fn renew_recovery_codes(&self, renew: RenewRecoveryCodes) -> Result<bool, StorageError>;
}

/// Turning a second factor on.
#[derive(Debug, Clone)]
pub struct EnableTotp {
    /// Whose.
    pub user: UserId,
    /// The secret, sealed.
    pub secret: Vec<u8>,
    /// The time step of the code that was shown with it: that one is used up.
    pub step: u64,
    /// The SHA-256 of each recovery code.
    pub recovery: Vec<Hash>,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// Taking a second factor off.
#[derive(Debug, Clone)]
pub struct DisableTotp {
    /// Whose.
    pub user: UserId,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// New recovery codes.
#[derive(Debug, Clone)]
pub struct RenewRecoveryCodes {
    /// Whose.
    pub user: UserId,
    /// The SHA-256 of each.
    pub recovery: Vec<Hash>,
    /// What the trail will say.
    pub trail: Entry,
}
