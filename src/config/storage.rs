//! `[storage]`: where documents and jobs are kept.

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::choice::choice;
use super::secret::Secret;
use super::span::Span;

choice! {
    /// The kind of store.
    StorageKind {
        /// `SQLite` files in the data folder, one a module.
        Sqlite = "sqlite",
        /// The server of `[storage.mongodb]`, one database a module.
        Mongodb = "mongodb",
    }
}

choice! {
    /// Which members of a replica set answer reads.
    ReadPreference {
        /// The primary alone: what was written is read.
        Primary = "primary",
        /// A secondary while there is no primary.
        PrimaryPreferred = "primary_preferred",
        /// Secondaries, which may lag behind, and the primary when there are none.
        SecondaryPreferred = "secondary_preferred",
        /// Whichever answers soonest.
        Nearest = "nearest",
    }
}

choice! {
    /// When a commit counts as written.
    Synchronous {
        /// When it is on the disk: nothing accepted is lost, even in a power failure.
        Full = "full",
        /// When the operating system has it: nothing is lost when the process dies, the last moment
        /// may be when the machine does.
        Normal = "normal",
    }
}

/// `[storage]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The kind of store.
    pub kind: StorageKind,
    /// When a commit counts as written.
    pub synchronous: Synchronous,
    /// How many connections read each database at a time.
    pub readers: u32,
    /// The operator's promise that exactly one process of this role exists.
    pub single_instance: bool,
    /// `[storage.mongodb]`
    pub mongodb: Mongodb,
}

/// `[storage.mongodb]`: the server of `storage.kind = "mongodb"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mongodb {
    /// `mongodb://user:password@host:27017/?replicaSet=rs0&tls=true`
    pub url: Secret,
    /// What the names of the databases begin with: `voicera` makes `voicera_voice` and its like.
    pub database_prefix: String,
    /// How many connections one process holds at most.
    pub max_pool_size: u32,
    /// How long a call waits for a server that can serve it.
    pub server_selection_timeout: Span,
    /// How long a connection may take to be made.
    pub connect_timeout: Span,
    /// How long a call may take on the server.
    pub operation_timeout: Span,
    /// Which members answer reads that may be a little old: lists and figures.
    pub read_preference: ReadPreference,
}

impl Default for Mongodb {
    fn default() -> Self {
        Self {
            url: Secret::default(),
            database_prefix: "voicera".to_owned(),
            max_pool_size: 64,
            server_selection_timeout: Span::from_secs(5),
            connect_timeout: Span::from_secs(5),
            operation_timeout: Span::from_secs(10),
            read_preference: ReadPreference::Primary,
        }
    }
}

impl Mongodb {
    fn validate(&self, mut checks: Checks<'_>) {
        checks.secret("url", &self.url);
        if self.url.is_set() && !self.url.expose().starts_with("mongodb://") {
            checks.refuse(
                "url",
                "does not begin with mongodb://",
                "name every host: \"mongodb://USER:PASSWORD@HOST1:27017,HOST2:27017/?replicaSet=rs0\"",
            );
        }
        let name = self.database_prefix.as_bytes();
        let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !plain || name.is_empty() || name.len() > 40 {
            checks.refuse(
                "database_prefix",
                format!("{:?} cannot begin the name of a database", self.database_prefix),
                "use 1 to 40 letters, digits, \"_\" and \"-\"",
            );
        }
        checks.range("max_pool_size", self.max_pool_size, 1..=10_000);
        checks.millis("server_selection_timeout", self.server_selection_timeout, 100..=60_000);
        checks.millis("connect_timeout", self.connect_timeout, 100..=60_000);
        checks.millis("operation_timeout", self.operation_timeout, 100..=300_000);
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            kind: StorageKind::Sqlite,
            synchronous: Synchronous::Full,
            readers: 4,
            single_instance: false,
            mongodb: Mongodb::default(),
        }
    }
}

impl Storage {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        checks.range("readers", self.readers, 1..=64);
        self.mongodb.validate(checks.nested("storage.mongodb"));
    }
}
