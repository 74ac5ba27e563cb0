//! Values kept in this process.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use moka::future;

use super::metrics::Requests;
use super::{Cache, Computed, Found, Key};

/// Keeps values in this process, those that were asked for most.
#[derive(Clone)]
pub struct MemoryCache<V> {
    kept: future::Cache<Key, Arc<V>>,
    requests: Requests,
}

impl<V: Send + Sync + 'static> MemoryCache<V> {
    /// A cache of at most so many values, each good for `ttl`. `name` is what metrics call it.
    pub fn new(name: &'static str, entries: u64, ttl: Duration) -> Self {
        let kept = future::Cache::builder().max_capacity(entries).time_to_live(ttl).build();
        Self { kept, requests: Requests::of(name) }
    }
}

#[async_trait]
impl<V: Debug + Send + Sync + 'static> Cache<V> for MemoryCache<V> {
    async fn get(&self, key: Key) -> Option<Arc<V>> {
        self.kept.get(&key).await
    }

    async fn put(&self, key: Key, value: Arc<V>) {
        self.kept.insert(key, value).await;
    }

    async fn get_or(&self, key: Key, compute: BoxFuture<'_, Computed<V>>) -> Found<V> {
        let flight = self.kept.entry(key).or_try_insert_with(async {
            self.requests.computed.increment(1);
            let Computed { value, keep } = compute.await;
            if keep { Ok(Arc::new(value)) } else { Err(Arc::new(value)) }
        });
        match flight.await {
            Ok(entry) => {
                let fresh = entry.is_fresh();
                if !fresh {
                    self.requests.near.increment(1);
                }
                Found { value: entry.into_value(), fresh }
            }
            // What is not to be kept is handed to everybody who waited for it.
            Err(passing) => Found { value: Arc::clone(&passing), fresh: true },
        }
    }
}

impl<V> Debug for MemoryCache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::conformance;
    use super::*;

    conformance!(|ttl| MemoryCache::new("test", 100, ttl));
}
