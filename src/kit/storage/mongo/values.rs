//! How values stand in documents: ids as UUIDs of BSON (binary subtype 4), instants as whole microseconds
//! since 1970 in an int64. BSON's own date has milliseconds, and a cursor names its entry by the
//! microsecond. Where only the server's clock reads an instant (TTL) it is a date.

use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Uuid as BsonUuid};
use uuid::Uuid;

/// The UUID of BSON, which documents carry as a serde type.
pub type Binary16 = BsonUuid;

/// An id in a document.
pub fn uuid(id: Uuid) -> Binary16 {
    BsonUuid::from_bytes(id.into_bytes())
}

/// An id from a document.
pub fn id<T: From<Uuid>>(of: Binary16) -> T {
    Uuid::from_bytes(of.bytes()).into()
}

/// Bytes of no particular meaning in a document.
pub fn binary(bytes: &[u8]) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}

/// An instant in a document.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// An instant from a document.
///
/// # Errors
/// Those of the driver, for one that lies outside of time.
pub fn instant(micros: i64) -> mongodb::error::Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(mongodb::error::Error::custom)
}

/// An instant that the server's clock is to read.
pub fn date(at: Timestamp) -> Bson {
    Bson::DateTime(DateTime::from_millis(at.as_millisecond()))
}
