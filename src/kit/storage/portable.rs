//! Everything that a store keeps, carried to another store behind the same trait.
//!
//! Entries go in the order of their keys, so that a copy that was cut short goes on after the last key, and
//! taking an entry over again changes nothing.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StorageError;

/// A store that can hand out all that it keeps, whoever it belongs to, and take over what another has.
/// For the operator alone.
#[async_trait]
pub trait Portable: Debug + Send + Sync {
    /// Where an entry stands in the order.
    type Key: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// Something that is kept.
    type Entry: Send + Sync + 'static;

    /// How many entries there are.
    async fn entries(&self) -> Result<u64, StorageError>;

    /// The next entries after a key, or from the first one on; none when there are no more.
    async fn export(
        &self,
        after: Option<Self::Key>,
        limit: u32,
    ) -> Result<Vec<(Self::Key, Self::Entry)>, StorageError>;

    /// Takes entries over, durably. What is there already under the same key stays or is made the same; either
    /// way it is counted once.
    async fn import(&self, entries: Vec<Self::Entry>) -> Result<(), StorageError>;
}

/// Entries that are carried together.
const PORTION: u32 = 1_000;

/// Copies `from` to `to` after `key`, and tells `carried` of the last key and the number of each portion that
/// `to` has.
///
/// # Errors
/// Those of either store; what was carried by then stays there.
pub async fn copy<S: Portable + ?Sized, T: Portable<Key = S::Key, Entry = S::Entry> + ?Sized>(
    from: &S,
    to: &T,
    mut key: Option<S::Key>,
    mut carried: impl FnMut(&S::Key, usize) + Send,
) -> Result<(), StorageError> {
    loop {
        let portion = from.export(key.clone(), PORTION).await?;
        let Some((last, _)) = portion.last() else { return Ok(()) };
        let (last, count) = (last.clone(), portion.len());
        to.import(portion.into_iter().map(|(_, entry)| entry).collect()).await?;
        carried(&last, count);
        key = Some(last);
    }
}
