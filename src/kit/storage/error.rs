//! What can go wrong with a store, told apart by what its operator can do about it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a store is: what a message about it names. Holds no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of this machine.
    File(Arc<Path>),
    /// A database on a server.
    Database {
        /// The addresses of the servers, as `host:port`, with commas between them.
        server: Arc<str>,
        /// The name of the database.
        name: Arc<str>,
    },
}

impl From<&Path> for Place {
    fn from(file: &Path) -> Self {
        Self::File(file.into())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Database { server, name } => write!(f, "database {name} on {server}"),
        }
    }
}

/// A store that could not do what it was asked. Every message names the place and the way out.
///
/// It can be cloned, because one failed transaction answers every caller whose work was in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// There is no room left for the write.
    #[error("{place}: the disk is full ({detail}); free some space, nothing that was accepted is lost")]
    Full {
        /// The store.
        place: Place,
        /// What the database said.
        detail: String,
    },
    /// The file is not a database, or a damaged one.
    #[error(
        "{place}: the database is damaged ({detail}); restore it from a backup, or move it away to start empty"
    )]
    Corrupt {
        /// The store.
        place: Place,
        /// What the database said.
        detail: String,
    },
    /// Another process holds the file for longer than the busy timeout.
    #[error("{place}: the database is locked by another process ({detail}); stop the other process")]
    Locked {
        /// The store.
        place: Place,
        /// What the database said.
        detail: String,
    },
    /// Every connection was in use, or others changed the same entries, for longer than the store waits.
    #[error(
        "{place}: busy ({detail}); try again, and allow more connections (storage.readers, or the pool of the server) if this happens often"
    )]
    Busy {
        /// The store.
        place: Place,
        /// What the driver said.
        detail: String,
    },
    /// The server is not there, or did not answer in time.
    #[error(
        "{place}: cannot be reached ({detail}); check that it runs and that its address is right, Voicera goes on by itself when it is back"
    )]
    Unreachable {
        /// The store.
        place: Place,
        /// What the driver said.
        detail: String,
    },
    /// The server does not know these credentials, or does not let them do this.
    #[error(
        "{place}: not allowed ({detail}); check the user, the password and authSource in the URL, and that the user has the role readWrite and dbAdmin on this database"
    )]
    Denied {
        /// The store.
        place: Place,
        /// What the server said.
        detail: String,
    },
    /// The address of the server can't be understood.
    #[error(
        "{place}: the URL cannot be used ({detail}); it reads mongodb://USER:PASSWORD@HOST:PORT/?OPTIONS"
    )]
    Address {
        /// The store, as far as it is known.
        place: Place,
        /// What is wrong, without the URL itself.
        detail: String,
    },
    /// The server stands alone, and so has no transactions, which this store can't do without.
    #[error(
        "{place}: this server stands alone and has no transactions, without which accounts cannot be kept; make it a replica set, of one member if need be: start mongod with --replSet rs0, and once run rs.initiate() in mongosh"
    )]
    Alone {
        /// The store.
        place: Place,
    },
    /// The operating system does not let this process open or write the file.
    #[error(
        "{place}: no permission ({detail}); give the user that runs Voicera the right to read and write the file and its folder"
    )]
    Permission {
        /// The store.
        place: Place,
        /// What the system said.
        detail: String,
    },
    /// The disk failed to read or write, or the folder does not exist.
    #[error(
        "{place}: cannot be read or written ({detail}); check that its folder exists and the disk is healthy"
    )]
    Io {
        /// The store.
        place: Place,
        /// What the system said.
        detail: String,
    },
    /// A later version of Voicera has already changed the schema.
    #[error(
        "{place}: written by a newer Voicera (schema {found}, this binary knows {known}); run that version or a later one, or restore the backup made before the upgrade"
    )]
    Newer {
        /// The store.
        place: Place,
        /// The schema version in the store.
        found: u32,
        /// The last schema version that this binary has.
        known: u32,
    },
    /// A migration that the store has already seen reads differently in this binary.
    #[error(
        "{place}: migration {version} ({name}) was changed after it had been applied; run the version of Voicera that wrote it"
    )]
    Altered {
        /// The store.
        place: Place,
        /// The number of the migration.
        version: u32,
        /// The name of the migration.
        name: String,
    },
    /// The store has been closed, which happens at shutdown, or its writer has died of a fault.
    #[error("{place}: the database is closed; Voicera is shutting down, or has to be started again")]
    Closed {
        /// The store.
        place: Place,
    },
    /// What was to be new is there already. A store whose callers can bring this about makes it an
    /// outcome of its own.
    #[error(
        "{place}: an entry like this is there already ({detail}); this is a fault in Voicera, please report it"
    )]
    Duplicate {
        /// The store.
        place: Place,
        /// What the database said: it names the index.
        detail: String,
    },
    /// Something that was to be taken over from another store can't stand beside what is there.
    #[error("{place}: {detail}; change one of the two, and do it again: nothing is lost")]
    Taken {
        /// The store.
        place: Place,
        /// What is in the way.
        detail: String,
    },
    /// The database refused this statement alone; its neighbours are not concerned.
    #[error(
        "{place}: the database refused the statement ({detail}); this is a fault in Voicera, please report it"
    )]
    Rejected {
        /// The store.
        place: Place,
        /// What the database said.
        detail: String,
    },
}

impl StorageError {
    /// Whether every other write would fail likewise, so that trying them one by one is no use.
    pub fn concerns_all(&self) -> bool {
        !matches!(self, Self::Rejected { .. } | Self::Duplicate { .. } | Self::Taken { .. })
    }

    /// Whether the same call may succeed later, without anything else being changed in Voicera.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::Locked { .. }
                | Self::Busy { .. }
                | Self::Unreachable { .. }
                | Self::Denied { .. }
                | Self::Io { .. }
        )
    }

    /// Sorts what the driver reports about `file`.
    pub fn from_sqlx(file: &Path, error: &sqlx::Error) -> Self {
        let (place, detail) = (Place::from(file), error.to_string());
        match error {
            sqlx::Error::Database(database) => {
                // Extended result codes carry the primary code in their low byte
                // (https://sqlite.org/rescode.html).
                let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
                match code & 0xff {
                    3 | 8 | 23 => Self::Permission { place, detail },
                    5 | 6 => Self::Locked { place, detail },
                    10 | 14 => from_path(file, detail),
                    11 | 26 => Self::Corrupt { place, detail },
                    13 => Self::Full { place, detail },
                    _ => Self::Rejected { place, detail },
                }
            }
            sqlx::Error::Io(io) => Self::from_io(file, io),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Closed { place },
            sqlx::Error::PoolTimedOut => Self::Busy { place, detail },
            _ => Self::Rejected { place, detail },
        }
    }

    /// Sorts what the operating system reports about `file`.
    pub fn from_io(file: &Path, error: &std::io::Error) -> Self {
        let (place, detail) = (Place::from(file), error.to_string());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { place, detail }
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Full { place, detail }
            }
            _ => Self::Io { place, detail },
        }
    }
}

/// `SQLite` says "unable to open" for a missing folder and a forbidden file alike: ask the system.
fn from_path(file: &Path, detail: String) -> StorageError {
    match std::fs::OpenOptions::new().read(true).write(true).open(file) {
        Err(error) => StorageError::from_io(file, &error),
        Ok(_) => StorageError::Io { place: file.into(), detail },
    }
}
