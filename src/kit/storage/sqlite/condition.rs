//! What is known about whether writes succeed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::kit::storage::StorageError;

/// How often a failing file is tried by checks.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// Shared between the writer, which knows, and those who ask.
#[derive(Debug, Default)]
pub(super) struct Condition(Mutex<Option<Trouble>>);

#[derive(Debug)]
struct Trouble {
    error: StorageError,
    tried: Option<Timestamp>,
}

impl Condition {
    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction was committed.
    pub(super) fn succeeded(&self) {
        *self.trouble() = None;
    }

    /// A transaction failed. An error that is one operation's own says nothing about the others.
    pub(super) fn failed(&self, error: &StorageError) {
        if !error.concerns_all() {
            return;
        }
        let mut trouble = self.trouble();
        let tried = trouble.take().and_then(|trouble| trouble.tried);
        *trouble = Some(Trouble { error: error.clone(), tried });
    }

    /// Why writes fail, if they do.
    pub(super) fn error(&self) -> Option<StorageError> {
        self.trouble().as_ref().map(|trouble| trouble.error.clone())
    }

    /// Whether it is time to try; if so, whoever asked is the one to do it.
    pub(super) fn try_now(&self, now: Timestamp) -> bool {
        let mut trouble = self.trouble();
        let Some(trouble) = trouble.as_mut() else { return false };
        let due = trouble.tried.is_none_or(|tried| now.duration_since(tried).abs() >= PAUSE);
        if due {
            trouble.tried = Some(now);
        }
        due
    }
}
