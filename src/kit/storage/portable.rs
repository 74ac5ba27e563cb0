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

    /// How many of those there are that do not end by themselves: what two stores can be compared by.
    async fn lasting(&self) -> Result<u64, StorageError> {
        self.entries().await
    }

    /// The next entries after a key, or from the first one on; none when there are no more.
    async fn export(
        &self,
        after: Option<Self::Key>,
        limit: u32,
    ) -> Result<Vec<(Self::Key, Self::Entry)>, StorageError>;

    /// Takes entries over, durably. What is there already under the same key stays or is made the same; either
    /// way it is counted once.
    ///
    /// # Errors
    /// [`StorageError::Taken`] where another entry has what one of these needs; then none was taken over.
    async fn import(&self, entries: Vec<Self::Entry>) -> Result<(), StorageError>;
}

/// Entries that are carried together.
const PORTION: u32 = 1_000;

/// Copies `from` to `to` after `key`, each entry as `prepare` makes it, and tells `carried` of the last key and
/// the number of each portion that `to` has.
///
/// # Errors
/// Those of either store and of `prepare`; what was carried by then stays there.
pub async fn copy<S, T, E>(
    from: &S,
    to: &T,
    mut key: Option<S::Key>,
    prepare: impl Fn(S::Entry) -> Result<S::Entry, E> + Send + Sync,
    mut carried: impl FnMut(&S::Key, usize) + Send,
) -> Result<(), E>
where
    S: Portable + ?Sized,
    T: Portable<Key = S::Key, Entry = S::Entry> + ?Sized,
    E: From<StorageError>,
{
    loop {
        let portion = from.export(key.clone(), PORTION).await?;
        let Some((last, _)) = portion.last() else { return Ok(()) };
        let (last, count) = (last.clone(), portion.len());
        let prepared: Result<_, E> = portion.into_iter().map(|(_, entry)| prepare(entry)).collect();
        to.import(prepared?).await?;
        carried(&last, count);
        key = Some(last);
    }
}
