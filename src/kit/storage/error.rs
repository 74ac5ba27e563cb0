//! What can go wrong with a store, told apart by what its operator can do about it.

use std::path::{Path, PathBuf};

/// A store that could not do what it was asked. Every message names the file and the way out.
///
/// It can be cloned, because one failed transaction answers every caller whose work was in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// There is no room left for the write.
    #[error("{}: the disk is full ({detail}); free some space, nothing that was accepted is lost", file.display())]
    Full {
        /// The database file.
        file: PathBuf,
        /// What the database said.
        detail: String,
    },
    /// The file is not a database, or a damaged one.
    #[error("{}: the database is damaged ({detail}); restore it from a backup, or move it away to start empty", file.display())]
    Corrupt {
        /// The database file.
        file: PathBuf,
        /// What the database said.
        detail: String,
    },
    /// Another process holds the file for longer than the busy timeout.
    #[error("{}: the database is locked by another process ({detail}); stop the other process", file.display())]
    Locked {
        /// The database file.
        file: PathBuf,
        /// What the database said.
        detail: String,
    },
    /// Every connection for reading was in use for longer than the busy timeout.
    #[error("{}: busy, every reader is in use ({detail}); try again, and give it more readers if this happens often", file.display())]
    Busy {
        /// The database file.
        file: PathBuf,
        /// What the driver said.
        detail: String,
    },
    /// The operating system does not let this process open or write the file.
    #[error("{}: no permission ({detail}); give the user that runs Voicera the right to read and write the file and its folder", file.display())]
    Permission {
        /// The database file.
        file: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The disk failed to read or write, or the folder does not exist.
    #[error("{}: cannot be read or written ({detail}); check that its folder exists and the disk is healthy", file.display())]
    Io {
        /// The database file.
        file: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A later version of Voicera has already changed the file's schema.
    #[error("{}: written by a newer Voicera (schema {found}, this binary knows {known}); run that version or a later one, or restore the backup made before the upgrade", file.display())]
    Newer {
        /// The database file.
        file: PathBuf,
        /// The schema version in the file.
        found: u32,
        /// The last schema version that this binary has.
        known: u32,
    },
    /// A migration that the file has already seen reads differently in this binary.
    #[error("{}: migration {version} ({name}) was changed after it had been applied; run the version of Voicera that wrote this file", file.display())]
    Altered {
        /// The database file.
        file: PathBuf,
        /// The number of the migration.
        version: u32,
        /// The name of the migration.
        name: String,
    },
    /// The store has been closed, which happens at shutdown, or its writer has died of a fault.
    #[error("{}: the database is closed; Voicera is shutting down, or has to be started again", file.display())]
    Closed {
        /// The database file.
        file: PathBuf,
    },
    /// The database refused this statement alone; its neighbours are not concerned.
    #[error("{}: the database refused the statement ({detail}); this is a fault in Voicera, please report it", file.display())]
    Rejected {
        /// The database file.
        file: PathBuf,
        /// What the database said.
        detail: String,
    },
}

impl StorageError {
    /// Whether every other write would fail likewise, so that trying them one by one is no use.
    pub fn concerns_all(&self) -> bool {
        !matches!(self, Self::Rejected { .. })
    }

    /// Whether the same call may succeed later, without anything else being changed in Voicera.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Locked { .. } | Self::Busy { .. } | Self::Io { .. })
    }

    /// Sorts what the driver reports about `file`.
    pub fn from_sqlx(file: &Path, error: &sqlx::Error) -> Self {
        let (file, detail) = (file.to_owned(), error.to_string());
        match error {
            sqlx::Error::Database(database) => {
                // Extended result codes carry the primary code in their low byte
                // (https://sqlite.org/rescode.html).
                let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
                match code & 0xff {
                    3 | 8 | 23 => Self::Permission { file, detail },
                    5 | 6 => Self::Locked { file, detail },
                    10 | 14 => from_path(file, detail),
                    11 | 26 => Self::Corrupt { file, detail },
                    13 => Self::Full { file, detail },
                    _ => Self::Rejected { file, detail },
                }
            }
            sqlx::Error::Io(io) => Self::from_io(&file, io),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Closed { file },
            sqlx::Error::PoolTimedOut => Self::Busy { file, detail },
            _ => Self::Rejected { file, detail },
        }
    }

    /// Sorts what the operating system reports about `file`.
    pub fn from_io(file: &Path, error: &std::io::Error) -> Self {
        let (file, detail) = (file.to_owned(), error.to_string());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { file, detail }
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Full { file, detail }
            }
            _ => Self::Io { file, detail },
        }
    }
}

/// `SQLite` says "unable to open" for a missing folder and a forbidden file alike: ask the system.
fn from_path(file: PathBuf, detail: String) -> StorageError {
    match std::fs::OpenOptions::new().read(true).write(true).open(&file) {
        Err(error) => StorageError::from_io(&file, &error),
        Ok(_) => StorageError::Io { file, detail },
    }
}
