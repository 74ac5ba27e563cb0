//! Where modules keep things, by configuration: in files of the data folder, or on servers.

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "analytics")]
use crate::analytics::store::{CounterStore, mongo::MongoCounters, sqlite::SqliteCounters};
use crate::config::{Config, QueueKind, ReadPreference, Redis, Storage, StorageKind, Synchronous};
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::queue::bullmq::{BullOptions, BullQueue};
use crate::kit::queue::sqlite::SqliteQueue;
use crate::kit::queue::{Queue, QueueOptions};
use crate::kit::storage::migration::OnMigration;
use crate::kit::storage::mongo::{self, MongoOptions};
use crate::kit::storage::sqlite;
use crate::roles::RoleError;
use crate::roles::shared::authority;
#[cfg(feature = "users")]
use crate::users::store::{UserStore, mongo::MongoUsers, sqlite::SqliteUsers};
#[cfg(feature = "voice")]
use crate::voice::store::{CommandStore, mongo::MongoCommands, sqlite::SqliteCommands};

/// What stores are opened with.
pub(super) struct Stores<'a> {
    pub(super) config: &'a Config,
    pub(super) clock: &'a SharedClock,
    /// Where the files are.
    pub(super) files: &'a (dyn Fn(&str) -> PathBuf + Sync),
    /// Told of each step of a migration, with the name of the store.
    pub(super) on_migration: &'a (dyn Fn(&str, sqlite::MigrationStep) + Send + Sync),
}

/// Opens the store of a module where the configuration says.
macro_rules! open {
    ($stores:ident, $name:literal, $file:expr, $sqlite:ty, $mongo:ty) => {{
        let on_migration: OnMigration<'_> = &|step| ($stores.on_migration)($name, step);
        match $stores.config.storage.kind {
            StorageKind::Sqlite => {
                let options = file(&$stores.config.storage, ($stores.files)($file));
                Arc::new(<$sqlite>::open(&options, $stores.clock, on_migration).await?) as Arc<_>
            }
            StorageKind::Mongodb => {
                let options = database(&$stores.config.storage, $name);
                Arc::new(<$mongo>::open(&options, $stores.clock, on_migration).await?) as Arc<_>
            }
        }
    }};
}

impl Stores<'_> {
    /// The history.
    #[cfg(feature = "voice")]
    pub(super) async fn commands(&self) -> Result<Arc<dyn CommandStore>, RoleError> {
        let store: Arc<dyn CommandStore> = open!(self, "voice", "voice.db", SqliteCommands, MongoCommands);
        Ok(store)
    }

    /// The counters.
    #[cfg(feature = "analytics")]
    pub(super) async fn counters(&self) -> Result<Arc<dyn CounterStore>, RoleError> {
        let store: Arc<dyn CounterStore> =
            open!(self, "analytics", "analytics.db", SqliteCounters, MongoCounters);
        Ok(store)
    }

    /// The accounts.
    #[cfg(feature = "users")]
    pub(super) async fn accounts(&self) -> Result<Arc<dyn UserStore>, RoleError> {
        let store: Arc<dyn UserStore> = open!(self, "users", USERS_FILE, SqliteUsers, MongoUsers);
        Ok(store)
    }

    /// The queue of commands.
    pub(super) async fn queue(&self, entropy: Entropy) -> Result<Arc<dyn Queue>, RoleError> {
        let (config, clock) = (self.config, Arc::clone(self.clock));
        let options = queue_options(config);
        Ok(match config.voice.queue.kind {
            QueueKind::Sqlite => {
                let files = file(&config.storage, (self.files)("queue.db"));
                let on_migration: OnMigration<'_> = &|step| (self.on_migration)("queue", step);
                Arc::new(SqliteQueue::open(&files, options, clock, entropy, on_migration).await?)
            }
            QueueKind::Bullmq => {
                let bull = bull_options(&config.redis, &config.voice.queue.prefix)?;
                Arc::new(BullQueue::new(bull, options, clock, entropy)?)
            }
        })
    }
}

/// The file of accounts in the data folder.
pub(super) const USERS_FILE: &str = "users.db";

/// How a file is opened, by configuration.
pub(super) fn file(storage: &Storage, file: PathBuf) -> sqlite::Options {
    sqlite::Options {
        synchronous: match storage.synchronous {
            Synchronous::Full => sqlite::Synchronous::Full,
            Synchronous::Normal => sqlite::Synchronous::Normal,
        },
        readers: storage.readers,
        ..sqlite::Options::new(file)
    }
}

/// How the database of a module is reached, by configuration.
pub(super) fn database(storage: &Storage, module: &str) -> MongoOptions {
    let server = &storage.mongodb;
    MongoOptions {
        app_name: format!("voicera {module}"),
        max_pool_size: server.max_pool_size,
        server_selection_timeout: server.server_selection_timeout.get(),
        connect_timeout: server.connect_timeout.get(),
        operation_timeout: server.operation_timeout.get(),
        read_preference: match server.read_preference {
            ReadPreference::Primary => mongo::ReadPreference::Primary,
            ReadPreference::PrimaryPreferred => mongo::ReadPreference::PrimaryPreferred,
            ReadPreference::SecondaryPreferred => mongo::ReadPreference::SecondaryPreferred,
            ReadPreference::Nearest => mongo::ReadPreference::Nearest,
        },
        // Also where only the schema is looked at: a server that will be refused is refused at once.
        needs_transactions: module == "users",
        ..MongoOptions::new(server.url.as_secret().clone(), format!("{}_{module}", server.database_prefix))
    }
}

fn bull_options(redis: &Redis, prefix: &str) -> Result<BullOptions, RoleError> {
    Ok(BullOptions {
        url: redis.url.as_secret().clone(),
        authority: authority(redis)?,
        prefix: prefix.to_owned(),
        connect_timeout: redis.connect_timeout.get(),
        ..BullOptions::default()
    })
}

fn queue_options(config: &Config) -> QueueOptions {
    let queue = &config.voice.queue;
    QueueOptions {
        max_attempts: queue.max_attempts,
        backoff_initial: queue.backoff_initial.get(),
        backoff_max: queue.backoff_max.get(),
        max_waiting: queue.max_waiting,
        // The data folder is locked: no other process has this queue open.
        sole_owner: true,
        ..QueueOptions::default()
    }
}
