//! What the server keeps things in: files of its own, or MongoDB and Redis beside it.

#[path = "../../tests/support/servers.rs"]
#[allow(dead_code, clippy::expect_used, clippy::panic, reason = "shared with the tests")]
mod servers;

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::doc;
use mongodb::options::ClientOptions;

use crate::Fault;

/// Where things are kept, as the server is told it.
#[derive(Default)]
pub struct Backing {
    /// Variables of its environment.
    pub variables: Vec<(&'static str, String)>,
    _servers: Vec<servers::Server>,
}

impl Backing {
    /// A replica set of one member, and a Redis that flushes each second; both end with the value.
    pub async fn servers() -> Result<Self, Fault> {
        let (redis, mongod) = (servers::redis_flushed("everysec"), servers::mongod(true));
        let direct = format!("mongodb://127.0.0.1:{}/?directConnection=true", mongod.port());
        let mut options = ClientOptions::parse(direct).await?;
        options.server_selection_timeout = Some(Duration::from_secs(30));
        let client = Client::with_options(options)?;
        let admin = client.database("admin");
        let member = doc! { "_id": 0, "host": format!("127.0.0.1:{}", mongod.port()) };
        admin.run_command(doc! { "replSetInitiate": { "_id": "rs0", "members": [member] } }).await?;
        while !admin.run_command(doc! { "hello": 1 }).await?.get_bool("isWritablePrimary")? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.shutdown().await;
        let variables = vec![
            ("VOICERA_STORAGE__KIND", "mongodb".to_owned()),
            (
                "VOICERA_STORAGE__MONGODB__URL",
                format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", mongod.port()),
            ),
            ("VOICERA_REDIS__URL", format!("redis://127.0.0.1:{}", redis.port())),
            ("VOICERA_VOICE__QUEUE__KIND", "bullmq".to_owned()),
            ("VOICERA_USERS__SEAL_KEY", "what-an-installation-of-a-minute-is-sealed-with".to_owned()),
        ];
        Ok(Self { variables, _servers: vec![redis, mongod] })
    }
}
