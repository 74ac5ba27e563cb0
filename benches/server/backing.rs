//! What the server keeps things in: files of its own, or MongoDB and Redis beside it.

#[path = "../../tests/support/servers.rs"]
#[allow(dead_code, clippy::expect_used, clippy::panic, reason = "shared with the tests")]
mod servers;

use crate::Fault;
use crate::replica_set;

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
        replica_set::initiate(mongod.port()).await?;
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
