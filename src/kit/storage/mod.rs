//! Where modules keep what must outlive the process.
//!
//! [`sqlite`] is the embedded half: one file per module, one writer that groups commits, a few
//! readers. [`mongo`] is the half for production: one database per module on a server that several
//! processes share. A module's `store/` room is the only caller; it hands out its own trait, never a
//! connection.

mod error;
pub mod migration;
pub mod mongo;
pub mod portable;
pub mod schema;
pub mod sqlite;

pub use error::{Place, StorageError};
