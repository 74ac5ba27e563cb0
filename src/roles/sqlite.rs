//! How an embedded store is opened by configuration; the same for every module.

use std::path::PathBuf;

use crate::config::{Storage, Synchronous};
use crate::kit::storage::sqlite;
use crate::roles::host::{Announcement, Host};

/// How a SQLite file is opened, by configuration.
pub(super) fn options(storage: &Storage, file: PathBuf) -> sqlite::Options {
    sqlite::Options {
        synchronous: match storage.synchronous {
            Synchronous::Full => sqlite::Synchronous::Full,
            Synchronous::Normal => sqlite::Synchronous::Normal,
        },
        readers: storage.readers,
        ..sqlite::Options::new(file)
    }
}

/// Shows each migration of the store `name` as a step.
pub(super) fn show_migrations<'a>(
    host: &'a Host,
    name: &'static str,
) -> impl Fn(sqlite::MigrationStep) + Send + Sync + 'a {
    move |step| {
        let what = format!("migrating {name}: {}", step.name);
        host.announce(Announcement::Step { what: &what, done: step.done, total: step.total });
    }
}
