//! Counters in a MongoDB database.

mod portable;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use mongodb::options::{FindOptions, Hint};
use serde::{Deserialize, Serialize};

use crate::analytics::api::Batch;
use crate::analytics::store::{Change, CounterRow, CounterStore, Counts, Kind, Moves, hour};
use crate::kit::clock::SharedClock;
use crate::kit::ids::BatchId;
use crate::kit::storage::StorageError;
use crate::kit::storage::migration::{Migration, OnMigration};
use crate::kit::storage::mongo::{Apply, Binary16, Mongo, MongoOptions, Session, Writer, date, id, uuid};

/// The schema of `voicera_analytics`.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "counters",
        body: include_str!("../../../migrations/mongodb/analytics/0001_counters.json"),
    },
    Migration {
        version: 2,
        name: "batches",
        body: include_str!("../../../migrations/mongodb/analytics/0002_batches.json"),
    },
];

const COUNTERS: &str = "command_counters";
const BATCHES: &str = "counted_batches";
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
        let writer = Writer::start(mongo.clone(), Additions(Arc::clone(clock)), BATCH, BACKLOG);
        Ok(Self { mongo, writer })
    }
}

#[derive(Debug)]
struct Additions(SharedClock);

/// A batch that was counted. The server forgets it when its time is over.
#[derive(Debug, Serialize, Deserialize)]
struct Counted {
    #[serde(rename = "_id")]
    id: Binary16,
    at: Bson,
}

impl Additions {
    /// Those of the batches that were not counted before, remembered from now on.
    async fn note<'a>(
        &self,
        session: &mut Session,
        batches: Vec<&'a Batch>,
    ) -> Result<Vec<&'a Batch>, Error> {
        let by_id: BTreeMap<_, _> = batches.into_iter().map(|batch| (batch.id, batch)).collect();
        let known: Vec<Counted> =
            session.find(BATCHES, among(by_id.keys().copied()), FindOptions::default()).await?;
        let known: BTreeSet<BatchId> = known.into_iter().map(|counted| id(counted.id)).collect();
        let fresh: Vec<&Batch> = by_id.into_values().filter(|batch| !known.contains(&batch.id)).collect();
        let counted = |batch: &&Batch| Counted { id: uuid(batch.id.uuid()), at: date(self.0.now()) };
        let taken = session.insert(BATCHES, &fresh.iter().map(counted).collect::<Vec<_>>()).await?;
        let fresh = fresh.into_iter().enumerate().filter(|(place, _)| !taken.contains(place));
        Ok(fresh.map(|(_, batch)| batch).collect())
    }
}

fn among(ids: impl Iterator<Item = BatchId>) -> Document {
    doc! { "_id": { "$in": ids.map(|id| uuid(id.uuid())).collect::<Vec<_>>() } }
}

#[async_trait]
impl Apply for Additions {
    type Op = Change;
    type Reply = ();

    /// On a server without transactions a crash after the batches and before their counters leaves those
    /// batches uncounted.
    async fn apply(&self, session: &mut Session, batch: &[Change]) -> Result<Vec<()>, Error> {
        for counters in batch.iter().map(Change::counters).filter(|counters| !counters.is_empty()) {
            let there = portable::there(session, counters).await?;
            let mut moves = Moves::default();
            for counter in counters {
                moves.make(counter, there.get(&counter.of).copied().unwrap_or_default());
            }
            write(session, moves).await?;
        }
        let batches: Vec<&Batch> = batch.iter().filter_map(Change::batch).collect();
        if !batches.is_empty() {
            let fresh = self.note(session, batches).await?;
            // Few counters move however many events there are: add up first, then write each once.
            write(session, fresh.into_iter().flat_map(|batch| &batch.events).collect()).await?;
        }
        Ok(vec![(); batch.len()])
    }
}

/// Moves counters.
async fn write(session: &mut Session, Moves { hours, totals }: Moves<'_>) -> Result<(), Error> {
    let hours = hours.into_iter().map(|((hour, kind), by)| {
        let mut key = doc! { "hour": hour };
        key.extend(named(kind));
        increment(key, by)
    });
    session.update(COUNTERS, hours.collect()).await?;
    let totals = totals.into_iter().map(|(kind, by)| increment(named(kind), by));
    session.update(TOTALS, totals.collect()).await.map(drop)
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
    async fn add(&self, batch: Batch) -> Result<(), StorageError> {
        self.writer.submit(Change::Count(batch)).await
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
