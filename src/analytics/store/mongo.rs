//! Counters in a MongoDB database.

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::Hint;
use serde::Deserialize;

use crate::analytics::api::Event;
use crate::analytics::store::{CounterRow, CounterStore, Counts, Kind, Moves, hour};
use crate::kit::clock::SharedClock;
use crate::kit::storage::StorageError;
use crate::kit::storage::migration::{Migration, OnMigration};
use crate::kit::storage::mongo::{Apply, Mongo, MongoOptions, Session, Writer};

/// The schema of `voicera_analytics`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "counters",
    body: include_str!("../../../migrations/mongodb/analytics/0001_counters.json"),
}];

const COUNTERS: &str = "command_counters";
const TOTALS: &str = "command_totals";

/// Batches of events that are written together, and those that may wait for that.
const BATCH: usize = 64;
const BACKLOG: usize = 256;

/// Counters in one database.
#[derive(Debug)]
pub struct MongoCounters {
    mongo: Mongo,
    writer: Writer<Additions>,
}

impl MongoCounters {
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
        let writer = Writer::start(mongo.clone(), Additions, BATCH, BACKLOG);
        Ok(Self { mongo, writer })
    }
}

#[derive(Debug)]
struct Additions;

#[async_trait]
impl Apply for Additions {
    type Op = Vec<Event>;
    type Reply = ();

    async fn apply(&self, session: &mut Session, batch: &[Vec<Event>]) -> Result<Vec<()>, Error> {
        // Few counters move however many events there are: add up first, then write each once.
        let Moves { hours, totals } = batch.iter().flatten().collect();
        let hours = hours.into_iter().map(|((hour, kind), by)| {
            let mut key = doc! { "hour": hour };
            key.extend(named(kind));
            increment(key, by)
        });
        session.update(COUNTERS, hours.collect()).await?;
        let totals = totals.into_iter().map(|(kind, by)| increment(named(kind), by));
        session.update(TOTALS, totals.collect()).await?;
        Ok(vec![(); batch.len()])
    }
}

fn named(kind: Kind<'_>) -> Document {
    doc! { "intent": kind.intent, "language": kind.language, "source": kind.source }
}

fn increment(key: Document, (count, duration_ms): (i64, f64)) -> Document {
    doc! { "q": key, "u": { "$inc": { "count": count, "duration_ms": duration_ms } }, "upsert": true }
}

/// What a counter or a sum of them is.
#[derive(Debug, Deserialize)]
struct Sum {
    intent: String,
    language: String,
    source: String,
    count: i64,
    duration_ms: f64,
}

impl From<Sum> for CounterRow {
    fn from(sum: Sum) -> Self {
        let Sum { intent, language, source, count, duration_ms } = sum;
        Self { intent, language, source, count: count.try_into().unwrap_or(0), duration_ms }
    }
}

/// The pipeline that adds up the hours from one on.
fn since(since: Timestamp) -> Vec<Document> {
    vec![
        doc! { "$match": { "hour": { "$gte": hour(since) } } },
        doc! { "$group": {
            "_id": { "intent": "$intent", "language": "$language", "source": "$source" },
            "count": { "$sum": "$count" },
            "duration_ms": { "$sum": "$duration_ms" },
        } },
        doc! { "$project": {
            "intent": "$_id.intent",
            "language": "$_id.language",
            "source": "$_id.source",
            "count": 1,
            "duration_ms": 1,
        } },
    ]
}

/// The index that every total is read along.
fn by_kind() -> Hint {
    Hint::Name("command_totals_by_kind".to_owned())
}

#[async_trait]
impl CounterStore for MongoCounters {
    async fn add(&self, events: Vec<Event>) -> Result<(), StorageError> {
        self.writer.submit(events).await
    }

    async fn sums(&self, from: Option<Timestamp>) -> Result<Counts, StorageError> {
        let patience = self.mongo.operation_timeout();
        let (counters, totals) = (self.mongo.lists::<Sum>(COUNTERS), self.mongo.lists::<Sum>(TOTALS));
        let rows: Vec<Sum> = self
            .mongo
            .run(async {
                match from {
                    Some(from) => {
                        let sums = counters.aggregate(since(from)).max_time(patience).with_type::<Sum>();
                        sums.await?.try_collect().await
                    }
                    None => {
                        totals.find(doc! {}).hint(by_kind()).max_time(patience).await?.try_collect().await
                    }
                }
            })
            .await?;
        Ok(rows.into_iter().map(CounterRow::from).collect())
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.mongo.check().await
    }

    async fn close(&self) {
        self.writer.close().await;
        self.mongo.close().await;
    }
}
