//! The world that a test builds for itself: real processes in temporary folders, and a client.

pub mod backends;
pub mod certificates;
pub mod client;
pub mod cluster;
pub mod command;
pub mod llm_server;
pub mod load;
pub mod node;
pub mod passkey;
#[allow(dead_code, reason = "the unit tests use the rest")]
pub mod peers;
pub mod raw;
#[allow(dead_code, reason = "the unit tests use the rest")]
pub mod servers;
pub mod wait;

pub use client::{Client, Reply};
pub use cluster::Cluster;
pub use llm_server::{Behaviour, LlmServer};
pub use node::Role;
