//! Stores whose writes are of many kinds and come one at a time: each kind is a type of its own.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{Apply, Database};
use crate::kit::storage::StorageError;

/// One kind of write, and what it comes to.
#[async_trait]
pub trait Transaction: Send + Sync + 'static {
    /// What the caller learns once it is committed. That something was not as the caller thought
    /// (gone, taken, out of date) is an outcome, and nothing may have been written by then.
    type Outcome: Send + 'static;

    /// Does it inside the transaction that is open on `conn`. May be called again after a failure.
    ///
    /// # Errors
    /// Undoes what was written.
    async fn run(&self, conn: &mut SqliteConnection) -> Result<Self::Outcome, sqlx::Error>;
}

/// The [`Apply`] of such a store: transactions of any kind, one after another.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transactions;

/// A transaction that keeps its outcome to itself.
#[async_trait]
pub trait Submitted: Send + Sync {
    /// Does it and keeps what it came to.
    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error>;
}

struct Kept<T: Transaction> {
    transaction: T,
    outcome: Mutex<Option<T::Outcome>>,
}

#[async_trait]
impl<T: Transaction> Submitted for Kept<T> {
    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let outcome = self.transaction.run(conn).await?;
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        Ok(())
    }
}

#[async_trait]
impl Apply for Transactions {
    type Op = Arc<dyn Submitted>;
    type Reply = ();

    async fn apply(
        &mut self,
        conn: &mut SqliteConnection,
        batch: &[Self::Op],
    ) -> Result<Vec<()>, sqlx::Error> {
        for submitted in batch {
            submitted.run(conn).await?;
        }
        Ok(vec![(); batch.len()])
    }
}

impl Database<Transactions> {
    /// Does `transaction` and answers once it is committed.
    ///
    /// # Errors
    /// What kept it from being committed; then nothing of it is in the file.
    pub async fn transact<T: Transaction>(&self, transaction: T) -> Result<T::Outcome, StorageError> {
        let kept = Arc::new(Kept { transaction, outcome: Mutex::new(None) });
        self.write(Arc::clone(&kept) as Arc<dyn Submitted>).await?;
        let outcome = kept.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        // What was committed has run, and what has run has kept its outcome.
        outcome.ok_or_else(|| StorageError::Closed { place: self.file().into() })
    }
}
