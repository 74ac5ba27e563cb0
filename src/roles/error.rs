//! Why a role could not start, in words that say what to do about it.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::Role;
use crate::kit::http::tls::TlsError;
use crate::kit::peer::PeerError;
use crate::kit::queue::QueueError;
use crate::kit::redis::{OpenError, RedisError};
use crate::kit::storage::StorageError;

/// Why a role could not start.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// The address can't be listened on.
    #[error(
        "cannot listen on {0}: {1}\n  fix: stop what uses it, or choose another with --listen ADDR:PORT (port 0 picks a free one)"
    )]
    Listen(SocketAddr, std::io::Error),
    /// The certificate can't be used.
    #[error("TLS cannot be used: {0}\n  fix: correct server.tls_certificate and server.tls_key")]
    Tls(#[from] TlsError),
    /// The data folder can't be used.
    #[error("the data folder {} cannot be used: {reason}\n  fix: {fix}", folder.display())]
    DataFolder {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
        /// What to do.
        fix: String,
    },
    /// The data folder holds no accounts.
    #[error("there is no installation in {}: it has no accounts yet\n  fix: name its data folder with --data-dir DIR, or begin one with `voicera serve` or `voicera user create`", folder.display())]
    NoAccounts {
        /// The folder.
        folder: PathBuf,
    },
    /// A store can't be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The configured Redis is none that can be used.
    #[error(
        "Redis cannot be used: {0}\n  fix: correct redis.url of the configuration; docs/REDIS.md has its forms"
    )]
    Redis(#[from] OpenError),
    /// Redis is there and does not let this process in.
    #[error("{0}\n  fix: correct redis.url, or the user on the server; docs/REDIS.md has what it needs")]
    RedisRefuses(RedisError),
    /// Training data is broken or missing.
    #[error("the skills cannot be loaded:\n{0}")]
    Skills(String),
    /// The language model's settings can't work.
    #[error("the language model cannot be used: {0}\n  fix: correct the section [llm] of the configuration")]
    Llm(String),
    /// The parameters of password hashing can't work.
    #[error(
        "passwords cannot be hashed: {0}\n  fix: correct the section [users.password] of the configuration"
    )]
    Passwords(String),
    /// Messages to people can't be sent.
    #[error("messages to people cannot be sent: {0}")]
    Mail(String),
    /// The domain and the origin of passkeys can't work.
    #[error("passkeys cannot be used: {0}\n  fix: correct the section [users.passkeys] of the configuration")]
    Passkeys(String),
    /// The users module can't be made ready.
    #[error("accounts cannot be used: {0}")]
    Users(String),
    /// The store of accounts is away, which may pass.
    #[error("accounts cannot be used yet: {0}")]
    NotYet(String),
    /// A peer's address is no address.
    #[error("a peer cannot be called: {0}")]
    Peer(#[from] PeerError),
    /// An upstream's address is no address.
    #[error("a service cannot be reached: {0}")]
    Upstream(String),
    /// The routes file has mistakes.
    #[error("the gateway's routes cannot be used: {0}")]
    Routes(String),
    /// The binary lacks a module.
    #[error("this binary was built without the role `{0}`\n  fix: build it with all features")]
    NotBuilt(Role),
}

impl RoleError {
    /// Whether the operator asked for something that cannot be, rather than something went wrong.
    pub const fn is_wrong_use(&self) -> bool {
        matches!(
            self,
            Self::Skills(_)
                | Self::Llm(_)
                | Self::Passwords(_)
                | Self::Mail(_)
                | Self::Redis(_)
                | Self::Passkeys(_)
                | Self::Peer(_)
                | Self::Upstream(_)
                | Self::Routes(_)
                | Self::Tls(_)
                | Self::NotBuilt(_)
        )
    }
}
