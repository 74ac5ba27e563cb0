//! Where modules keep what must outlive the process.
//!
//! [`sqlite`] is the embedded half: one file per module, one writer that groups commits, a few
//! readers. A module's `store/` room is the only caller; it hands out its own trait, never a
//! connection.

mod error;
pub mod sqlite;

pub use error::StorageError;
