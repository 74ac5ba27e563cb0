//! Accounts and their credentials.
//!
//! Other modules may import [`api`] and nothing else; [`local`] is the module itself, [`remote`]
//! the same contract over HTTP.

pub mod api;
mod cache;
pub mod remote;

#[cfg(test)]
#[cfg(feature = "users")]
mod conformance;
#[cfg(feature = "users")]
pub mod http;
#[cfg(feature = "users")]
pub mod key;
#[cfg(feature = "users")]
pub mod local;
#[cfg(feature = "users")]
pub mod store;
