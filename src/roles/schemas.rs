//! The stores of an installation as their schemas, for whoever looks at them or brings them up to date
//! without a server.

use crate::config::{Config, QueueKind, StorageKind};
use crate::kit::queue::sqlite as queue;
use crate::kit::storage::migration::Migration;
use crate::kit::storage::schema::{Schema, Store};
use crate::roles::RoleError;
use crate::roles::data_folder::DataFolder;
use crate::roles::stores::{USERS_FILE, database, file};

/// The schemas of an installation.
#[derive(Debug)]
pub struct Schemas {
    /// One for each store that the modules of this binary have.
    pub schemas: Vec<Schema>,
    /// Held while files are changed: a server that runs on them has an opinion about their schemas.
    _lock: Option<DataFolder>,
}

/// The schemas of the installation that is configured; to `change` them, its data folder is made if need
/// be, and must not be in use.
///
/// # Errors
/// [`RoleError::DataFolder`].
pub fn schemas(config: &Config, change: bool) -> Result<Schemas, RoleError> {
    let in_file = |name, at: &str, migrations| {
        let options = file(&config.storage, config.server.data_dir.join(at));
        Schema { name, store: Store::Sqlite(options), migrations }
    };
    let of_module =
        |name, at: &str, sqlite: &'static [Migration], mongo: &'static [Migration]| match config.storage.kind
        {
            StorageKind::Sqlite => in_file(name, at, sqlite),
            StorageKind::Mongodb => {
                let store = Store::Mongo(Box::new(database(&config.storage, name)));
                Schema { name, store, migrations: mongo }
            }
        };
    let mut schemas: Vec<Schema> = Vec::new();
    #[cfg(feature = "voice")]
    {
        use crate::voice::store::{mongo, sqlite};
        schemas.push(of_module("voice", "voice.db", sqlite::MIGRATIONS, mongo::MIGRATIONS));
        if config.voice.queue.kind == QueueKind::Sqlite {
            schemas.push(in_file("queue", "queue.db", queue::MIGRATIONS));
        }
    }
    #[cfg(feature = "users")]
    {
        use crate::users::store::{mongo, sqlite};
        schemas.push(of_module("users", USERS_FILE, sqlite::MIGRATIONS, mongo::MIGRATIONS));
    }
    #[cfg(feature = "analytics")]
    {
        use crate::analytics::store::{mongo, sqlite};
        schemas.push(of_module("analytics", "analytics.db", sqlite::MIGRATIONS, mongo::MIGRATIONS));
    }
    let files = schemas.iter().any(|schema| matches!(schema.store, Store::Sqlite(_)));
    let lock = (change && files).then(|| DataFolder::open(&config.server.data_dir)).transpose()?;
    Ok(Schemas { schemas, _lock: lock })
}
