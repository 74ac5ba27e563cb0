//! All that every store has to do, and that the server finds everything along an index.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::bson::Document;

use super::MongoUsers;
use crate::kit::clock::{SharedClock, SystemClock};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Mongo, MongoOptions, stage};
use crate::servers;
use crate::users::store::UserStore;
use crate::users::store::conformance::{Place, conformance, hexadecimal};

mod explain;

async fn open(options: &MongoOptions) -> Result<MongoUsers, StorageError> {
    let clock: SharedClock = Arc::new(SystemClock);
    MongoUsers::open(options, &clock, &|_| {}).await
}

/// A database of a test's own.
struct Database(MongoOptions);

impl Database {
    async fn new() -> Self {
        Self(stage::on_replica_set().await)
    }
}

#[async_trait]
impl Place for Database {
    async fn open(&self) -> Arc<dyn UserStore> {
        Arc::new(open(&self.0).await.unwrap())
    }

    async fn another(&self) -> Box<dyn Place> {
        Box::new(Self::new().await)
    }

    async fn tables(&self) -> Vec<(String, String)> {
        let clock: SharedClock = Arc::new(SystemClock);
        let mongo = Mongo::open(&self.0, super::MIGRATIONS, &clock, &|_| {}).await.unwrap();
        let mut tables = Vec::new();
        for name in mongo.database().list_collection_names().await.unwrap() {
            let rows: Vec<Document> = mongo
                .collection::<Document>(&name)
                .find(Document::new())
                .await
                .unwrap()
                .try_collect()
                .await
                .unwrap();
            let rows: Vec<String> = rows.iter().map(|row| text(row.iter())).collect();
            tables.push((name, rows.join("\n")));
        }
        mongo.close().await;
        tables
    }
}

fn text<'a>(fields: impl Iterator<Item = (&'a String, &'a mongodb::bson::Bson)>) -> String {
    fields.map(|(name, value)| format!("{name}={}", shown(value))).collect::<Vec<_>>().join(" ")
}

fn shown(value: &mongodb::bson::Bson) -> String {
    use mongodb::bson::Bson;
    match value {
        Bson::Binary(binary) => hexadecimal(&binary.bytes),
        Bson::Document(document) => text(document.iter()),
        Bson::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(" "),
        Bson::String(text) => text.clone(),
        other => other.to_string(),
    }
}

conformance!(Database::new().await);

#[tokio::test]
async fn a_server_that_stands_alone_is_refused_with_the_way_out() {
    let server = servers::mongod(false);
    let refused = open(&stage::options(&server)).await.unwrap_err();
    assert!(matches!(refused, StorageError::Alone { .. }), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains("--replSet") && message.contains("rs.initiate()"), "{message}");
}
