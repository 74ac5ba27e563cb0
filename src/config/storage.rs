//! `[storage]`: where documents and jobs are kept.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::checks::Checks;
use super::choice::{choice, unknown_word};
use super::error::Refusal;

/// The kind of store. This version has only the embedded one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageKind {
    /// `SQLite` files in the data folder, one a module.
    Sqlite,
}

impl Serialize for StorageKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sqlite => serializer.serialize_str("sqlite"),
        }
    }
}

impl<'de> Deserialize<'de> for StorageKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "sqlite" => Ok(Self::Sqlite),
            "mongodb" | "mongo" => Err(Refusal::new(
                "\"mongodb\" is not in this version, which has only embedded stores",
                "use \"sqlite\"",
            )),
            other => Err(unknown_word(other, &["sqlite"])),
        }
        .map_err(Refusal::into_serde)
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Default for Storage {
    fn default() -> Self {
        Self { kind: StorageKind::Sqlite, synchronous: Synchronous::Full, readers: 4, single_instance: false }
    }
}

impl Storage {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        checks.range("readers", self.readers, 1..=64);
    }
}
