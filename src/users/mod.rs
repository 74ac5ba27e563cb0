//! Accounts and how their owners get in: passwords, second factors, sessions, roles, keys, the trail.
//!
//! Other modules may import [`api`] and nothing else; [`local`] is the module itself, [`remote`] the
//! same contract over HTTP, and [`verifier`] what every service tells its callers apart with.

pub mod api;
mod identity;
pub mod remote;
pub mod token;
pub mod verifier;

#[cfg(feature = "users")]
pub mod account;
#[cfg(feature = "users")]
pub mod audit;
#[cfg(feature = "users")]
pub mod http;
#[cfg(feature = "users")]
pub mod limits;
#[cfg(feature = "users")]
pub mod local;
#[cfg(feature = "users")]
pub mod passkeys;
#[cfg(feature = "users")]
pub mod password;
#[cfg(feature = "users")]
pub mod roles;
#[cfg(feature = "users")]
pub mod seal;
#[cfg(feature = "users")]
pub mod second_factor;
#[cfg(feature = "users")]
pub mod secret;
#[cfg(feature = "users")]
mod seen;
#[cfg(feature = "users")]
pub mod sessions;
#[cfg(feature = "users")]
pub mod signing;
#[cfg(test)]
#[cfg(feature = "users")]
mod stage;
#[cfg(feature = "users")]
pub mod step_up;
#[cfg(feature = "users")]
pub mod store;
