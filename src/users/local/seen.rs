//! When accounts and keys were last used: noted in memory, written now and then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::kit::ids::{KeyId, UserId};
use crate::kit::storage::StorageError;
use crate::users::store::UserStore;

/// Keys that are noted between two writes; further ones are noted next time.
const MOST: usize = 10_000;

/// Who was seen since it was last written.
#[derive(Debug, Default)]
pub struct Seen(Mutex<HashMap<KeyId, (UserId, Timestamp)>>);

impl Seen {
    /// Notes that `user` used `key`.
    pub fn note(&self, user: UserId, key: KeyId, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MOST || seen.contains_key(&key) {
            seen.insert(key, (user, now));
        }
    }

    /// Writes what was noted.
    ///
    /// # Errors
    /// The store's; what could not be written is forgotten.
    pub async fn write(&self, store: &dyn UserStore) -> Result<(), StorageError> {
        let seen = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if seen.is_empty() {
            return Ok(());
        }
        store.touch_accounts(seen.values().copied().collect()).await?;
        store.touch_keys(seen.into_iter().map(|(key, (_, at))| (key, at)).collect()).await
    }
}
