//! The audit trail.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Within;
use crate::kit::http::page::{Cursor, Page};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::users::audit::{Action, Entry, Outcome};

/// The audit trail.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Adds an entry that goes with no change.
    async fn append(&self, entry: Entry) -> Result<(), StorageError>;

    /// A page of entries, latest first.
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StorageError>;
}

/// Which entries.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Concerning whose accounts.
    pub within: Within,
    /// Done by.
    pub actor: Option<UserId>,
    /// Done to.
    pub target: Option<UserId>,
    /// What.
    pub action: Option<Action>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Which page.
    pub page: Page,
}

/// A page of entries.
#[derive(Debug, Clone)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}
