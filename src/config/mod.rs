//! Configuration: read from four layers, validated whole before anything starts.

mod analytics;
mod checks;
mod choice;
mod env;
mod error;
mod gateway;
mod layer;
mod llm;
mod load;
mod peers;
mod redis;
pub mod routes;
mod rules;
mod schema;
mod secret;
mod server;
mod show;
mod sources;
mod span;
mod storage;
mod suggest;
mod telemetry;
#[cfg(test)]
pub(crate) mod tests;
mod url;
mod users;
mod voice;

use serde::{Deserialize, Serialize};

pub use analytics::Analytics;
pub use error::{ConfigError, ConfigErrors, Origin, Origins, Refusal};
pub use gateway::Gateway;
pub use llm::{Breaker, DEFAULT_BASE_URL, Llm};
pub use load::Loaded;
pub use peers::Peers;
pub use redis::Redis;
pub use schema::DEFAULT_TOML;
pub use secret::{MASK, Secret};
pub use server::{Role, Server};
pub use sources::{DEFAULT_FILE, Flags, Sources};
pub use span::Span;
pub use storage::{Mongodb, ReadPreference, Storage, StorageKind, Synchronous};
pub use telemetry::{LogFormat, Telemetry};
pub use url::BaseUrl;
pub use users::{Mail, Passkeys, PasswordHashing, Registration, Users};
pub use voice::{Cache, Mode, Queue, QueueKind, Understanding, Voice};

/// The whole configuration. Each section is a field; `config/default.toml` explains every key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[storage]`
    pub storage: Storage,
    /// `[redis]`
    pub redis: Redis,
    /// `[gateway]`
    pub gateway: Gateway,
    /// `[peers]`
    pub peers: Peers,
    /// `[users]`
    pub users: Users,
    /// `[voice]`
    pub voice: Voice,
    /// `[llm]`
    pub llm: Llm,
    /// `[analytics]`
    pub analytics: Analytics,
    /// `[telemetry]`
    pub telemetry: Telemetry,
}
