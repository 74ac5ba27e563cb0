//! Model bytes: four letters, a format number, a SHA-256 of the rest, and the rest.
//!
//! The checksum tells damage from a model, it does not tell a forger from a friend; so what the
//! rest says is checked again where it is used.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::types::ModelError;

const MAGIC: &[u8; 4] = b"VNLU";
/// Raised whenever the layout of the stored model changes.
const FORMAT: u32 = 3;
const HEADER: usize = 4 + 4 + 32;

pub(super) fn encode<T: Serialize>(stored: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 << 16);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 32]);
    // Writing to memory fails for no type that a model holds; an empty body reads as damage.
    let mut bytes = postcard::to_extend(stored, bytes).unwrap_or_default();
    let checksum = Sha256::digest(bytes.get(HEADER..).unwrap_or_default());
    if let Some(place) = bytes.get_mut(8..HEADER) {
        place.copy_from_slice(&checksum);
    }
    bytes
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ModelError> {
    let (header, body) = bytes.split_at_checked(HEADER).ok_or(ModelError::NotAModel)?;
    let rest = header.strip_prefix(MAGIC).ok_or(ModelError::NotAModel)?;
    let (format, checksum) = rest.split_first_chunk::<4>().ok_or(ModelError::NotAModel)?;
    let found = u32::from_le_bytes(*format);
    if found != FORMAT {
        return Err(ModelError::Version { found, expected: FORMAT });
    }
    if Sha256::digest(body).as_slice() != checksum {
        return Err(ModelError::Damaged);
    }
    match postcard::take_from_bytes(body) {
        Ok((stored, [])) => Ok(stored),
        _ => Err(ModelError::Damaged),
    }
}

/// Puts the right checksum into bytes, so that tests reach what stands behind it.
#[cfg(test)]
pub(super) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = Sha256::digest(&bytes[HEADER..]);
    bytes[8..HEADER].copy_from_slice(&checksum);
    bytes
}
