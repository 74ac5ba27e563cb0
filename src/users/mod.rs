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
mod assembly;
#[cfg(feature = "users")]
pub mod audit;
#[cfg(feature = "users")]
pub mod authority;
#[cfg(feature = "users")]
mod beat;
#[cfg(feature = "users")]
pub mod credentials;
#[cfg(feature = "users")]
pub mod description;
#[cfg(test)]
#[cfg(feature = "users")]
mod desk;
#[cfg(feature = "users")]
pub mod directory;
#[cfg(feature = "users")]
pub mod http;
#[cfg(feature = "users")]
pub mod invitations;
#[cfg(feature = "users")]
pub mod keyring;
#[cfg(feature = "users")]
pub mod limits;
#[cfg(feature = "users")]
pub mod local;
#[cfg(feature = "users")]
pub mod mail;
#[cfg(feature = "users")]
pub mod metrics;
#[cfg(feature = "users")]
pub mod one_time;
#[cfg(feature = "users")]
pub mod operator;
#[cfg(feature = "users")]
pub mod passkeys;
#[cfg(feature = "users")]
pub mod password;
#[cfg(test)]
#[cfg(feature = "users")]
mod people;
#[cfg(feature = "users")]
pub mod personal;
#[cfg(feature = "users")]
pub mod registration;
#[cfg(feature = "users")]
pub mod role_book;
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
mod somebody;
#[cfg(test)]
#[cfg(feature = "users")]
mod stage;
#[cfg(feature = "users")]
pub mod step_up;
#[cfg(feature = "users")]
pub mod store;

#[cfg(test)]
#[cfg(feature = "users")]
mod conformance;
#[cfg(test)]
#[cfg(feature = "users")]
mod tests;
