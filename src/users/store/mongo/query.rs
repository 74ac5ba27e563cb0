//! Questions to the database, each along the index that it names: what is asked can be explained by the
//! server, and a test has it explained.

use futures_util::TryStreamExt as _;
use mongodb::Collection;
use mongodb::bson::Document;
use mongodb::error::Error;
use mongodb::options::{FindOptions, Hint};
use serde::de::DeserializeOwned;

use super::MongoUsers;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::Session;

/// A question.
#[derive(Debug, Clone)]
pub(super) struct Query {
    of: &'static str,
    index: &'static str,
    filter: Document,
    sort: Option<Document>,
    skip: u32,
    limit: i64,
}

impl Query {
    /// The documents of a collection that match, found along `index`.
    pub(super) fn of(of: &'static str, index: &'static str, filter: Document) -> Self {
        Self { of, index, filter, sort: None, skip: 0, limit: 0 }
    }

    /// The one with this id, if it is as `filter` says.
    pub(super) fn by_id(of: &'static str, filter: Document) -> Self {
        Self::of(of, "_id_", filter).limit(1)
    }

    /// In this order, which has to be that of the index.
    pub(super) fn sorted(self, sort: Document) -> Self {
        Self { sort: Some(sort), ..self }
    }

    /// At most so many; all for 0.
    pub(super) fn limit(self, limit: i64) -> Self {
        Self { limit, ..self }
    }

    /// Without the first.
    pub(super) fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    fn options(&self) -> FindOptions {
        let mut options = FindOptions::default();
        options.hint = Some(Hint::Name(self.index.to_owned()));
        options.sort.clone_from(&self.sort);
        options.skip = Some(self.skip.into());
        options.limit = Some(self.limit);
        options
    }

    /// All answers.
    pub(super) async fn all<T>(&self, store: &MongoUsers) -> Result<Vec<T>, StorageError>
    where
        T: DeserializeOwned + Send + Sync,
    {
        self.ask(store, &store.mongo.collection(self.of)).await
    }

    /// All answers, from whom the operator prefers for lists.
    pub(super) async fn listed<T>(&self, store: &MongoUsers) -> Result<Vec<T>, StorageError>
    where
        T: DeserializeOwned + Send + Sync,
    {
        self.ask(store, &store.mongo.lists(self.of)).await
    }

    async fn ask<T>(&self, store: &MongoUsers, documents: &Collection<T>) -> Result<Vec<T>, StorageError>
    where
        T: DeserializeOwned + Send + Sync,
    {
        let mut options = self.options();
        options.max_time = Some(store.mongo.operation_timeout());
        let found = async {
            let find = documents.find(self.filter.clone()).with_options(options);
            find.await?.try_collect().await
        };
        store.mongo.run(found).await
    }

    /// The first answer.
    pub(super) async fn one<T>(&self, store: &MongoUsers) -> Result<Option<T>, StorageError>
    where
        T: DeserializeOwned + Send + Sync,
    {
        Ok(self.clone().limit(1).all(store).await?.pop())
    }

    /// All answers, as a transaction sees them.
    pub(super) async fn all_within<T>(&self, session: &mut Session) -> Result<Vec<T>, Error>
    where
        T: DeserializeOwned + Send + Sync,
    {
        session.find(self.of, self.filter.clone(), self.options()).await
    }

    /// The first answer, as a transaction sees it.
    pub(super) async fn one_within<T>(&self, session: &mut Session) -> Result<Option<T>, Error>
    where
        T: DeserializeOwned + Send + Sync,
    {
        Ok(self.clone().limit(1).all_within(session).await?.pop())
    }

    /// Whether there is an answer, as a transaction sees it.
    pub(super) async fn any_within(&self, session: &mut Session) -> Result<bool, Error> {
        Ok(self.one_within::<Document>(session).await?.is_some())
    }

    /// The same as a command.
    #[cfg(test)]
    pub(super) fn command(&self) -> Document {
        let mut command = mongodb::bson::doc! {
            "find": self.of,
            "filter": self.filter.clone(),
            "hint": self.index,
            "skip": i64::from(self.skip),
            "limit": self.limit,
        };
        if let Some(sort) = &self.sort {
            command.insert("sort", sort.clone());
        }
        command
    }

    #[cfg(test)]
    pub(super) fn index(&self) -> &'static str {
        self.index
    }
}
