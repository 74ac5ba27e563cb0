//! What each process is: which modules it builds, on which stores, and what it mounts.
//!
//! The only place that names concrete types; everywhere else a module is an `Arc<dyn …>`.
#![cfg_attr(
    not(all(feature = "gateway", feature = "voice", feature = "users", feature = "analytics")),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        unused_mut,
        unused_variables,
        reason = "a binary of one role needs a part of this"
    )
)]

#[cfg(feature = "users")]
pub mod accounts;
mod changes;
#[cfg(all(feature = "voice", feature = "users", feature = "analytics"))]
pub mod copy;
mod data_folder;
pub mod docs;
mod error;
mod host;
mod schemas;
mod shared;
#[cfg(feature = "voice")]
mod skills;
mod stores;

#[cfg(all(feature = "gateway", feature = "voice", feature = "users", feature = "analytics"))]
mod all;
#[cfg(feature = "analytics")]
mod analytics;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(feature = "gateway")]
mod routing;
#[cfg(feature = "users")]
mod users;
#[cfg(feature = "voice")]
mod voice;

pub use data_folder::API_KEY_FILE;
pub use error::RoleError;
pub use host::{Announcement, Announcer, Host};
pub use schemas::{Schemas, schemas};

use crate::config::Role;

/// Plays the part that the configuration names, until told to stop.
///
/// # Errors
/// [`RoleError`] when it cannot start.
pub async fn run(host: Host) -> Result<(), RoleError> {
    match host.config().server.role {
        #[cfg(all(feature = "gateway", feature = "voice", feature = "users", feature = "analytics"))]
        Role::All => all::run(host).await,
        #[cfg(feature = "gateway")]
        Role::Gateway => gateway::run(host).await,
        #[cfg(feature = "voice")]
        Role::Voice => voice::run(host).await,
        #[cfg(feature = "users")]
        Role::Users => users::run(host).await,
        #[cfg(feature = "analytics")]
        Role::Analytics => analytics::run(host).await,
        #[allow(unreachable_patterns, reason = "reachable only in a binary that lacks a module")]
        role => Err(RoleError::NotBuilt(role)),
    }
}
