//! The queue on Redis passes the suite, and what is its own.

mod faults;
mod interop;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{BullOptions, BullQueue};
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::queue::conformance::{self, Factory};
use crate::kit::queue::{Queue, QueueOptions};
use crate::servers::REDIS;

/// A queue on the server at `port`.
fn open(port: u16, prefix: &str, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
    let bull = BullOptions {
        url: SecretString::from(format!("redis://127.0.0.1:{port}")),
        prefix: prefix.to_owned(),
        timeout: Duration::from_secs(2),
        ..BullOptions::default()
    };
    Arc::new(BullQueue::new(bull, options, clock, Entropy::system()).unwrap())
}

/// The same by the machine's clock.
fn on(port: u16, prefix: &str) -> Arc<dyn Queue> {
    open(port, prefix, conformance::options(), conformance::clock())
}

/// Faults take longer than the suite's cases.
async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let patience = Duration::from_mins(1);
    let done = tokio::time::timeout(patience, work).await;
    done.unwrap_or_else(|late| panic!("{what}: not within {patience:?}: {late}"))
}

/// Keys of its own on the server that all tests share.
struct Below {
    prefix: String,
}

impl Below {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self { prefix: format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed)) }
    }
}

#[async_trait]
impl Factory for Below {
    async fn open(&self, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
        open(REDIS.port(), &self.prefix, options, clock)
    }

    async fn close(&self, queue: Arc<dyn Queue>) {
        queue.close().await;
    }
}

conformance::conformance!(Below::new());
