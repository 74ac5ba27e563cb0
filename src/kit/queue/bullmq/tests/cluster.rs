//! The same suite on a Redis Cluster, where all keys of a queue are in the slot that the braces name.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;

use super::faults::{all_done, enqueue_until_it_is_taken, soon};
use super::open_at;
use crate::kit::clock::SharedClock;
use crate::kit::queue::conformance::{self, Act, Factory, Script, Worker, enqueue_all};
use crate::kit::queue::{Queue, QueueOptions};
use crate::servers::{self, Server};

fn url(node: &Server) -> String {
    format!("redis-cluster://127.0.0.1:{}", node.port())
}

/// Keys of its own on the Cluster that all tests here share.
struct InOneSlot {
    prefix: String,
}

impl InOneSlot {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self { prefix: format!("{{test{}}}", NEXT.fetch_add(1, Ordering::Relaxed)) }
    }
}

#[async_trait]
impl Factory for InOneSlot {
    async fn open(&self, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue> {
        static NODE: LazyLock<Server> = LazyLock::new(servers::redis_cluster);
        open_at(url(&NODE), &self.prefix, options, clock)
    }

    async fn close(&self, queue: Arc<dyn Queue>) {
        queue.close().await;
    }
}

conformance::conformance!(InOneSlot::new());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_and_comes_back_loses_no_job() {
    let mut node = servers::redis_cluster();
    let queue = open_at(url(&node), "{bull}", conformance::options(), conformance::clock());
    let handler = Script::new(|_| Act::Take(Duration::from_millis(1)));
    enqueue_all(&queue, 0..1_000).await;
    let worker = Worker::start(&queue, &handler, soon());
    handler.ended_times(200).await;
    node.kill9();
    node.start();
    enqueue_until_it_is_taken(&queue, 1_000).await;
    all_done(&queue, &handler, 1_001).await;
    worker.stop().await;
    queue.close().await;
}
