//! The history in a MongoDB database.

mod document;
mod plan;
mod portable;
#[cfg(test)]
mod tests;
mod writes;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use serde::Deserialize;

use document::{Entry, Known, day};
use plan::{Plan, Stop};
use writes::Writes;

use crate::kit::clock::SharedClock;
use crate::kit::http::page::{Cursor, Page};
use crate::kit::ids::{JobId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::migration::{Migration, OnMigration};
use crate::kit::storage::mongo::{Binary16, Mongo, MongoOptions, Writer, uuid};
use crate::voice::api::Command;
use crate::voice::store::{CommandStore, Filter, HistoryPage, StatRow, Stats};

/// The schema of `voicera_voice`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "commands",
    body: include_str!("../../../migrations/mongodb/voice/0001_commands.json"),
}];

const COMMANDS: &str = "commands";
const STATS: &str = "command_stats";

/// Commands that a page looks at where no index knows which of them are wanted.
const EXAMINED: u32 = 10_000;
/// Commands that one step of forgetting somebody removes.
const ERASED_AT_ONCE: i64 = 1_000;
/// Commands that are written together, and those that may wait for that.
const BATCH: usize = 256;
const BACKLOG: usize = 2_048;

/// The history in one database.
#[derive(Debug)]
pub struct MongoCommands {
    mongo: Mongo,
    writer: Writer<Writes>,
    examined: u32,
}

impl MongoCommands {
    /// Opens the database and brings it up to date, now or as soon as its server is there.
    ///
    /// # Errors
    /// Those of [`Mongo::open`].
    pub async fn open(
        options: &MongoOptions,
        clock: &SharedClock,
        on_migration: OnMigration<'_>,
    ) -> Result<Self, StorageError> {
        let mongo = Mongo::open(options, MIGRATIONS, clock, on_migration).await?;
        let writer = Writer::start(mongo.clone(), Writes, BATCH, BACKLOG);
        Ok(Self { mongo, writer, examined: EXAMINED })
    }

    /// The same, looking at so many commands a page.
    #[cfg(test)]
    pub(super) fn examining(self, examined: u32) -> Self {
        Self { examined, ..self }
    }

    /// The longest that the server works at a read whose caller has gone.
    fn patience(&self) -> Duration {
        self.mongo.operation_timeout()
    }

    /// Removes some of `owner`'s commands; answers how many.
    async fn erase_some(&self, owner: UserId) -> Result<u64, StorageError> {
        let owner = uuid(owner.uuid());
        let commands = self.mongo.collection::<Known>(COMMANDS);
        self.mongo
            .run(async {
                let found = commands
                    .find(doc! { "owner": owner })
                    .hint(plan::by_time())
                    .limit(ERASED_AT_ONCE)
                    .await?
                    .map_ok(|known| known.id)
                    .try_collect::<Vec<Binary16>>()
                    .await?;
                if found.is_empty() {
                    return Ok(0);
                }
                let removed = commands.delete_many(doc! { "owner": owner, "_id": { "$in": found } }).await?;
                // Another process that erases, too, has left nothing for this one: look again.
                Ok(removed.deleted_count.max(1))
            })
            .await
    }
}

/// Where a bounded search ends.
async fn stop(
    mongo: &Mongo,
    plan: &Plan<'_>,
    examined: u32,
    patience: Duration,
) -> Result<Option<Cursor>, Error> {
    let Some(query) = plan.stop(examined) else { return Ok(None) };
    let mut found = query.on(&mongo.lists::<Stop>(COMMANDS)).max_time(patience).await?;
    found.try_next().await?.map(Stop::cursor).transpose()
}

#[async_trait]
impl CommandStore for MongoCommands {
    async fn record(&self, command: &Command) -> Result<(), StorageError> {
        let entry = Entry::of(command).map_err(|error| self.mongo.error(&error))?;
        self.writer.submit(entry).await
    }

    async fn get(&self, owner: UserId, id: JobId) -> Result<Option<Command>, StorageError> {
        let commands = self.mongo.collection::<Entry>(COMMANDS);
        let wanted = plan::one(owner, id);
        let found =
            self.mongo.run(async { commands.find_one(wanted).max_time(self.patience()).await }).await?;
        found.map(Entry::command).transpose().map_err(|error| self.mongo.error(&error))
    }

    async fn history(&self, owner: UserId, filter: &Filter, page: Page) -> Result<HistoryPage, StorageError> {
        let plan = Plan::of(owner, filter, page);
        let (stop, entries) = self
            .mongo
            .run(async {
                let stop = stop(&self.mongo, &plan, self.examined, self.patience()).await?;
                let query = plan.select(stop);
                let found = query.on(&self.mongo.lists::<Entry>(COMMANDS)).max_time(self.patience()).await?;
                Ok((stop, found.try_collect::<Vec<_>>().await?))
            })
            .await?;
        let commands = entries.into_iter().map(Entry::command).collect::<Result<Vec<_>, _>>();
        let commands = commands.map_err(|error| self.mongo.error(&error))?;
        Ok(HistoryPage::of(commands, page.limit, stop))
    }

    async fn stats(
        &self,
        owner: UserId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Stats, StorageError> {
        let stats = self.mongo.lists::<Document>(STATS);
        let sums = figures(owner, from, to);
        let rows: Vec<Sum> = self
            .mongo
            .run(async {
                let cursor = stats.aggregate(sums).max_time(self.patience()).with_type::<Sum>().await?;
                cursor.try_collect().await
            })
            .await?;
        Ok(rows.into_iter().map(StatRow::from).collect())
    }

    async fn erase(&self, owner: UserId) -> Result<(), StorageError> {
        // A part at a time: each within its own deadline.
        while self.erase_some(owner).await? > 0 {}
        let stats = self.mongo.collection::<Document>(STATS);
        let owned = doc! { "owner": uuid(owner.uuid()) };
        self.mongo.run(async { stats.delete_many(owned).await }).await.map(drop)
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.mongo.check().await
    }

    async fn close(&self) {
        self.writer.close().await;
        self.mongo.close().await;
    }
}

/// The pipeline that adds up somebody's days.
fn figures(owner: UserId, from: Option<Timestamp>, to: Option<Timestamp>) -> Vec<Document> {
    let mut wanted = doc! { "owner": uuid(owner.uuid()) };
    let mut days = Document::new();
    days.extend(from.map(|from| ("$gte".to_owned(), day(from).into())));
    days.extend(to.map(|to| ("$lte".to_owned(), day(to).into())));
    if !days.is_empty() {
        wanted.insert("day", days);
    }
    vec![
        doc! { "$match": wanted },
        doc! { "$group": {
            "_id": { "intent": "$intent", "language": "$language", "source": "$source" },
            "count": { "$sum": "$count" },
            "duration_ms": { "$sum": "$duration_ms" },
        } },
    ]
}

/// What the pipeline answers.
#[derive(Debug, Deserialize)]
struct Sum {
    #[serde(rename = "_id")]
    of: SumOf,
    count: i64,
    duration_ms: f64,
}

#[derive(Debug, Deserialize)]
struct SumOf {
    intent: String,
    language: String,
    source: String,
}

impl From<Sum> for StatRow {
    fn from(sum: Sum) -> Self {
        Self {
            intent: sum.of.intent,
            language: sum.of.language,
            source: sum.of.source,
            count: sum.count.try_into().unwrap_or(0),
            duration_ms: sum.duration_ms,
        }
    }
}
