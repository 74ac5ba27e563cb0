//! Values shared by all processes on one Redis.
//!
//! In front of it stands a first level in this process, in which nothing gets older than on Redis. Of
//! all processes that lack the same value one makes it, for as long as its lock lives; the others look
//! every now and then, and take over when the lock has expired or they have waited for as long as that.

use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::{Cmd, SetExpiry, SetOptions, cmd};
use futures_util::future::BoxFuture;
use moka::{Expiry, future};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::metrics::Requests;
use super::{Cache, Computed, Found, Key};
use crate::kit::ids::Entropy;
use crate::kit::redis::{Redis, RedisError, Script};

static LOOK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("look.lua")));
static HOLD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("hold.lua")));
static LAND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("land.lua")));

/// Between the first two looks for what another process makes; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How long it holds that somebody makes a value; said again while they do. Whoever waits for a process
/// that has died waits for this.
const HELD: Duration = Duration::from_secs(3);
/// How long a value that is not to be kept waits for those who wait for it: several pauses.
const PASSING: Duration = Duration::from_secs(1);

/// What `look.lua` answers first.
const FOUND: u8 = 0;
const PASSED: u8 = 1;
const MAKE: u8 = 2;

/// How a shared cache behaves.
#[derive(Debug, Clone, Copy)]
pub struct SharedOptions {
    /// How long a value is good for.
    pub ttl: Duration,
    /// How many values this process keeps at hand.
    pub near: u64,
    /// The largest value on Redis, in bytes of JSON; larger ones stay in this process.
    pub largest: usize,
    /// How long it may take to make a value. After that another process may try, and those who wait
    /// make it for themselves.
    pub flight: Duration,
}

/// Keeps values on Redis, and those of late at hand.
pub struct RedisCache<V> {
    near: future::Cache<Key, Near<V>>,
    redis: Redis,
    name: &'static str,
    /// This process, on locks.
    owner: String,
    options: SharedOptions,
    requests: Requests,
}

/// A value at hand, with the time for which it is still good.
struct Near<V> {
    value: Arc<V>,
    good_for: Duration,
}

impl<V> Clone for Near<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), good_for: self.good_for }
    }
}

/// Lets a value at hand expire when it does on Redis.
struct AsThere;

impl<V> Expiry<Key, Near<V>> for AsThere {
    fn expire_after_create(&self, _: &Key, near: &Near<V>, _: std::time::Instant) -> Option<Duration> {
        Some(near.good_for)
    }
}

/// What a look on Redis leads to.
enum Look {
    Found(Vec<u8>, Duration),
    Passing(Vec<u8>),
    /// It is to be made, and the others wait for it.
    Make,
    /// It is to be made, and nobody is told: somebody else makes it, too, or Redis is away.
    MakeAlone,
}

impl<V: Serialize + DeserializeOwned + Send + Sync + 'static> RedisCache<V> {
    /// The cache `name` on `redis`; all that have the same name share it.
    pub fn new(name: &'static str, redis: Redis, entropy: &Entropy, options: SharedOptions) -> Self {
        let near = future::Cache::builder().max_capacity(options.near).expire_after(AsThere).build();
        let owner = format!("{:032x}", u128::from_ne_bytes(entropy.bytes()));
        Self { near, redis, name, owner, options, requests: Requests::of(name) }
    }

    /// The value, who makes it, and what was made and is not to be kept.
    fn keys(&self, key: Key) -> [String; 3] {
        let name = key.to_string();
        ["value", "maker", "passing"].map(|part| self.redis.key(self.name, &name, part))
    }

    /// Looks on Redis until there is a value, or this process is to make it.
    async fn look(&self, keys: &[String; 3]) -> Look {
        let begun = Instant::now();
        let (mut pause, mut waited) = (FIRST_PAUSE, false);
        loop {
            let arguments = (&self.owner, millis(HELD.min(self.options.flight)), u8::from(waited));
            let look = self.redis.run::<(u8, Vec<u8>, u64)>(&LOOK, keys, arguments).await;
            match look {
                Ok((FOUND, value, good_for)) => {
                    if waited { &self.requests.waited } else { &self.requests.shared }.increment(1);
                    return Look::Found(value, Duration::from_millis(good_for));
                }
                Ok((PASSED, value, _)) => {
                    self.requests.waited.increment(1);
                    return Look::Passing(value);
                }
                Ok((MAKE, ..)) => return Look::Make,
                Ok(_) if begun.elapsed() < self.options.flight => {}
                Ok(_) => return Look::MakeAlone,
                Err(error) => {
                    self.away(&error);
                    return Look::MakeAlone;
                }
            }
            waited = true;
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The value from wherever it is; an error is one that is not to be kept.
    async fn find(
        &self,
        key: Key,
        compute: BoxFuture<'_, Computed<V>>,
        made: &AtomicBool,
    ) -> Result<Near<V>, Arc<V>> {
        let keys = self.keys(key);
        let look = self.look(&keys).await;
        match &look {
            Look::Found(value, good_for) => {
                if let Some(value) = decode(value) {
                    return Ok(Near { value, good_for: *good_for });
                }
            }
            Look::Passing(value) => {
                if let Some(value) = decode(value) {
                    return Err(value);
                }
            }
            Look::Make | Look::MakeAlone => {}
        }
        self.requests.computed.increment(1);
        made.store(true, Ordering::Relaxed);
        let Computed { value, keep } = match &look {
            Look::Make => self.holding(&keys, compute).await,
            _ => compute.await,
        };
        let encoded = self.encode(&value);
        match look {
            Look::Make => {
                let ttl = if keep { millis(self.options.ttl) } else { 0 };
                let arguments = (&self.owner, ttl, encoded, millis(PASSING));
                if let Err(error) = self.redis.run::<i64>(&LAND, &keys, arguments).await {
                    self.away(&error);
                }
            }
            // Of another version, and of no use to this one.
            Look::Found(..) if keep => self.store(&keys[0], encoded).await,
            _ => {}
        }
        let value = Arc::new(value);
        if keep { Ok(Near { value, good_for: self.options.ttl }) } else { Err(value) }
    }

    /// What `compute` makes, while the others are told that it is being made: for as long as that may
    /// take.
    async fn holding(&self, keys: &[String; 3], compute: BoxFuture<'_, Computed<V>>) -> Computed<V> {
        let begun = Instant::now();
        let hold = async {
            loop {
                sleep(HELD / 3).await;
                let left = self.options.flight.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    return std::future::pending::<Infallible>().await;
                }
                let arguments = (&self.owner, millis(HELD.min(left)));
                if let Err(error) = self.redis.run::<i64>(&HOLD, keys, arguments).await {
                    self.away(&error);
                }
            }
        };
        tokio::select! {
            computed = compute => computed,
            never = hold => match never {},
        }
    }

    async fn store(&self, key: &str, encoded: Vec<u8>) {
        if encoded.is_empty() {
            return;
        }
        let expiry = SetOptions::default().with_expiration(SetExpiry::PX(millis(self.options.ttl)));
        if let Err(error) = self.redis.query::<()>(&Cmd::set_options(key, encoded, expiry)).await {
            self.away(&error);
        }
    }

    /// Empty if it is too large.
    fn encode(&self, value: &V) -> Vec<u8> {
        match serde_json::to_vec(value) {
            Ok(encoded) if encoded.len() <= self.options.largest => encoded,
            Ok(_) => {
                self.requests.oversized.increment(1);
                Vec::new()
            }
            Err(error) => {
                tracing::error!(%error, cache = self.name, "a value cannot be encoded");
                Vec::new()
            }
        }
    }

    fn away(&self, error: &RedisError) {
        tracing::debug!(%error, cache = self.name, "computed without the shared cache");
        self.requests.away.increment(1);
    }
}

#[async_trait]
impl<V: Serialize + DeserializeOwned + Send + Sync + 'static> Cache<V> for RedisCache<V> {
    async fn get(&self, key: Key) -> Option<Arc<V>> {
        if let Some(near) = self.near.get(&key).await {
            return Some(near.value);
        }
        let kept = self.redis.query::<Option<Vec<u8>>>(cmd("GET").arg(&self.keys(key)[0])).await;
        decode(&kept.inspect_err(|error| self.away(error)).ok()??)
    }

    async fn put(&self, key: Key, value: Arc<V>) {
        self.store(&self.keys(key)[0], self.encode(&value)).await;
        self.near.insert(key, Near { value, good_for: self.options.ttl }).await;
    }

    async fn get_or(&self, key: Key, compute: BoxFuture<'_, Computed<V>>) -> Found<V> {
        let made = AtomicBool::new(false);
        let flight = self.near.entry(key).or_try_insert_with(self.find(key, compute, &made)).await;
        match flight {
            Ok(entry) => {
                if !entry.is_fresh() {
                    self.requests.near.increment(1);
                }
                Found { value: entry.into_value().value, fresh: made.into_inner() }
            }
            // Handed to everybody who waited for it.
            Err(passing) => Found { value: Arc::clone(&passing), fresh: true },
        }
    }
}

impl<V> Debug for RedisCache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, options, .. } = self;
        f.debug_struct("RedisCache").field("name", name).field("options", options).finish_non_exhaustive()
    }
}

fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Option<Arc<V>> {
    serde_json::from_slice(bytes).ok()
}

/// At least one, which is the least that Redis takes for a time.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 50)
}

#[cfg(test)]
mod tests;
