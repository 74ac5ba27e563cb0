//! Commands: accepted, queued, understood, answered, kept, counted.
//!
//! Other modules may import [`api`] and nothing else; [`local`] is the module itself, [`remote`]
//! the same contract over HTTP.

pub mod api;
pub mod remote;

#[cfg(feature = "voice")]
pub mod cache;
#[cfg(feature = "voice")]
pub mod command;
#[cfg(test)]
#[cfg(feature = "voice")]
mod conformance;
#[cfg(feature = "voice")]
pub mod elsewhere;
#[cfg(feature = "voice")]
pub mod http;
#[cfg(feature = "voice")]
pub mod learning;
#[cfg(feature = "voice")]
pub mod local;
#[cfg(feature = "voice")]
pub mod metrics;
#[cfg(feature = "voice")]
pub mod models;
#[cfg(feature = "voice")]
mod personal;
#[cfg(feature = "voice")]
pub mod pipeline;
#[cfg(feature = "voice")]
pub mod providers;
#[cfg(feature = "voice")]
pub mod reporter;
#[cfg(feature = "voice")]
pub mod store;
#[cfg(feature = "voice")]
pub mod worker;

/// The queue in which commands wait.
pub const QUEUE: &str = "voice";
