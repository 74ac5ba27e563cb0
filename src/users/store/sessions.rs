//! Sessions and the refresh tokens that keep them going.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::kit::ids::{SessionId, UserId};
use crate::kit::storage::StorageError;
use crate::users::account::Account;
use crate::users::audit::Entry;

/// The SHA-256 of something secret.
pub type Hash = [u8; 32];

/// Sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session with its first refresh token; false if the account may not be used any more, or
    /// has changed since its owner was checked.
    async fn open_session(&self, session: NewSession) -> Result<bool, StorageError>;

    /// The session that a refresh token with this SHA-256 was made for, whatever has become of either;
    /// `None` for one that nobody made, or that is forgotten.
    async fn refreshed_by(&self, refresh: &Hash) -> Result<Option<SessionId>, StorageError>;

    /// Trades a refresh token for the next one, in one step.
    async fn rotate(&self, rotate: Rotate) -> Result<Rotation, StorageError>;

    /// The sessions that somebody has, latest first.
    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError>;

    /// Ends sessions; answers how many.
    async fn end_sessions(&self, end: EndSessions) -> Result<u64, StorageError>;

    /// Whether somebody has logged in from this network since `since`.
    async fn knows_network(
        &self,
        user: UserId,
        network: &str,
        since: Timestamp,
    ) -> Result<bool, StorageError>;
}

/// A session to open.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The account's epoch when its owner was checked: in another one there is no session.
    pub epoch: u64,
    /// What the client calls itself.
    pub device: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// The network of that.
    pub network: Option<String>,
    /// How the log-in was done: `password`, `password+totp`, `passkey` …
    pub method: String,
    /// The SHA-256 of the first refresh token.
    pub refresh: Hash,
    /// Now.
    pub at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// A session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What the client calls itself.
    pub device: Option<String>,
    /// Where it was last.
    pub address: Option<String>,
    /// How the log-in was done.
    pub method: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub last_seen_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A refresh token to trade.
#[derive(Debug, Clone)]
pub struct Rotate {
    /// The SHA-256 of the one that was presented.
    pub presented: Hash,
    /// The SHA-256 of the next one, if the presented one is current.
    pub successor: Hash,
    /// What the next one was made with.
    pub salt: [u8; 32],
    /// How long the one before may come again.
    pub grace: SignedDuration,
    /// How much longer the session goes on from now.
    pub lifetime: SignedDuration,
    /// How long it goes on at most, from its beginning.
    pub longest: SignedDuration,
    /// Where the client is now.
    pub address: Option<String>,
    /// The network of that.
    pub network: Option<String>,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say if the token was used before.
    pub reuse: Entry,
}

/// What trading came to.
#[derive(Debug, Clone)]
pub enum Rotation {
    /// The successor is current now.
    Next {
        /// The session.
        session: SessionId,
        /// Whose it is.
        account: Box<Account>,
    },
    /// It was traded a moment ago, and its successor has not been used: this made that one.
    Again {
        /// The session.
        session: SessionId,
        /// Whose it is.
        account: Box<Account>,
        /// What the successor was made with.
        salt: [u8; 32],
    },
    /// It had been used: somebody else has it. The session is over.
    Reused,
    /// No such token, or its session is over, or its account may not log in.
    Unknown,
}

/// Which sessions to end.
#[derive(Debug, Clone)]
pub struct EndSessions {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub which: Which,
    /// Now.
    pub at: Timestamp,
    /// What the trail will say.
    pub trail: Entry,
}

/// Which sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// One.
    One(SessionId),
    /// All of them.
    All,
    /// All but one.
    Others(SessionId),
}

impl Which {
    /// The only one that is meant, and the one that is not.
    pub(super) fn only_and_kept(self) -> (Option<SessionId>, Option<SessionId>) {
        match self {
            Self::One(session) => (Some(session), None),
            Self::All => (None, None),
            Self::Others(session) => (None, Some(session)),
        }
    }
}
