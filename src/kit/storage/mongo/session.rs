//! Several documents changed together.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, deserialize_from_document, doc};
use mongodb::error::{
    Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
};
use mongodb::options::{FindOptions, ReadConcern};
use mongodb::{ClientSession, Database};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Mongo, error, options};
use crate::kit::storage::StorageError;

/// The first pause before a transaction is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(200));

/// One kind of change, and what it comes to.
#[async_trait]
pub trait Transaction: Send + Sync {
    /// What the caller learns once it is committed. That something was not as the caller thought (gone,
    /// taken, out of date) is an outcome. A call that fails undoes all there was before it, so an outcome
    /// may be made of its error, too ([`is_duplicate`](super::is_duplicate)).
    type Outcome: Send;

    /// Does it. May be called again: after a conflict, and when it is not known whether it was committed.
    /// So what can't be done twice has to look first.
    ///
    /// # Errors
    /// Undoes what was written.
    async fn run(&self, session: &mut Session) -> Result<Self::Outcome, Error>;
}

/// What a [`Transaction`] reads and writes through. On a server that stands alone there are no
/// transactions: then each call counts as soon as it is done, so the order of the calls matters there.
#[derive(Debug)]
pub struct Session {
    database: Database,
    within: Option<ClientSession>,
    /// Whether a call has failed: the server has given the transaction up then.
    failed: bool,
}

/// What an update came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Updated {
    /// Documents that were found, and those that were made.
    pub matched: u64,
    /// Documents that are another than before.
    pub modified: u64,
}

impl Session {
    /// Whether everything here is done together or not at all.
    pub fn is_transaction(&self) -> bool {
        self.within.is_some()
    }

    /// The database, and the session that its calls have to be given, for what is not below.
    pub fn parts(&mut self) -> (&Database, Option<&mut ClientSession>) {
        (&self.database, self.within.as_mut())
    }

    /// The documents of `collection` that match.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn find<T: DeserializeOwned + Send + Sync>(
        &mut self,
        collection: &str,
        filter: Document,
        options: FindOptions,
    ) -> Result<Vec<T>, Error> {
        let within = self.database.collection::<T>(collection);
        let find = within.find(filter).with_options(options);
        let found = match &mut self.within {
            Some(session) => match find.session(&mut *session).await {
                Ok(mut cursor) => cursor.stream(session).try_collect().await,
                Err(error) => Err(error),
            },
            None => find.await?.try_collect().await,
        };
        self.noted(found)
    }

    /// The document of `collection` that matches.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn find_one<T: DeserializeOwned + Send + Sync>(
        &mut self,
        collection: &str,
        filter: Document,
    ) -> Result<Option<T>, Error> {
        let one = FindOptions::builder().limit(1).build();
        Ok(self.find(collection, filter, one).await?.pop())
    }

    /// Adds documents to `collection`; answers the places of those whose key is taken, where it is known
    /// of all. Within a transaction one taken key is an error, which undoes the whole.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn insert<T: Serialize + Send + Sync>(
        &mut self,
        collection: &str,
        documents: &[T],
    ) -> Result<Vec<usize>, Error> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let within = self.database.collection::<T>(collection);
        let insert = within.insert_many(documents).ordered(self.within.is_some());
        let error = match &mut self.within {
            Some(session) => {
                let inserted = insert.session(session).await.map(|_| Vec::new());
                return self.noted(inserted);
            }
            None => match insert.await {
                Ok(_) => return Ok(Vec::new()),
                Err(error) => error,
            },
        };
        let ErrorKind::InsertMany(many) = &*error.kind else { return Err(error) };
        let failed = many.write_errors.iter().flatten();
        let taken: Option<Vec<usize>> =
            failed.map(|write| (write.code == 11_000).then_some(write.index)).collect();
        match taken {
            Some(taken) if !taken.is_empty() && many.write_concern_error.is_none() => Ok(taken),
            _ => Err(error),
        }
    }

    /// Adds a document to `collection`; answers whether its keys were free.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn insert_new<T: Serialize + Send + Sync>(
        &mut self,
        collection: &str,
        document: &T,
    ) -> Result<bool, Error> {
        match self.insert(collection, std::slice::from_ref(document)).await {
            Ok(taken) => Ok(taken.is_empty()),
            Err(error) if error::is_duplicate(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Updates, each `{ q, u, upsert?, multi? }` as the command `update` has them, in order, in one call.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn update(&mut self, collection: &str, updates: Vec<Document>) -> Result<Updated, Error> {
        if updates.is_empty() {
            return Ok(Updated::default());
        }
        let reply = self.write(doc! { "update": collection, "updates": updates }).await?;
        Ok(Updated { matched: number(&reply, "n"), modified: number(&reply, "nModified") })
    }

    /// Removes the documents of `collection` that match; answers how many there were.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn delete(&mut self, collection: &str, filter: Document) -> Result<u64, Error> {
        let all = doc! { "q": filter, "limit": 0 };
        let reply = self.write(doc! { "delete": collection, "deletes": [all] }).await?;
        Ok(number(&reply, "n"))
    }

    /// A command that writes. The driver takes its reply for good even where it holds errors.
    async fn write(&mut self, mut command: Document) -> Result<Document, Error> {
        let reply = if let Some(session) = &mut self.within {
            self.database.run_command(command).session(session).await
        } else {
            command.insert("writeConcern", doc! { "w": "majority", "j": true });
            self.database.run_command(command).await
        };
        let reply = reply.and_then(unfailed);
        self.noted(reply)
    }

    fn noted<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        self.failed |= done.is_err();
        done
    }
}

/// A reply, unless it tells of errors.
fn unfailed(reply: Document) -> Result<Document, Error> {
    if let Some(first) = reply.get_array("writeErrors").ok().and_then(|errors| errors.first()) {
        let first = first.as_document().cloned().unwrap_or_default();
        let failure = WriteFailure::WriteError(deserialize_from_document(first)?);
        return Err(ErrorKind::Write(failure).into());
    }
    if let Ok(concern) = reply.get_document("writeConcernError") {
        let failure = WriteFailure::WriteConcernError(deserialize_from_document(concern.clone())?);
        return Err(ErrorKind::Write(failure).into());
    }
    Ok(reply)
}

fn number(reply: &Document, key: &str) -> u64 {
    let number = reply.get(key).and_then(|value| value.as_i64().or_else(|| value.as_i32().map(i64::from)));
    number.and_then(|number| number.try_into().ok()).unwrap_or(0)
}

impl Mongo {
    /// Does `transaction` and answers once it is on the disks of a majority. Where another has changed the
    /// same documents it is done again, within [`Mongo::operation_timeout`].
    ///
    /// # Errors
    /// What kept it from being committed; then nothing of it is kept. After an error that is transient it
    /// may be there all the same: it was not known whether the server had committed it.
    pub async fn transact<T: Transaction>(&self, transaction: &T) -> Result<T::Outcome, StorageError> {
        let transactions = self.usable()?;
        let mut last = None;
        let work = async {
            let (mut pause, longest) = PAUSES;
            let mut duplicates = 0;
            loop {
                match self.attempt(transaction, transactions).await {
                    Err(error) if transactions && error.contains_label(TRANSIENT_TRANSACTION_ERROR) => {
                        last = Some(error);
                    }
                    // It was free in this transaction's view of the database: the next one sees who has it.
                    Err(error) if transactions && duplicates < 2 && error::is_duplicate(&error) => {
                        duplicates += 1;
                    }
                    done => return done,
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
        };
        let deadline = self.operation_timeout();
        let done = tokio::time::timeout(deadline, work).await;
        match (done, last) {
            (Ok(done), _) => done.map_err(|error| self.error(&error)),
            (Err(_), Some(error)) => Err(self.error(&error)),
            (Err(_), None) => Err(self.too_late(deadline)),
        }
    }

    async fn attempt<T: Transaction>(
        &self,
        transaction: &T,
        transactions: bool,
    ) -> Result<T::Outcome, Error> {
        let database = self.0.database.clone();
        if !transactions {
            return transaction.run(&mut Session { database, within: None, failed: false }).await;
        }
        let mut client = self.0.client.start_session().await?;
        client
            .start_transaction()
            .read_concern(ReadConcern::snapshot())
            .write_concern(options::durable(self.operation_timeout()))
            .await?;
        let mut session = Session { database, within: Some(client), failed: false };
        let outcome = transaction.run(&mut session).await;
        let Some(mut client) = session.within else { return outcome };
        match outcome {
            Ok(outcome) if !session.failed => {
                while let Err(error) = client.commit_transaction().await {
                    if !error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
                        return Err(error);
                    }
                    tokio::time::sleep(PAUSES.1).await;
                }
                Ok(outcome)
            }
            undone => {
                // Fails where the server has done so already.
                let _ = client.abort_transaction().await;
                undone
            }
        }
    }
}
