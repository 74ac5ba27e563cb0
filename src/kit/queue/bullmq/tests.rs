//! The queue on Redis passes the suite, and what is its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use secrecy::SecretString;

use super::{BullOptions, BullQueue};
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::queue::conformance::{self, Factory};
use crate::kit::queue::{Queue, QueueOptions};
use crate::servers::REDIS;

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
        let bull = BullOptions {
            url: SecretString::from(format!("redis://127.0.0.1:{}", REDIS.port())),
            prefix: self.prefix.clone(),
            ..BullOptions::default()
        };
        Arc::new(BullQueue::new(bull, options, clock, Entropy::system()).unwrap())
    }

    async fn close(&self, queue: Arc<dyn Queue>) {
        queue.close().await;
    }
}

conformance::conformance!(Below::new());
