//! What happened, counted.
//!
//! Other modules may import [`api`] and nothing else; [`local`] is the module itself, [`remote`]
//! the same contract over HTTP.

pub mod api;
pub mod remote;

#[cfg(test)]
#[cfg(feature = "analytics")]
mod conformance;
#[cfg(feature = "analytics")]
pub mod http;
#[cfg(feature = "analytics")]
pub mod local;
#[cfg(feature = "analytics")]
pub mod store;
