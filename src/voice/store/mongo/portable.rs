//! The history carried to another store, and from one.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use mongodb::bson::{Document, doc};

use super::document::Entry;
use super::{COMMANDS, MongoCommands, plan};
use crate::kit::ids::JobId;
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::Portable;
use crate::voice::api::Command;
use crate::voice::store::CommandStore as _;

#[async_trait]
impl Portable for MongoCommands {
    type Key = JobId;
    type Entry = Command;

    async fn entries(&self) -> Result<u64, StorageError> {
        let commands = self.mongo.collection::<Document>(COMMANDS);
        self.mongo.run(async { commands.count_documents(doc! {}).hint(plan::by_id()).await }).await
    }

    async fn export(&self, after: Option<JobId>, limit: u32) -> Result<Vec<(JobId, Command)>, StorageError> {
        let commands = self.mongo.collection::<Entry>(COMMANDS);
        let find = commands.find(plan::beyond(after)).sort(doc! { "_id": 1 }).limit(limit.into());
        let entries: Vec<Entry> = self.mongo.run(async { find.await?.try_collect().await }).await?;
        let commands = entries.into_iter().map(Entry::command);
        let commands = commands.map(|command| command.map(|command| (command.job_id, command)));
        commands.collect::<Result<_, _>>().map_err(|error| self.mongo.error(&error))
    }

    async fn import(&self, commands: Vec<Command>) -> Result<(), StorageError> {
        try_join_all(commands.iter().map(|command| self.record(command))).await.map(drop)
    }
}
