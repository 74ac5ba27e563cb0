//! All that the module keeps, as it is carried from one store to another.
//!
//! What belongs to an account goes with it, whole or not at all, and only to where there is none of its id:
//! what its owner has removed there since, or the account itself, does not come back. Sessions go one by
//! one, since they may be many; one whose account has changed there stays behind. Built-in roles are not
//! carried, because every installation has its own, and neither is a log-in or a ceremony that somebody was
//! in the middle of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Hash, Key, Purpose, Session, SigningKey, StoredPasskey};
use crate::kit::ids::{AuditId, SessionId, UserId};
use crate::users::account::Account;
use crate::users::api::{Revocation, Role};
use crate::users::audit::Entry;

/// Where a record stands: room by room, so that what another refers to comes before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordKey {
    /// A role, by its name.
    Role(String),
    /// A signing key, by its name.
    SigningKey(String),
    /// An account.
    Account(UserId),
    /// An account that is forgotten.
    Erased(UserId),
    /// A session.
    Session(SessionId),
    /// A refresh token that was used, by its SHA-256.
    SpentToken(Hash),
    /// An invitation, by the SHA-256 of its token.
    Invitation(Hash),
    /// A revocation, by its position.
    Revocation(u64),
    /// An entry of the trail.
    Entry(AuditId),
    /// An erasure that is not confirmed, by its account.
    Erasure(UserId),
}

impl RecordKey {
    /// Before the first room.
    pub(super) fn before_all() -> Self {
        Self::Role(String::new())
    }

    /// Before everything in the next room.
    pub(super) fn next_room(&self) -> Option<Self> {
        Some(match self {
            Self::Role(_) => Self::SigningKey(String::new()),
            Self::SigningKey(_) => Self::Account(Uuid::nil().into()),
            Self::Account(_) => Self::Erased(Uuid::nil().into()),
            Self::Erased(_) => Self::Session(Uuid::nil().into()),
            Self::Session(_) => Self::SpentToken([0; 32]),
            Self::SpentToken(_) => Self::Invitation([0; 32]),
            Self::Invitation(_) => Self::Revocation(0),
            Self::Revocation(_) => Self::Entry(Uuid::nil().into()),
            Self::Entry(_) => Self::Erasure(Uuid::nil().into()),
            Self::Erasure(_) => return None,
        })
    }
}

/// Something that is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A role that is not built in.
    Role(RoleRecord),
    /// A signing key.
    SigningKey(SigningKeyRecord),
    /// An account with what belongs to it.
    Account(Box<AccountRecord>),
    /// That there was an account: its id is not given again.
    Erased(ErasedRecord),
    /// A log-in.
    Session(Box<SessionRecord>),
    /// A refresh token from before the last two of its session.
    SpentToken(SpentTokenRecord),
    /// An invitation that was not accepted.
    Invitation(TokenRecord),
    /// What is refused before it expires, and where it stands in its store.
    Revocation(u64, Revocation),
    /// An entry of the trail.
    Entry(Box<Entry>),
    /// An erasure that other modules have not confirmed.
    Erasure(ErasureRecord),
}

impl Record {
    /// Where it stands.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Role(one) => RecordKey::Role(one.role.name.clone()),
            Self::SigningKey(one) => RecordKey::SigningKey(one.key.kid.clone()),
            Self::Account(one) => RecordKey::Account(one.account.id),
            Self::Erased(one) => RecordKey::Erased(one.user),
            Self::Session(one) => RecordKey::Session(one.session.id),
            Self::SpentToken(one) => RecordKey::SpentToken(one.hash),
            Self::Invitation(one) => RecordKey::Invitation(one.hash),
            Self::Revocation(position, _) => RecordKey::Revocation(*position),
            Self::Entry(one) => RecordKey::Entry(one.id),
            Self::Erasure(one) => RecordKey::Erasure(one.user),
        }
    }
}

/// A role.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleRecord {
    /// The role.
    pub role: Role,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl RoleRecord {
    /// Whether whoever has the role may do the same where it is this `other`.
    pub(super) fn permits_as(&self, other: &Role) -> bool {
        let Role { permissions, reach, built_in, .. } = &self.role;
        (permissions, reach, built_in) == (&other.permissions, &other.reach, &other.built_in)
    }
}

/// A signing key.
#[derive(Debug, Clone, PartialEq)]
pub struct SigningKeyRecord {
    /// The key.
    pub key: SigningKey,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An account with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRecord {
    /// The account.
    pub account: Account,
    /// When somebody showed that the address reaches them.
    pub email_verified_at: Option<Timestamp>,
    /// The password's hash, in the PHC string format.
    pub password: Option<String>,
    /// The second factor's secret, sealed.
    pub totp: Option<Vec<u8>>,
    /// The time step of the last code that was used.
    pub totp_step: u64,
    /// The SHA-256 of each recovery code that is good, in ascending order.
    pub recovery: Vec<Hash>,
    /// Its API keys, by id.
    pub keys: Vec<KeyRecord>,
    /// Its passkeys, by id.
    pub passkeys: Vec<PasskeyRecord>,
    /// What was sent to its owner to verify the address or to reset the password, by the SHA-256.
    pub tokens: Vec<TokenRecord>,
}

/// An API key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRecord {
    /// The key.
    pub key: Key,
    /// Its SHA-256.
    pub hash: Hash,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq)]
pub struct PasskeyRecord {
    /// The passkey.
    pub passkey: StoredPasskey,
    /// How often it says that it has signed.
    pub counter: u32,
}

/// A token that is good once.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRecord {
    /// Its SHA-256.
    pub hash: Hash,
    /// What it is for.
    pub purpose: Purpose,
    /// What it carries, sealed.
    pub payload: Option<Vec<u8>>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An account that is forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct ErasedRecord {
    /// Which.
    pub user: UserId,
    /// Since when.
    pub at: Timestamp,
}

/// A log-in.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRecord {
    /// The session.
    pub session: Session,
    /// Whose.
    pub user: UserId,
    /// The epoch of that account: where it has another one the session is not taken over.
    pub epoch: u64,
    /// Where the client was last, without the host part.
    pub network: Option<String>,
    /// When it was ended, if not by itself.
    pub ended_at: Option<Timestamp>,
    /// By what.
    pub ended_by: Option<String>,
    /// The SHA-256 of the refresh token that is good.
    pub current: Option<Hash>,
    /// The one before it.
    pub previous: Option<TradedToken>,
}

/// A refresh token that was traded for the one that is good.
#[derive(Debug, Clone, PartialEq)]
pub struct TradedToken {
    /// Its SHA-256.
    pub hash: Hash,
    /// When it was traded.
    pub used_at: Timestamp,
    /// What its successor was made with.
    pub salt: [u8; 32],
}

/// A refresh token that was used earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct SpentTokenRecord {
    /// Its SHA-256.
    pub hash: Hash,
    /// Its session.
    pub session: SessionId,
}

/// An erasure that other modules have not confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct ErasureRecord {
    /// Whose.
    pub user: UserId,
    /// When they are told again.
    pub due_at: Timestamp,
    /// How often they have been told.
    pub passes: u32,
}

/// What keeps accounts from being taken over.
pub(super) fn addresses_taken(addresses: &[String]) -> String {
    let (verb, those) = if addresses.len() == 1 { ("has", "address") } else { ("have", "addresses") };
    let shown: Vec<&str> = addresses.iter().take(10).map(String::as_str).collect();
    let more = if addresses.len() > shown.len() { " and more" } else { "" };
    format!("another account there {verb} the {those} {}{more}", shown.join(", "))
}

/// What keeps a role from being taken over.
pub(super) fn role_differs(name: &str) -> String {
    format!("the role `{name}` there permits something else")
}
