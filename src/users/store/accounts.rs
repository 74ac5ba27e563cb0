//! Accounts and the passwords to them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Within;
use crate::kit::http::page::{Cursor, Page};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
#[cfg(doc)]
use crate::users::account::folded;
use crate::users::account::{Account, Email, Kind, Profile, Status};
use crate::users::api::Preferences;
use crate::users::audit::Entry;

/// Accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// One account.
    async fn account(&self, id: UserId, within: &Within) -> Result<Option<Account>, StorageError>;

    /// The account of an e-mail address, with what a log-in is checked against.
    async fn by_email(&self, email: &Email) -> Result<Option<Login>, StorageError>;

    /// The same by id.
    async fn login(&self, id: UserId) -> Result<Option<Login>, StorageError>;

    /// A page of accounts.
    async fn accounts(&self, query: AccountQuery) -> Result<AccountPage, StorageError>;

    /// How many there are.
    async fn account_stats(&self, within: &Within) -> Result<AccountStats, StorageError>;

    /// Adds an account, unless its address is taken.
    async fn add_account(&self, account: NewAccount) -> Result<Added, StorageError>;

    /// Changes an account, whole or not at all: [`Changed::Missing`], [`Changed::Stale`],
    /// [`Changed::LastAdmin`] and [`Changed::NoSuchRole`] leave everything as it was, and nothing in the
    /// trail. The version grows by one, except for [`Change::Rehash`], of which the trail says nothing.
    /// Where a change says that tokens are refused, the epoch grows by one and is revoked.
    async fn change_account(&self, change: ChangeAccount) -> Result<Changed, StorageError>;

    /// Notes that accounts were used.
    async fn touch_accounts(&self, seen: Vec<(UserId, Timestamp)>) -> Result<(), StorageError>;

    /// Forgets who an account belonged to: its fields, credentials, sessions and second factors.
    async fn erase_account(&self, erase: EraseAccount) -> Result<Changed, StorageError>;

    /// Pending accounts whose address nobody has verified and that were last changed before `before`, those
    /// of longest ago first, at most `limit`. Nobody has ever got into one.
    async fn unverified(&self, before: Timestamp, limit: u32) -> Result<Vec<Account>, StorageError>;

    /// Removes accounts altogether, with all that belongs to them, each with its entry in the trail; one
    /// that has another version by now stays. Answers how many are gone.
    async fn remove_accounts(&self, remove: Vec<RemoveAccount>) -> Result<u64, StorageError>;

    /// Erasures that other modules have not confirmed, and are due.
    async fn due_erasures(&self, now: Timestamp, limit: u32) -> Result<Vec<DueErasure>, StorageError>;

    /// Notes how an erasure went on: due again, or done.
    async fn settle_erasure(&self, user: UserId, due_again: Option<Timestamp>) -> Result<(), StorageError>;
}

/// What a log-in is checked against.
#[derive(Debug, Clone)]
pub struct Login {
    /// The account.
    pub account: Account,
    /// The password's hash, in the PHC string format.
    pub password: Option<String>,
    /// The second factor's secret, sealed.
    pub totp: Option<Vec<u8>>,
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its id.
    pub id: UserId,
    /// A person or a service.
    pub kind: Kind,
    /// Its name, for people.
    pub name: String,
    /// Its address.
    pub email: Option<Email>,
    /// Whether the address is known to reach somebody.
    pub email_verified: bool,
    /// The password's hash.
    pub password: Option<String>,
    /// How it stands.
    pub status: Status,
    /// Its role.
    pub role: String,
    /// Its institution.
    pub institution: Option<String>,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// What adding came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Done,
    /// Somebody has that address.
    EmailTaken,
}

/// A change to one account.
#[derive(Debug, Clone)]
pub struct ChangeAccount {
    /// Which.
    pub id: UserId,
    /// Which ones the caller may change at all.
    pub within: Within,
    /// The version that the caller knows; another one is [`Changed::Stale`].
    pub if_version: Option<u64>,
    /// What to change.
    pub change: Change,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// What may be changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// What describes an account; absent fields stay.
    Describe(Box<Description>),
    /// Its role. Tokens made out before are refused.
    Role(String),
    /// How it stands. Any but active ends its sessions.
    Status(Status),
    /// Its password's hash, with the sessions that go on (`None`: none does).
    Password {
        /// In the PHC string format.
        hash: String,
        /// The session that stays.
        keep: Option<crate::kit::ids::SessionId>,
    },
    /// Its password's hash with other parameters; nothing else changes.
    Rehash(String),
    /// Its address is verified; a pending account becomes active.
    Verified,
    /// A pending account becomes that of whoever was invited to its address: it is active, the address
    /// verified, and what was begun with the earlier password ends as with [`Change::Password`].
    TakeOver {
        /// The password's hash, in the PHC string format.
        hash: String,
        /// The role.
        role: String,
        /// The institution.
        institution: Option<String>,
    },
    /// Its second factor, recovery codes and passkeys are gone, and so is every token that is good once
    /// but those to verify the address. Its sessions end; tokens made out before are refused.
    ResetSecondFactor,
}

/// What describes an account. `Some(None)` takes a field away.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Its name.
    pub name: Option<String>,
    /// A picture.
    pub avatar: Option<Option<String>>,
    /// What its owner prefers.
    pub preferences: Option<Preferences>,
    /// What its owner says.
    pub profile: Option<Profile>,
    /// What clients keep.
    pub metadata: Option<Map<String, Value>>,
    /// Its institution. Tokens made out before are refused.
    pub institution: Option<Option<String>>,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// The account as it is now.
    Done(Box<Account>),
    /// There is none, or none that the caller may know of.
    Missing,
    /// It has another version.
    Stale,
    /// It would leave no active account of the role `admin` that somebody can get into.
    LastAdmin,
    /// There is no such role.
    NoSuchRole,
}

/// Forgetting who an account belonged to.
#[derive(Debug, Clone)]
pub struct EraseAccount {
    /// Which.
    pub id: UserId,
    /// Which ones the caller may erase at all.
    pub within: Within,
    /// The version that the caller knows; another one is [`Changed::Stale`].
    pub if_version: Option<u64>,
    /// When other modules are told again.
    pub due_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// An account to remove altogether: one that never was anybody's.
#[derive(Debug, Clone)]
pub struct RemoveAccount {
    /// Which.
    pub id: UserId,
    /// The version that was judged.
    pub if_version: u64,
    /// What the trail will say.
    pub trail: Entry,
}

/// An erasure that other modules have not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueErasure {
    /// Whose.
    pub user: UserId,
    /// How often they have been told.
    pub passes: u32,
}

/// Which accounts.
#[derive(Debug, Clone)]
pub struct AccountQuery {
    /// Whose.
    pub within: Within,
    /// A part of the name or of the address, once all of them are [`folded`].
    pub search: Option<String>,
    /// With this role.
    pub role: Option<String>,
    /// Standing so.
    pub status: Option<Status>,
    /// Of this institution.
    pub institution: Option<String>,
    /// In which order.
    pub sort: AccountSort,
    /// Which page.
    pub page: Page,
}

/// In which order accounts are listed. A cursor goes with [`AccountSort::Newest`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountSort {
    /// Latest first.
    #[default]
    Newest,
    /// Earliest first.
    Oldest,
    /// By name, [`folded`].
    Name,
    /// Latest used first.
    LastActive,
}

/// A page of accounts.
#[derive(Debug, Clone)]
pub struct AccountPage {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Where the next page begins, if there is one and the order has cursors.
    pub next: Option<Cursor>,
}

/// How many accounts there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountStats {
    /// All.
    pub total: u64,
    /// By status.
    pub by_status: BTreeMap<String, u64>,
    /// By role.
    pub by_role: BTreeMap<String, u64>,
}
