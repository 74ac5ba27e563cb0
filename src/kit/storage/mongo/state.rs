//! Whether a database can be used yet, and how it comes to that.

use std::time::Duration;

use mongodb::bson::doc;

use super::{Mongo, PATIENCE, migrations};
use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::migration::{Migration, OnMigration, Standing};

/// The first pause between two tries in the background, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How a database stands.
#[derive(Debug)]
pub(super) enum State {
    /// Its schema is up to date.
    Ready {
        /// Whether several documents can be changed together: not on a server that stands alone.
        transactions: bool,
    },
    /// It is tried again in the background; this is why it did not work the last time.
    Waiting(StorageError),
    /// It will not work with this binary.
    Refused(StorageError),
    /// It is not open.
    Closed,
}

/// Whether trying again is no use.
pub(super) fn is_final(error: &StorageError) -> bool {
    matches!(
        error,
        StorageError::Newer { .. }
            | StorageError::Altered { .. }
            | StorageError::Address { .. }
            | StorageError::Alone { .. }
    )
}

impl State {
    /// Whether there are transactions, of a database that can be used.
    fn transactions(&self) -> Option<bool> {
        if let Self::Ready { transactions } = self { Some(*transactions) } else { None }
    }

    pub(super) fn is_settled(&self) -> bool {
        !matches!(self, Self::Waiting(_))
    }
}

impl Mongo {
    /// Whether the database has transactions.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(super) fn usable(&self) -> Result<bool, StorageError> {
        let state = self.0.state.borrow();
        match &*state {
            State::Waiting(error) | State::Refused(error) => Err(error.clone()),
            State::Ready { .. } | State::Closed => state.transactions().ok_or_else(|| self.closed()),
        }
    }

    pub(super) async fn standing_now(&self, list: &[Migration]) -> Result<Standing, StorageError> {
        let deadline = self.0.operation_timeout;
        let applied = self.within(deadline, migrations::applied(&self.0.database)).await?;
        Standing::of(&self.0.place, list, applied)
    }

    pub(super) async fn migrate_once(
        &self,
        list: &[Migration],
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<(), StorageError> {
        let hello = async { self.0.database.run_command(doc! { "hello": 1 }).await };
        // A role that starts before its server is not to be kept from living by it.
        let patience = PATIENCE.min(self.0.operation_timeout);
        let hello = self.within(patience, hello).await?;
        let transactions =
            hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        if !transactions && self.0.needs_transactions {
            return Err(StorageError::Alone { place: self.0.place.clone() });
        }
        migrations::run(self, list, clock, on_migration).await?;
        if !transactions {
            tracing::warn!(
                place = %self.0.place,
                "this server stands alone: it has no transactions, so that figures may be off after a crash; make it a replica set, of one member if need be"
            );
        }
        self.0.state.send_replace(State::Ready { transactions });
        Ok(())
    }

    /// Tries until it is done, or will never be, or this process stops.
    pub(super) async fn migrate_when_possible(self, list: &'static [Migration], clock: SharedClock) {
        let stop = self.0.stop.clone();
        let (mut pause, longest) = PAUSES;
        let log = |step: crate::kit::storage::migration::MigrationStep| {
            tracing::info!(place = %self.0.place, name = step.name, "migrating");
        };
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            pause = (pause * 2).min(longest);
            let Some(tried) = stop.run_until_cancelled(self.migrate_once(list, &clock, &log)).await else {
                return;
            };
            match tried {
                Ok(()) => {
                    tracing::info!(place = %self.0.place, "the store is ready");
                    return;
                }
                Err(error) if is_final(&error) => {
                    tracing::error!(%error, "a store can't be used");
                    self.0.state.send_replace(State::Refused(error));
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "a store is not ready");
                    self.0.state.send_replace(State::Waiting(error));
                }
            }
        }
    }
}
