//! The servers that a production installation stands on.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::doc;
use mongodb::options::ClientOptions;
use tokio::sync::OnceCell;

use super::node::Setting;
use super::servers::{self, Server};
use super::wait;

/// A Redis and a replica set of MongoDB, and names in them that nobody else has.
#[derive(Debug)]
pub struct Backends {
    redis: Held,
    mongod: Held,
    name: String,
}

/// Whose server it is.
#[derive(Debug)]
enum Held {
    Shared(&'static Server),
    Own(Server),
}

impl Deref for Held {
    type Target = Server;

    fn deref(&self) -> &Server {
        match self {
            Self::Shared(server) => server,
            Self::Own(server) => server,
        }
    }
}

impl Held {
    fn own(&mut self) -> &mut Server {
        match self {
            Self::Own(server) => server,
            Self::Shared(_) => panic!("other tests use this server: take one of your own"),
        }
    }
}

impl Backends {
    /// On the servers that all tests of this process share.
    pub async fn shared() -> Self {
        static INITIATED: OnceCell<()> = OnceCell::const_new();
        INITIATED.get_or_init(|| async { initiate(&servers::MONGOD, "").await.shutdown().await }).await;
        Self::of(Held::Shared(&servers::REDIS), Held::Shared(&servers::MONGOD))
    }

    /// On servers of its own, which can be killed and paused.
    pub async fn own() -> Self {
        let (redis, mongod) = (servers::redis(), servers::mongod(true));
        initiate(&mongod, "").await.shutdown().await;
        Self::of(Held::Own(redis), Held::Own(mongod))
    }

    fn of(redis: Held, mongod: Held) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { redis, mongod, name }
    }

    /// Redis, to be killed, paused and started again.
    pub fn redis(&mut self) -> &mut Server {
        self.redis.own()
    }

    /// MongoDB, likewise.
    pub fn mongod(&mut self) -> &mut Server {
        self.mongod.own()
    }

    /// Where Redis is.
    pub fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.redis.port())
    }

    /// What the names of this installation's queues begin with.
    pub fn queue_prefix(&self) -> String {
        format!("{}-bull", self.name)
    }

    /// What Voicera has to be told.
    pub fn settings(&self) -> Vec<Setting> {
        let settings = [
            ("storage.kind", "mongodb".to_owned()),
            ("storage.mongodb.url", mongodb_url(self.mongod.port())),
            ("storage.mongodb.database_prefix", self.name.clone()),
            ("redis.url", self.redis_url()),
            ("redis.prefix", self.name.clone()),
            ("voice.queue.kind", "bullmq".to_owned()),
            ("voice.queue.prefix", self.queue_prefix()),
            ("users.seal_key", "what-all-users-processes-of-the-test-share".to_owned()),
        ];
        settings.map(|(key, value)| (key.to_owned(), value)).to_vec()
    }
}

fn mongodb_url(port: u16) -> String {
    format!("mongodb://127.0.0.1:{port}/?replicaSet=rs0")
}

/// Makes a server a replica set of one member, and waits until it is primary; a client of it, who came with
/// these options of a URL, which begin with `&`.
pub async fn initiate(server: &Server, options: &str) -> Client {
    let port = server.port();
    let address = format!("mongodb://127.0.0.1:{port}/?directConnection=true{options}");
    let mut options = ClientOptions::parse(address).await.expect("an address");
    options.server_selection_timeout = Some(Duration::from_secs(30));
    let client = Client::with_options(options).expect("a client");
    let admin = client.database("admin");
    let members = [doc! { "_id": 0, "host": format!("127.0.0.1:{port}") }];
    let set = doc! { "_id": "rs0", "members": members.as_slice() };
    admin.run_command(doc! { "replSetInitiate": set }).await.expect("a replica set");
    wait::until("the replica set has a primary", async || {
        let hello = admin.run_command(doc! { "hello": 1 }).await.ok()?;
        hello.get_bool("isWritablePrimary").ok()?.then_some(())
    })
    .await;
    client
}
