//! The embedded queue passes the suite, and what is its own.

use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;

use super::SqliteQueue;
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::queue::conformance::{self, Factory};
use crate::kit::queue::{Queue, QueueOptions};
use crate::kit::storage::sqlite::Options;

struct InFolder {
    folder: TempDir,
}

impl InFolder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
}

#[async_trait]
impl Factory for InFolder {
    async fn open(&self, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
        let storage = Options::new(self.folder.path().join("queue.db"));
        let queue = SqliteQueue::open(&storage, options, clock, Entropy::seeded(1), &|_| {}).await;
        Arc::new(queue.unwrap())
    }

    async fn close(&self, queue: Arc<dyn Queue>) {
        queue.close().await;
    }
}

conformance::conformance!(InFolder::new());
conformance::conformance_manual_clock!(InFolder::new());
