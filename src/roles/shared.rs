//! What the processes of one installation share in passing, on the Redis of the configuration; without
//! one, each process for itself.

use std::sync::Arc;

use async_trait::async_trait;

use crate::config;
use crate::kit::clock::SharedClock;
use crate::kit::health::{Health, Probe};
use crate::kit::limits::Limiters;
use crate::kit::pubsub::memory::MemoryPubSub;
use crate::kit::pubsub::redis::RedisPubSub;
use crate::kit::pubsub::{Line, PubSub};
use crate::kit::redis::{Redis, RedisOptions};
use crate::roles::RoleError;

/// The ways in which processes share.
#[derive(Debug)]
pub(super) struct Shared(Option<Server>);

#[derive(Debug)]
struct Server {
    redis: Redis,
    line: Arc<Line>,
}

impl Shared {
    /// Gets ready to use the configured Redis, if there is one; it need not be there yet.
    pub(super) fn open(config: &config::Redis) -> Result<Self, RoleError> {
        if !config.url.is_set() {
            return Ok(Self(None));
        }
        let redis = Redis::open(RedisOptions {
            url: config.url.as_secret().clone(),
            prefix: config.prefix.clone(),
            pool_size: config.pool_size,
            connect_timeout: config.connect_timeout.get(),
            command_timeout: config.timeout.get(),
        })?;
        let line = Line::open(&redis)?;
        Ok(Self(Some(Server { redis, line })))
    }

    /// Messages of `room`, to whoever listens in any process.
    pub(super) fn messages<V>(&self, room: &'static str) -> Arc<dyn PubSub<V>>
    where
        V: serde::Serialize + serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    {
        match &self.0 {
            Some(server) => Arc::new(RedisPubSub::new(Arc::clone(&server.line), room)),
            None => Arc::new(MemoryPubSub::default()),
        }
    }

    /// Limits that hold for all processes together.
    pub(super) fn limiters(&self, clock: SharedClock) -> Limiters {
        match &self.0 {
            Some(server) => Limiters::on(server.redis.clone(), clock),
            None => Limiters::in_process(clock),
        }
    }

    /// How Redis is, where there should be one.
    pub(super) fn probe(&self) -> Option<Arc<dyn Probe>> {
        let redis = self.0.as_ref()?.redis.clone();
        Some(Arc::new(RedisProbe(redis)))
    }

    /// Lets go of it.
    pub(super) async fn close(&self) {
        if let Some(server) = &self.0 {
            server.line.close().await;
            server.redis.close();
        }
    }
}

#[derive(Debug)]
struct RedisProbe(Redis);

#[async_trait]
impl Probe for RedisProbe {
    async fn health(&self) -> Health {
        Health::of([("server".to_owned(), self.0.health().await)])
    }
}
