//! What the audit trail says of one person, a page at a time: nobody knows how long it is.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::kit::http::page::{From, LARGEST_LIMIT, Page};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::users::audit::Entry;
use crate::users::store::{AuditQuery, UserStore, Within};

/// The entries about a person and those of what they did, latest first. What in them is somebody else's
/// is left out: whoever did it is named by the id alone.
#[derive(Debug)]
pub struct TrailOf {
    store: Arc<dyn UserStore>,
    user: UserId,
    done_to: Side,
    done_by: Side,
}

/// One of the two.
#[derive(Debug)]
struct Side {
    query: AuditQuery,
    read: VecDeque<Entry>,
    more: bool,
}

impl TrailOf {
    /// The trail of `user` as it is now: what is written later is not in it.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(store: Arc<dyn UserStore>, user: UserId) -> Result<Self, StorageError> {
        let (done_to, done_by) = (Side::new(None, Some(user)), Side::new(Some(user), None));
        let mut trail = Self { store, user, done_to, done_by };
        trail.fill().await?;
        Ok(trail)
    }

    /// The next entries; none when there are no more.
    ///
    /// # Errors
    /// The store's.
    pub async fn page(&mut self) -> Result<Vec<Entry>, StorageError> {
        let mut page = Vec::new();
        while page.len() < LARGEST_LIMIT as usize {
            self.fill().await?;
            let place = |side: &Side| side.read.front().map(|entry| (entry.at, entry.id));
            let side = if place(&self.done_to) >= place(&self.done_by) {
                &mut self.done_to
            } else {
                &mut self.done_by
            };
            let Some(entry) = side.read.pop_front() else { break };
            page.push(without_others(entry, self.user));
        }
        Ok(page)
    }

    async fn fill(&mut self) -> Result<(), StorageError> {
        self.done_to.fill(self.store.as_ref(), |_| true).await?;
        // What somebody did to himself is on the other side already.
        let user = self.user;
        self.done_by.fill(self.store.as_ref(), |entry| entry.target != Some(user)).await
    }
}

impl Side {
    fn new(actor: Option<UserId>, target: Option<UserId>) -> Self {
        let query = AuditQuery {
            within: Within::Everyone,
            actor,
            target,
            action: None,
            outcome: None,
            from: None,
            to: None,
            page: Page { limit: LARGEST_LIMIT, from: From::Offset(0) },
        };
        Self { query, read: VecDeque::new(), more: true }
    }

    async fn fill(
        &mut self,
        store: &dyn UserStore,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<(), StorageError> {
        while self.read.is_empty() && self.more {
            let page = store.audit(self.query.clone()).await?;
            self.read.extend(page.entries.into_iter().filter(&wanted));
            match page.next {
                Some(next) => self.query.page.from = From::After(next),
                None => self.more = false,
            }
        }
        Ok(())
    }
}

/// The entry as its person may have it: where somebody else was when he did it, and with what, is his.
fn without_others(entry: Entry, user: UserId) -> Entry {
    match entry.actor {
        Some(other) if other != user => {
            Entry { credential: None, address: None, device: None, request_id: None, ..entry }
        }
        _ => entry,
    }
}
