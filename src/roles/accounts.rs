//! Accounts without a server: the users module on the store that the configuration names, for the command
//! line.
//!
//! A server may run on the same store: SQLite and MongoDB let both write, and what the one changes the
//! other sees. So the folder's lock is taken only where there is something to make that a server would make
//! at its start.

use std::sync::Arc;

use crate::config::{Config, StorageKind};
use crate::kit::clock::{SharedClock, SystemClock};
use crate::kit::ids::{Entropy, Ids};
use crate::kit::limits::Limiters;
use crate::roles::RoleError;
use crate::roles::data_folder::{DataFolder, kept_seal_key};
use crate::roles::stores::{Stores, USERS_FILE};
use crate::roles::users::{describe, options_of, post, relying_party, seal};
use crate::users::local::LocalUsers;

pub use crate::users::account::{Account, Status};
pub use crate::users::local::administration::operator::{
    Filter, NewPerson, Operator, Refusal, made_up_password,
};
pub use crate::users::store::{Key, SigningKey};

/// The accounts of an installation.
#[derive(Debug)]
pub struct Opened {
    /// Who may do everything with them.
    pub operator: Operator,
    /// Whether there was no installation before.
    pub begun: bool,
    /// Held while something is made that a server would make.
    _lock: Option<DataFolder>,
}

/// Opens the accounts in the configured data folder; `begin` makes a folder that is not there.
///
/// # Errors
/// [`RoleError`].
pub async fn open(config: &Config, begin: bool) -> Result<Opened, RoleError> {
    let path = &config.server.data_dir;
    let file = path.join(USERS_FILE);
    // Accounts on a server begin there, with the first process that comes.
    let begun = config.storage.kind == StorageKind::Sqlite && !file.exists();
    if begun && !begin {
        return Err(RoleError::NoAccounts { folder: path.clone() });
    }
    let clock: SharedClock = Arc::new(SystemClock);
    let entropy = Entropy::system();
    let ids = Ids::new(Arc::clone(&clock), entropy.clone());
    let kept = kept_seal_key(path)?;
    let lock = if begun || (kept.is_none() && !config.users.seal_key.is_set()) {
        Some(DataFolder::open(path)?)
    } else {
        None
    };
    let seal = seal(config, &entropy, || match (kept, &lock) {
        (None, Some(folder)) => folder.seal_key(|| entropy.bytes()),
        (kept, _) => Ok(kept.unwrap_or_default()),
    })?;
    let files = |name: &str| path.join(name);
    let stores = Stores { config, clock: &clock, files: &files, on_migration: &|_, _| () };
    let store = stores.accounts().await?;
    // Messages are the server's to send.
    let (mail, _) = post(config, &clock, &ids)?;
    let limiters = Limiters::in_process(Arc::clone(&clock));
    let options = options_of(config, mail, relying_party(config)?);
    let users = LocalUsers::new(store, seal, clock, ids, &limiters, options)
        .map_err(|error| RoleError::Passwords(error.to_string()))?;
    users.prepare().await.map_err(|error| RoleError::Users(describe(&error)))?;
    Ok(Opened { operator: Operator::of(users), begun, _lock: lock })
}
