//! Redis: what processes have to know of one another and can do without for a while.
//!
//! [`Redis`] does short things, each with a deadline, through a pool of connections. It opens whether
//! there is a Redis or not: a missing one makes a role less ready or less good, never dead. While it
//! is away every call is told so at once, and one now and then finds out whether it is back.
//!
//! Where it is says one URL, for a server alone, behind Sentinels or in a Cluster ([`Address`]).
//! Every key is `PREFIX:ROOM:{NAME}…`: the braces put all keys of one name into one slot of a Cluster
//! (<https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags>), so that
//! one script may touch them all.

mod address;
mod error;
mod gate;
pub mod metrics;
mod pool;
mod script;
#[cfg(test)]
pub(crate) mod stage;
mod subscriber;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ::metrics::{Counter, Histogram};
use deadpool_redis::redis::{self, Cmd, ErrorKind, FromRedisValue, ServerErrorKind, ToRedisArgs};
use deadpool_redis::{BuildError, PoolError, TimeoutType};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

pub use address::{Address, BadUrl};
pub(in crate::kit) use address::{Host, Topology};
pub use error::RedisError;
pub use script::Script;

use crate::kit::health::Check;
use gate::Gate;
use pool::Pool;

/// How long a look at its health may take: [`Probe`](crate::kit::health::Probe) promises a second.
const HEALTH_TIMEOUT: Duration = Duration::from_millis(800);
/// The longest prefix of keys, in bytes.
const LONGEST_PREFIX: usize = 64;

/// Where Redis is, and how it is used.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// One of the forms of [`Address`].
    pub url: SecretString,
    /// Certificates (PEM) of whom to believe about who the server is, where that
    /// [can be told](Address::takes_an_authority); otherwise the well-known authorities.
    pub authority: Option<Arc<[u8]>>,
    /// What all keys and channels begin with: letters, digits, `-`, `_`, `.` and `:`.
    pub prefix: String,
    /// Connections that may be open for short commands.
    pub pool_size: usize,
    /// The longest that a connection may take to be made.
    pub connect_timeout: Duration,
    /// The longest that a command may take; one that needs a new connection takes that time, too.
    /// Behind Sentinels no command takes longer than 500 ms.
    pub command_timeout: Duration,
}

impl RedisOptions {
    /// The Redis at `url`, used as usual.
    pub fn at(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            authority: None,
            prefix: "voicera".to_owned(),
            pool_size: 16,
            connect_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_millis(500),
        }
    }
}

/// Options with which no Redis can be used, whether there is one or not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The URL says not where Redis is.
    #[error("the URL of Redis is wrong: {0}")]
    Url(#[from] BadUrl),
    /// The prefix would mix with what has a meaning in a key.
    #[error("`{0}` cannot begin a key: use 1 to {LONGEST_PREFIX} letters, digits, `-`, `_`, `.` and `:`")]
    Prefix(String),
    /// The certificates of the authority can't be read.
    #[error("the certificates of redis.tls_ca cannot be used: {0}")]
    Authority(String),
    /// The driver takes none of it.
    #[error("no connection to Redis can be made: {0}")]
    Driver(String),
}

impl From<redis::RedisError> for OpenError {
    fn from(error: redis::RedisError) -> Self {
        Self::Driver(error.category().to_owned())
    }
}

impl From<BuildError> for OpenError {
    fn from(error: BuildError) -> Self {
        Self::Driver(error.to_string())
    }
}

/// A Redis; its clones share their connections.
#[derive(Debug, Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: RedisOptions,
    address: Address,
    pool: Pool,
    gate: Gate,
    done: Counter,
    duration: Histogram,
}

impl Redis {
    /// Gets ready to use the Redis of `options`; it need not be there yet.
    ///
    /// # Errors
    /// [`OpenError`] for options that can never work.
    pub fn open(options: RedisOptions) -> Result<Self, OpenError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if options.prefix.is_empty()
            || options.prefix.len() > LONGEST_PREFIX
            || !options.prefix.bytes().all(plain)
        {
            return Err(OpenError::Prefix(options.prefix));
        }
        let address = Address::parse(&options.url)?;
        let pool = Pool::new(&address, &options)?;
        let done = ::metrics::counter!(metrics::COMMANDS, "outcome" => "done");
        let duration = ::metrics::histogram!(metrics::DURATION);
        Ok(Self { shared: Arc::new(Shared { options, address, pool, gate: Gate::new(), done, duration }) })
    }

    /// The key for `part` of what is called `name` in `room`. Keys of one name are in one slot.
    pub fn key(&self, room: &str, name: &str, part: &str) -> String {
        format!("{}:{room}:{{{name}}}:{part}", self.shared.options.prefix)
    }

    /// Asks for one command to be done.
    ///
    /// # Errors
    /// [`RedisError`]; after [`RedisError::Timeout`] it may have been done all the same.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.call(command, None).await
    }

    /// Runs a script on `keys`, all of one slot, with `arguments`.
    ///
    /// # Errors
    /// Like [`query`](Self::query).
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: impl ToRedisArgs + Sync,
    ) -> Result<T, RedisError> {
        let call = |how: &str, what: &str| {
            let mut command = redis::cmd(how);
            command.arg(what).arg(keys.len()).arg(keys).arg(&arguments);
            command
        };
        self.call(&call("EVALSHA", &script.sha1), Some(&|| call("EVAL", script.source))).await
    }

    /// How long Redis takes to answer.
    ///
    /// # Errors
    /// [`RedisError`] when it does not.
    pub async fn ping(&self) -> Result<Duration, RedisError> {
        let begun = Instant::now();
        let ping = timeout(HEALTH_TIMEOUT, self.query::<String>(&redis::cmd("PING"))).await;
        ping.unwrap_or(Err(RedisError::Timeout { after: HEALTH_TIMEOUT }))?;
        Ok(begun.elapsed())
    }

    /// For `/health`: how long it takes to answer. One that does not makes a role degraded: what stands
    /// on it goes on with less.
    pub async fn health(&self) -> Check {
        match self.ping().await {
            Ok(took) => Check::up_with(format!("answers in {:.1} ms", took.as_secs_f64() * 1e3)),
            Err(error) => Check::degraded(error.to_string()),
        }
    }

    /// A client for subscriptions that is not connected yet.
    pub(super) fn subscriber(&self) -> Result<fred::clients::Client, OpenError> {
        subscriber::client(&self.shared.address, &self.shared.options)
    }

    /// Lets go of all connections; what is asked afterwards fails.
    pub fn close(&self) {
        self.shared.pool.close();
    }

    /// Does `command`, or `instead` where the server does not know the script that it names.
    async fn call<T: FromRedisValue>(
        &self,
        command: &Cmd,
        instead: Option<&(dyn Fn() -> Cmd + Sync)>,
    ) -> Result<T, RedisError> {
        let Shared { pool, gate, done, duration, .. } = &*self.shared;
        let begun = Instant::now();
        let entry = gate.enter(begun)?;
        let outcome = self.attempt(command, instead).await;
        match &outcome {
            Ok(_) => {
                done.increment(1);
                duration.record(begun.elapsed().as_secs_f64());
            }
            Err(error) => ::metrics::counter!(metrics::COMMANDS, "outcome" => error.label()).increment(1),
        }
        match &outcome {
            Err(error) if error.concerns_all() => {
                if gate.failed(Instant::now(), entry, error) {
                    pool.forget();
                }
            }
            // Says nothing about Redis.
            Err(RedisError::Busy) => {}
            _ => gate.answered(Instant::now()),
        }
        outcome
    }

    async fn attempt<T: FromRedisValue>(
        &self,
        command: &Cmd,
        instead: Option<&(dyn Fn() -> Cmd + Sync)>,
    ) -> Result<T, RedisError> {
        let RedisOptions { connect_timeout, command_timeout, .. } = self.shared.options;
        // Together, however many connections are found dead on the way.
        let taken = timeout(connect_timeout.max(command_timeout), self.shared.pool.get()).await;
        let mut connection = match taken {
            Ok(Ok(connection)) => connection,
            Ok(Err(PoolError::Timeout(TimeoutType::Wait))) => return Err(RedisError::Busy),
            Ok(Err(PoolError::Backend(error))) => return Err(RedisError::of(&error, connect_timeout)),
            Ok(Err(PoolError::Closed)) => return Err(RedisError::closed()),
            Ok(Err(PoolError::Timeout(_))) | Err(_) => {
                return Err(RedisError::Timeout { after: connect_timeout });
            }
            Ok(Err(error)) => return Err(RedisError::Unavailable { detail: error.to_string() }),
        };
        let exchange = async {
            match (connection.query(command).await, instead) {
                (Err(error), Some(instead))
                    if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) =>
                {
                    connection.query(&instead()).await
                }
                (outcome, _) => outcome,
            }
        };
        let outcome = timeout(command_timeout, exchange).await;
        let outcome = outcome
            .map_err(|_| RedisError::Timeout { after: command_timeout })
            .and_then(|outcome| outcome.map_err(|error| RedisError::of(&error, command_timeout)));
        if outcome.as_ref().is_err_and(RedisError::concerns_all) {
            connection.discard();
        }
        outcome
    }
}
