//! A store's schema: numbered steps, each applied once, in order, and never altered afterwards. The same
//! for every kind of store.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Place, StorageError};

/// One step, from `migrations/<kind>/<module>/NNNN_name.*` by `include_str!`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number; a module's list is in ascending order.
    pub version: u32,
    /// What it does, in a word or two.
    pub name: &'static str,
    /// What is to be done, in the language of the store: SQL, or commands of MongoDB as JSON.
    pub body: &'static str,
}

/// A step about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationStep {
    /// Steps already done in this run.
    pub done: usize,
    /// Steps that this run has to do.
    pub total: usize,
    /// The name of the one that begins now.
    pub name: &'static str,
}

/// Told about each migration before it runs, so that a long one can be shown.
pub type OnMigration<'a> = &'a (dyn Fn(MigrationStep) + Send + Sync);

/// A step as a store remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// [`Migration::checksum`].
    pub checksum: Vec<u8>,
    /// When it was done.
    pub at: Timestamp,
}

/// How a store stands beside the steps that this binary has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The store.
    pub place: Place,
    /// The steps that it has, in their order.
    pub applied: Vec<Applied>,
    /// The names and numbers of those that it lacks, in their order.
    pub pending: Vec<(u32, &'static str)>,
}

impl Migration {
    /// The SHA-256 of what is done: an altered step is told by it.
    pub fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.body.as_bytes()).to_vec()
    }
}

impl Standing {
    /// Compares what `place` has `applied`, in ascending order, with the `list` of this binary.
    ///
    /// # Errors
    /// [`StorageError::Newer`] and [`StorageError::Altered`].
    pub fn of(place: &Place, list: &[Migration], applied: Vec<Applied>) -> Result<Self, StorageError> {
        let known = list.last().map_or(0, |step| step.version);
        if let Some(last) = applied.last().filter(|last| last.version > known) {
            return Err(StorageError::Newer { place: place.clone(), found: last.version, known });
        }
        for (done, step) in applied.iter().zip(list) {
            if done.version != step.version || done.checksum != step.checksum() {
                return Err(StorageError::Altered {
                    place: place.clone(),
                    version: done.version,
                    name: done.name.clone(),
                });
            }
        }
        let pending = list.iter().skip(applied.len()).map(|step| (step.version, step.name)).collect();
        Ok(Self { place: place.clone(), applied, pending })
    }
}
