//! Accounts and how their owners get in: passwords, second factors, sessions, roles, keys, the trail.
//!
//! Other modules may import [`api`] and nothing else; [`local`] is the module itself, [`remote`] the
//! same contract over HTTP, and [`verifier`] what every service tells its callers apart with.

pub mod account;
pub mod api;
pub mod audit;
mod identity;
pub mod remote;
pub mod roles;
pub mod token;
pub mod verifier;

#[cfg(feature = "users")]
pub mod http;
#[cfg(feature = "users")]
pub mod local;
#[cfg(feature = "users")]
pub mod store;
