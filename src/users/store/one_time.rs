//! Tokens that are good once.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Hash;
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;

/// Tokens that are good once.
#[async_trait]
pub trait OneTimeStore: Send + Sync {
    /// Keeps a token. Earlier ones of the same account and purpose are dropped if it says so.
    async fn issue(&self, token: OneTime) -> Result<(), StorageError>;

    /// Takes a token out, if it is there and has not expired.
    async fn redeem(
        &self,
        purpose: Purpose,
        hash: &Hash,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, StorageError>;

    /// Counts a try at a token that stays: `None` once it has expired or has been tried `most` times.
    async fn attempt(
        &self,
        purpose: Purpose,
        hash: &Hash,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Redeemed>, StorageError>;
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To show that an address reaches somebody.
    Verify,
    /// To set a password without knowing the old one.
    Reset,
    /// To register where that is by invitation.
    Invite,
    /// To finish a log-in with the second factor.
    SecondFactor,
    /// To finish setting up a second factor.
    EnrolTotp,
    /// To finish adding a passkey.
    AddPasskey,
    /// To finish a log-in with a passkey.
    UsePasskey,
}

impl Purpose {
    /// Those of tokens that somebody has in a message; the others end with what is being done.
    pub const SENT: [Self; 3] = [Self::Verify, Self::Reset, Self::Invite];

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Invite => "invite",
            Self::SecondFactor => "second_factor",
            Self::EnrolTotp => "enrol_totp",
            Self::AddPasskey => "add_passkey",
            Self::UsePasskey => "use_passkey",
        }
    }
}

/// A token to keep.
#[derive(Debug, Clone)]
pub struct OneTime {
    /// Its SHA-256.
    pub hash: Hash,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose account it concerns.
    pub user: Option<UserId>,
    /// What it carries, sealed.
    pub payload: Option<Vec<u8>>,
    /// Whether it takes the place of earlier ones.
    pub only: bool,
    /// Now.
    pub at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A token that was good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// Whose account it concerns.
    pub user: Option<UserId>,
    /// What it carries, sealed.
    pub payload: Option<Vec<u8>>,
}
