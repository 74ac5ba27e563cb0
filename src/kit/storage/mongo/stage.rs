//! The databases that tests of stores work on: real servers, a database for each test.

use std::future::Future;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc, oid::ObjectId};
use mongodb::options::ClientOptions;
use tokio::sync::OnceCell;

use super::MongoOptions;
use crate::servers::{self, Server};

/// How long a server may take to do what a test waits for.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// A database of a test's own on the replica set that the tests of this process share.
pub async fn on_replica_set() -> MongoOptions {
    static INITIATED: OnceCell<()> = OnceCell::const_new();
    INITIATED.get_or_init(async || initiate(&servers::MONGOD).await).await;
    options(&servers::MONGOD)
}

/// A replica set of a test's own, which it may kill and pause.
pub async fn replica_set() -> Server {
    let server = servers::mongod(true);
    initiate(&server).await;
    server
}

/// A database on `server`, with a name that no other test has.
pub fn options(server: &Server) -> MongoOptions {
    MongoOptions::new(
        format!("mongodb://127.0.0.1:{}", server.port()).into(),
        format!("test_{}", ObjectId::new().to_hex()),
    )
}

/// Makes `server` a replica set of one, and waits until it is the primary.
async fn initiate(server: &Server) {
    let url = format!("mongodb://127.0.0.1:{}/?directConnection=true", server.port());
    let client = Client::with_options(ClientOptions::parse(url).await.unwrap()).unwrap();
    let admin = client.database("admin");
    let member = doc! { "_id": 0, "host": format!("127.0.0.1:{}", server.port()) };
    admin
        .run_command(doc! { "replSetInitiate": { "_id": "rs0", "members": [member] } })
        .await
        .expect("it can be initiated");
    eventually("it is the primary", async || {
        let hello: Document = admin.run_command(doc! { "hello": 1 }).await.unwrap();
        hello.get_bool("isWritablePrimary").unwrap_or(false)
    })
    .await;
    client.shutdown().await;
}

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within [`DEADLINE`].
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waited = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waited).await.is_ok(), "not within a minute: {what}");
}
