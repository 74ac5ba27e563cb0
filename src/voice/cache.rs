//! Answers that were given before, and one flight for a question that many ask at once.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::kit::ids::UserId;
use crate::voice::api::CommandResult;
use crate::voice::command::Utterance;

/// Everything that an answer depends on, as a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of `utterance`, said by `owner` and answered by the model of `version`.
    ///
    /// The owner is part of it: no answer is ever shown to somebody else.
    pub fn of(owner: UserId, utterance: &Utterance, version: &str) -> Self {
        let mut hash = Sha256::new();
        let context = utterance.context.to_string();
        let language = utterance.language.as_deref().unwrap_or_default();
        for part in [owner.uuid().as_bytes(), version.as_bytes(), language.as_bytes(), context.as_bytes()] {
            // The length keeps "ab"+"c" apart from "a"+"bc".
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        hash.update(utterance.text.as_bytes());
        Self(hash.finalize().into())
    }
}

/// An answer, and whether it may be given again.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The answer.
    pub result: CommandResult,
    /// False for answers that depend on the clock, or that a better tier would have given.
    pub repeatable: bool,
}

/// The answers that may be repeated.
#[derive(Debug, Clone)]
pub struct AnswerCache(Cache<Key, Arc<CommandResult>>);

impl AnswerCache {
    /// A cache of so many answers, each good for `ttl`.
    pub fn new(entries: u64, ttl: Duration) -> Self {
        Self(Cache::builder().max_capacity(entries).time_to_live(ttl).build())
    }

    /// The cached answer, or `compute`'s; who asks meanwhile waits for the same one. True when it
    /// was computed for this caller.
    pub async fn get_or(
        &self,
        key: Key,
        compute: impl Future<Output = Answered>,
    ) -> (Arc<CommandResult>, bool) {
        let flight = self.0.entry(key).or_try_insert_with(async {
            let answered = compute.await;
            let result = Arc::new(answered.result);
            if answered.repeatable { Ok(result) } else { Err(result) }
        });
        match flight.await {
            Ok(entry) => {
                let fresh = entry.is_fresh();
                (entry.into_value(), fresh)
            }
            // What is not to be kept is handed to everybody who waited for it, once.
            Err(passing) => (Arc::clone(&passing), true),
        }
    }
}
