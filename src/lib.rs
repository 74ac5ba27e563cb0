//! Voicera: a self-hosted voice-command platform, as one modular monolith.
//!
//! Four modules ([`gateway`], [`voice`], [`users`], [`analytics`]) stand on [`kit`]; [`nlu`] is a
//! pure library that only voice uses. [`roles`] puts modules together into a process, [`cli`] is
//! the command line. A module knows of another only its `api`.

pub mod analytics;
pub mod cli;
pub mod config;
pub mod gateway;
pub mod kit;
pub mod nlu;
pub mod roles;
pub mod users;
pub mod voice;

#[cfg(test)]
#[path = "../tests/support/peers.rs"]
#[allow(dead_code, reason = "the integration tests use the rest")]
mod peers;
#[cfg(test)]
#[path = "../tests/support/servers.rs"]
#[allow(dead_code, reason = "the integration tests use the rest")]
mod servers;
