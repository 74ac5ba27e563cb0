//! Messages as they travel: JSON, bounded in size.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest message, in bytes.
pub(super) const LARGEST: usize = 64 * 1024;

/// A message in JSON; empty in place of one that is too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded(Bytes);

impl Encoded {
    /// Encodes what is to be sent. One that is too large becomes the hint that there was one.
    pub(super) fn of(message: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::received(serde_json::to_vec(message)?.into()))
    }

    /// What another process sent.
    pub(super) fn received(bytes: Bytes) -> Self {
        Self(if bytes.len() > LARGEST { Bytes::new() } else { bytes })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The message, unless it was too large or is of a version that this one can't read.
    pub(super) fn decode<V: DeserializeOwned>(&self) -> Option<V> {
        serde_json::from_slice(&self.0).ok()
    }
}
