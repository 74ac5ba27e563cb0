//! What tests with a real server are played with.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Redis, RedisOptions};
use crate::servers::{self, REDIS, Server};

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The Redis that all tests share, with keys of this test's own.
pub(crate) fn fresh() -> Redis {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let prefix = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let url = format!("redis://127.0.0.1:{}", REDIS.port());
    Redis::open(RedisOptions { prefix, ..RedisOptions::at(url) }).unwrap()
}

/// A test's own Redis.
pub(crate) fn at(server: &Server) -> Redis {
    open(&format!("redis://127.0.0.1:{}", server.port()))
}

pub(crate) fn open(url: &str) -> Redis {
    Redis::open(RedisOptions::at(url)).unwrap()
}

/// Looks until there is something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = tokio::time::timeout(DEADLINE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// A Cluster of one node, ready to be used.
pub(crate) fn cluster() -> (Server, Redis) {
    let node = servers::redis_cluster();
    let redis = open(&format!("redis-cluster://127.0.0.1:{}", node.port()));
    (node, redis)
}
