//! Answers that were given before, and one flight for a question that many ask at once.

use std::sync::Arc;

use crate::kit::cache::{Cache, Computed, Found, Key};
use crate::kit::ids::UserId;
use crate::voice::api::CommandResult;
use crate::voice::command::Utterance;

/// The key of `utterance`, said by `owner` and answered by the model of `version`.
///
/// The owner is part of it: no answer is ever shown to somebody else.
pub fn key_of(owner: UserId, utterance: &Utterance, version: &str) -> Key {
    let context = utterance.context.to_string();
    let language = utterance.language.as_deref().unwrap_or_default();
    let parts = [version, language, &context, &utterance.text].map(str::as_bytes);
    Key::of([owner.uuid().as_bytes().as_slice()].into_iter().chain(parts))
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
pub struct AnswerCache(Arc<dyn Cache<CommandResult>>);

impl AnswerCache {
    /// Answers kept in `cache`.
    pub fn new(cache: Arc<dyn Cache<CommandResult>>) -> Self {
        Self(cache)
    }

    /// The cached answer, or `compute`'s; who asks meanwhile waits for the same one.
    pub async fn get_or(
        &self,
        key: Key,
        compute: impl Future<Output = Answered> + Send,
    ) -> Found<CommandResult> {
        let compute = async {
            let Answered { result, repeatable } = compute.await;
            Computed { value: result, keep: repeatable }
        };
        self.0.get_or(key, Box::pin(compute)).await
    }
}
