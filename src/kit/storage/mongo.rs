//! A MongoDB database that several processes share: pooled connections, deadlines, migrations.
//!
//! A store opens a [`Mongo`] and asks it through [`Mongo::run`], changes several documents together
//! through [`Mongo::transact`], or gives its writes to a [`Writer`], which groups them.
//!
//! Opening does not need the server. While it is away, or its schema is not up to date yet, every call
//! answers at once with what is wrong ([`StorageError::is_transient`]), and the schema is brought up to
//! date in the background as soon as it can be.
//!
//! What was accepted is on the disks of a majority of the replica set, and reads see nothing that could
//! still be undone. Reads go to the primary, but for those that a store makes through [`Mongo::lists`].

mod error;
mod migrations;
mod options;
mod position;
mod session;
#[cfg(test)]
pub mod stage;
mod state;
#[cfg(test)]
mod tests;
mod values;
mod writer;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::doc;
use mongodb::options::DatabaseOptions;
use mongodb::{Client, Collection, Database};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use error::is_duplicate;
pub use options::{MongoOptions, ReadPreference};
pub use position::Position;
pub use session::{Session, Transaction, Updated};
pub use values::{Binary16, binary, date, id, instant, micros, uuid};
pub use writer::{Apply, Writer};

use super::migration::{Migration, OnMigration, Standing};
use super::{Place, StorageError};
use crate::kit::clock::SharedClock;
use state::State;

/// How long a health check waits for its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long closing waits for what is under way.
const GRACE: Duration = Duration::from_secs(5);

/// A database on a server. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Mongo(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    /// Reads the primary.
    database: Database,
    /// Reads whom the operator prefers.
    lists: Database,
    place: Place,
    operation_timeout: Duration,
    needs_transactions: bool,
    state: watch::Sender<State>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Mongo {
    /// Opens the database and brings its schema up to date, now if the server is there, otherwise when it
    /// comes. `on_migration` is told of what is done now.
    ///
    /// # Errors
    /// [`StorageError::Address`] for a URL that can't work, [`StorageError::Denied`] by a server that is
    /// there, [`StorageError::Newer`] and [`StorageError::Altered`] when another version has been here.
    pub async fn open(
        options: &MongoOptions,
        migrations: &'static [Migration],
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        let mongo = Self::connect(options).await?;
        match mongo.migrate_once(migrations, clock, on_migration).await {
            Ok(()) => {}
            // Whoever starts it looks now. Later, who was let in once will be again.
            Err(error) if state::is_final(&error) || matches!(error, StorageError::Denied { .. }) => {
                mongo.close().await;
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(%error, "a store is not ready; trying again in the background");
                mongo.0.state.send_replace(State::Waiting(error));
                mongo.0.tasks.spawn(mongo.clone().migrate_when_possible(migrations, Arc::clone(clock)));
            }
        }
        mongo.0.tasks.close();
        Ok(mongo)
    }

    /// Brings the schema up to date, and says how it stands then.
    ///
    /// # Errors
    /// Those of [`Mongo::open`], and what keeps it from being done now.
    pub async fn migrate(
        options: &MongoOptions,
        migrations: &[Migration],
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Standing, StorageError> {
        let mongo = Self::connect(options).await?;
        let done = match mongo.migrate_once(migrations, clock, on_migration).await {
            Ok(()) => mongo.standing_now(migrations).await,
            Err(error) => Err(error),
        };
        mongo.close().await;
        done
    }

    /// What the database has of `migrations`, and what it lacks. Changes nothing.
    ///
    /// # Errors
    /// Those of [`Mongo::open`], and what keeps it from being read now.
    pub async fn standing(
        options: &MongoOptions,
        migrations: &[Migration],
    ) -> Result<Standing, StorageError> {
        let mongo = Self::connect(options).await?;
        let standing = mongo.standing_now(migrations).await;
        mongo.close().await;
        standing
    }

    async fn connect(options: &MongoOptions) -> Result<Self, StorageError> {
        let (client_options, place) = options.client().await?;
        let refused = |error| error::sort(&place, &error);
        let client = Client::with_options(client_options).map_err(refused)?;
        let lists = DatabaseOptions::builder().selection_criteria(options.read_preference.criteria()).build();
        Ok(Self(Arc::new(Inner {
            database: client.database(&options.database),
            lists: client.database_with_options(&options.database, lists),
            client,
            place,
            operation_timeout: options.operation_timeout,
            needs_transactions: options.needs_transactions,
            state: watch::Sender::new(State::Closed),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })))
    }

    /// A collection, read from the primary: for what decides something.
    pub fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.0.database.collection(name)
    }

    /// A collection, read from whom the operator prefers: for lists and figures, which may be a moment
    /// behind.
    pub fn lists<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.0.lists.collection(name)
    }

    /// The database itself.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The time that a call may take.
    pub fn operation_timeout(&self) -> Duration {
        self.0.operation_timeout
    }

    /// Does `work`, whose calls go to this database, within [`MongoOptions::operation_timeout`].
    ///
    /// # Errors
    /// Any [`StorageError`]; one that is transient when it took too long, and then it may be done or not.
    pub async fn run<T>(
        &self,
        work: impl Future<Output = mongodb::error::Result<T>>,
    ) -> Result<T, StorageError> {
        self.usable()?;
        self.within(self.0.operation_timeout, work).await
    }

    async fn within<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = mongodb::error::Result<T>>,
    ) -> Result<T, StorageError> {
        match tokio::time::timeout(deadline, work).await {
            Ok(done) => done.map_err(|error| self.error(&error)),
            Err(_) => Err(self.too_late(deadline)),
        }
    }

    fn too_late(&self, deadline: Duration) -> StorageError {
        let detail = format!("no answer within {} ms", deadline.as_millis());
        StorageError::Unreachable { place: self.0.place.clone(), detail }
    }

    /// Sorts a driver's error that a store met on this database.
    pub fn error(&self, error: &mongodb::error::Error) -> StorageError {
        error::sort(&self.0.place, error)
    }

    /// Whether the primary answers and the schema is up to date.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn check(&self) -> Result<(), StorageError> {
        self.usable()?;
        let deadline = PATIENCE.min(self.0.operation_timeout);
        self.within(deadline, async { self.0.database.run_command(doc! { "ping": 1 }).await }).await?;
        Ok(())
    }

    /// Resolves once the schema is up to date, or never will be.
    ///
    /// # Errors
    /// Why it never will be.
    pub async fn ready(&self) -> Result<(), StorageError> {
        let mut state = self.0.state.subscribe();
        // The sender lives as long as this handle.
        let _ = state.wait_for(State::is_settled).await;
        self.usable().map(drop)
    }

    fn closed(&self) -> StorageError {
        StorageError::Closed { place: self.0.place.clone() }
    }

    /// Waits for what is under way, for a limited time, and closes the connections. Later calls fail with
    /// [`StorageError::Closed`]. May be called more than once.
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.state.send_replace(State::Closed);
        let client = self.0.client.clone();
        if tokio::time::timeout(GRACE, client.shutdown()).await.is_err() {
            self.0.client.clone().shutdown().immediate(true).await;
        }
    }
}
