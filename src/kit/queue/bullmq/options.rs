//! Where the queue is.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

/// What holds for one queue on Redis, beside [`QueueOptions`](crate::kit::queue::QueueOptions).
#[derive(Debug, Clone)]
pub struct BullOptions {
    /// One of the forms of [`Address`](crate::kit::redis::Address), but for Sentinels, whom BullMQ's driver
    /// does not ask.
    pub url: SecretString,
    /// As that of [`RedisOptions`](crate::kit::redis::RedisOptions::authority).
    pub authority: Option<Arc<[u8]>>,
    /// What BullMQ's keys begin with, the same for Node's workers and producers. On a Cluster in braces,
    /// so that all keys of a queue are on one node: `{bull}`.
    pub prefix: String,
    /// The queues in which a job is looked for by its id.
    pub queues: Vec<&'static str>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a call may take, the wait for a connection included.
    pub timeout: Duration,
}

impl Default for BullOptions {
    fn default() -> Self {
        Self {
            url: SecretString::from("redis://127.0.0.1:6379"),
            authority: None,
            prefix: "bull".to_owned(),
            queues: vec!["voice", "analytics"],
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
        }
    }
}
