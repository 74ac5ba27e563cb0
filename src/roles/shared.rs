//! What the processes of one installation share in passing, on the Redis of the configuration; without
//! one, each process for itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::config::{self, Config};
use crate::kit::cache::Cache;
use crate::kit::cache::memory::MemoryCache;
use crate::kit::cache::redis::{RedisCache, SharedOptions};
use crate::kit::clock::SharedClock;
use crate::kit::files;
use crate::kit::health::{Health, Probe};
use crate::kit::ids::Entropy;
use crate::kit::limits::Limiters;
use crate::kit::pubsub::memory::MemoryPubSub;
use crate::kit::pubsub::redis::RedisPubSub;
use crate::kit::pubsub::{Line, PubSub};
use crate::kit::redis::{OpenError, Redis, RedisError, RedisOptions};
use crate::roles::RoleError;
#[cfg(feature = "voice")]
use crate::voice::api::CommandResult;

/// The largest answer that is shared, in bytes of JSON.
const LARGEST_ANSWER: usize = 64 * 1024;
/// The largest file of certificates, in bytes: all well-known authorities together are a quarter of it.
const LARGEST_AUTHORITY: u64 = 1 << 20;

/// The ways in which processes share.
#[derive(Debug)]
pub(super) struct Shared(Option<Server>);

#[derive(Debug)]
struct Server {
    redis: Redis,
    line: Arc<Line>,
}

impl Shared {
    /// Gets ready to use the configured Redis, if there is one. It need not be there yet, but if it is it has
    /// to know who comes.
    pub(super) async fn open(config: &config::Redis) -> Result<Self, RoleError> {
        if !config.url.is_set() {
            return Ok(Self(None));
        }
        let redis = Redis::open(RedisOptions {
            url: config.url.as_secret().clone(),
            authority: authority(config)?,
            prefix: config.prefix.clone(),
            pool_size: config.pool_size,
            connect_timeout: config.connect_timeout.get(),
            command_timeout: config.timeout.get(),
        })?;
        if let Err(refuses @ RedisError::Refused { .. }) = redis.ping().await {
            return Err(RoleError::RedisRefuses(refuses));
        }
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

    /// The answers of the voice module that may be given again.
    #[cfg(feature = "voice")]
    pub(super) fn answers(&self, config: &Config, entropy: &Entropy) -> Arc<dyn Cache<CommandResult>> {
        let (near, ttl) = (config.voice.cache.entries, config.voice.cache.ttl.get());
        match &self.0 {
            Some(server) => {
                // A language model that uses up its time, and the pipeline around it.
                let flight = config.llm.deadline.get() + Duration::from_secs(2);
                let options = SharedOptions { ttl, near, largest: LARGEST_ANSWER, flight };
                Arc::new(RedisCache::new("answers", server.redis.clone(), entropy, options))
            }
            None => Arc::new(MemoryCache::new("answers", near, ttl)),
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

/// The certificates of whom to believe about who Redis is, where the configuration names some.
pub(super) fn authority(config: &config::Redis) -> Result<Option<Arc<[u8]>>, RoleError> {
    if config.tls_ca.as_os_str().is_empty() {
        return Ok(None);
    }
    let bytes = files::read(&config.tls_ca, LARGEST_AUTHORITY).map_err(|unread| {
        RoleError::Redis(OpenError::Authority(format!("{} {unread}", config.tls_ca.display())))
    })?;
    Ok(Some(bytes.into()))
}

#[derive(Debug)]
struct RedisProbe(Redis);

#[async_trait]
impl Probe for RedisProbe {
    async fn health(&self) -> Health {
        Health::of([("server".to_owned(), self.0.health().await)])
    }
}
