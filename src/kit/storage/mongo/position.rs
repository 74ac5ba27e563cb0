//! Where an entry stands in a list by time.

use jiff::Timestamp;
use mongodb::bson::{Binary, Bson};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{binary, instant, micros};
use crate::kit::http::page::Cursor;

/// An instant (eight bytes, big-endian, the sign turned) and an id. One field, so that any page is a range
/// of one index, however many entries share an instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Binary", into = "Binary")]
pub struct Position(Vec<u8>);

impl Position {
    /// The position of the entry that `cursor` names.
    pub fn of(cursor: Cursor) -> Self {
        let micros = micros(cursor.at).cast_unsigned() ^ (1 << 63);
        Self([micros.to_be_bytes().as_slice(), cursor.id.as_bytes()].concat())
    }

    /// Before all entries of `at`, and after all that were before.
    pub fn beginning(at: Timestamp) -> Self {
        Self::of(Cursor { at, id: Uuid::nil() })
    }

    /// The cursor that names the entry here.
    ///
    /// # Errors
    /// Those of the driver, for bytes that are no position.
    pub fn cursor(&self) -> Result<Cursor, Error> {
        let malformed = || Error::custom("a position has another length than 24 bytes".to_owned());
        let (micros, id) = self.0.split_first_chunk().ok_or_else(malformed)?;
        let micros = (u64::from_be_bytes(*micros) ^ (1 << 63)).cast_signed();
        Ok(Cursor { at: instant(micros)?, id: Uuid::from_slice(id).map_err(|_| malformed())? })
    }
}

impl From<Binary> for Position {
    fn from(binary: Binary) -> Self {
        Self(binary.bytes)
    }
}

impl From<Position> for Binary {
    fn from(position: Position) -> Self {
        binary(&position.0)
    }
}

impl From<Position> for Bson {
    fn from(position: Position) -> Self {
        Self::Binary(position.into())
    }
}
