//! Answers that were given before, and one flight for a question that many ask at once.
//!
//! A [`Cache`] is in this process ([`memory`]), or shared by all processes on one Redis ([`redis`]) with
//! a first level in each. It may forget anything at any time: what it can't find is computed, and while
//! Redis is away that is all that happens.

#[cfg(test)]
mod conformance;
mod key;
pub mod memory;
pub mod metrics;
pub mod redis;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

pub use key::Key;

/// Values of one kind, each under the key of everything that it depends on.
#[async_trait]
pub trait Cache<V>: Debug + Send + Sync {
    /// What is kept under `key`.
    async fn get(&self, key: Key) -> Option<Arc<V>>;

    /// Keeps `value` under `key`, for the time that this cache keeps things.
    async fn put(&self, key: Key, value: Arc<V>);

    /// What is kept under `key`, or what `compute` makes of it. Whoever asks meanwhile waits for the
    /// same, wherever they are. Should the one who computes give up, or die, another does it; one who
    /// has waited for too long does it, too.
    async fn get_or(&self, key: Key, compute: BoxFuture<'_, Computed<V>>) -> Found<V>;
}

/// A value that was made.
#[derive(Debug, Clone)]
pub struct Computed<V> {
    /// The value.
    pub value: V,
    /// Whether it may be given again. If not it is given, once, to those who were waiting for it.
    pub keep: bool,
}

/// A value that was asked for.
#[derive(Debug, Clone)]
pub struct Found<V> {
    /// The value.
    pub value: Arc<V>,
    /// Whether it was made for this occasion, rather than before.
    pub fresh: bool,
}
