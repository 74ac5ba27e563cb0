//! Counters carried to another store, and from one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::{FindOptions, Hint};
use serde::Deserialize;

use super::{COUNTERS, MongoCounters};
use crate::analytics::store::{Change, HourCounter, HourKey};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::Session;
use crate::kit::storage::portable::Portable;

/// A counter as it is kept.
#[derive(Debug, Deserialize)]
struct Counter {
    #[serde(flatten)]
    of: HourKey,
    count: i64,
    duration_ms: f64,
}

#[async_trait]
impl Portable for MongoCounters {
    type Key = HourKey;
    type Entry = HourCounter;

    async fn entries(&self) -> Result<u64, StorageError> {
        let counters = self.mongo.collection::<Document>(COUNTERS);
        self.mongo.run(async { counters.count_documents(doc! {}).hint(by_hour()).await }).await
    }

    async fn export(
        &self,
        after: Option<HourKey>,
        limit: u32,
    ) -> Result<Vec<(HourKey, HourCounter)>, StorageError> {
        let counters = self.mongo.collection::<Counter>(COUNTERS);
        // The place in the index, and that itself is still among what is found.
        let place = after.as_ref().map(key);
        let more = i64::from(limit) + i64::from(place.is_some());
        let find = counters.find(doc! {}).hint(by_hour()).sort(in_order()).limit(more);
        let find = if let Some(place) = place { find.min(place) } else { find };
        let found: Vec<Counter> = self.mongo.run(async { find.await?.try_collect().await }).await?;
        let found = found.into_iter().filter(|counter| Some(&counter.of) != after.as_ref());
        let counters = found
            .take(limit as usize)
            .map(|Counter { of, count, duration_ms }| (of.clone(), HourCounter { of, count, duration_ms }));
        Ok(counters.collect())
    }

    async fn import(&self, counters: Vec<HourCounter>) -> Result<(), StorageError> {
        self.writer.submit(Change::Import(counters)).await
    }
}

/// The index that has the counters in their order.
fn by_hour() -> Hint {
    Hint::Name("command_counters_by_hour".to_owned())
}

fn in_order() -> Document {
    doc! { "hour": 1, "intent": 1, "language": 1, "source": 1 }
}

fn key(of: &HourKey) -> Document {
    let HourKey { hour, intent, language, source } = of;
    doc! { "hour": hour, "intent": intent, "language": language, "source": source }
}

/// What counters stand at: commands, and milliseconds.
pub(super) async fn there(
    session: &mut Session,
    counters: &[HourCounter],
) -> Result<BTreeMap<HourKey, (i64, f64)>, Error> {
    let any: Vec<_> = counters.iter().map(|counter| key(&counter.of)).collect();
    let found: Vec<Counter> = session.find(COUNTERS, doc! { "$or": any }, FindOptions::default()).await?;
    Ok(found.into_iter().map(|found| (found.of, (found.count, found.duration_ms))).collect())
}
