//! The connection: made when it is first needed, kept from then on; what fails on it, in words.

use std::fmt;
use std::time::Duration;

use bullmq::options::RedisConnectionOptions;
use bullmq::redis_connection::{AnyConnection, RedisConnection};
use deadpool_redis::redis::{FromRedisValue, IntoConnectionInfo, RedisError, Script, ToRedisArgs, cmd};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::options::BullOptions;
use crate::kit::queue::QueueError;

/// The way to the server.
pub(super) struct Link {
    server: String,
    how: RedisConnectionOptions,
    connection: Mutex<Option<RedisConnection>>,
    closed: CancellationToken,
    connect_timeout: Duration,
    timeout: Duration,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(options: &BullOptions) -> Result<Self, QueueError> {
        let urls: Vec<&str> = options.url.expose_secret().split(',').map(str::trim).collect();
        let mut servers = Vec::new();
        for url in &urls {
            let known = url.into_connection_info().map_err(|error| QueueError::Refused {
                server: "of the configuration".to_owned(),
                detail: error.to_string(),
            })?;
            servers.push(known.addr().to_string());
        }
        let how = RedisConnectionOptions::default();
        let how = if let [url] = urls[..] { how.url(url) } else { how.cluster_nodes(urls) };
        Ok(Self {
            server: servers.join(", "),
            how,
            connection: Mutex::default(),
            closed: CancellationToken::new(),
            connect_timeout: options.connect_timeout,
            timeout: options.timeout,
        })
    }

    /// How to connect, for those who need a connection of their own.
    pub(super) fn how(&self) -> &RedisConnectionOptions {
        &self.how
    }

    /// The one connection, which mends itself once it has been made.
    pub(super) async fn connection(&self) -> Result<RedisConnection, QueueError> {
        if self.is_closed() {
            return Err(QueueError::Closed);
        }
        let mut connection = self.connection.lock().await;
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let made = RedisConnection::new_managed_only(&self.how);
        let made = tokio::time::timeout(self.connect_timeout, made);
        let made = made.await.map_err(|_| self.late())?.map_err(|error| self.error(error))?;
        self.look_after(made.connection()).await;
        *connection = Some(made.clone());
        Ok(made)
    }

    /// Runs a script of Voicera's on the queue with these keys.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        prefix: &str,
        arguments: &[impl ToRedisArgs],
    ) -> Result<T, QueueError> {
        let mut connection = self.connection().await?.connection();
        let mut call = script.key(prefix);
        for argument in arguments {
            call.arg(argument);
        }
        self.deadline(async {
            call.invoke_async(&mut connection).await.map_err(|error: RedisError| self.redis(&error))
        })
        .await
    }

    /// `work`, unless it takes too long.
    pub(super) async fn deadline<T>(
        &self,
        work: impl Future<Output = Result<T, QueueError>>,
    ) -> Result<T, QueueError> {
        tokio::time::timeout(self.timeout, work).await.unwrap_or_else(|_| Err(self.late()))
    }

    /// The port's `work`, unless it takes too long.
    pub(super) async fn port<T>(
        &self,
        work: impl Future<Output = Result<T, bullmq::Error>>,
    ) -> Result<T, QueueError> {
        self.deadline(async { work.await.map_err(|error| self.error(error)) }).await
    }

    pub(super) fn late(&self) -> QueueError {
        self.unreachable(format!("nothing within {:?}", self.timeout.max(self.connect_timeout)))
    }

    fn unreachable(&self, detail: String) -> QueueError {
        QueueError::Unreachable { server: self.server.clone(), detail }
    }

    /// Sorts what the port reports.
    pub(super) fn error(&self, error: bullmq::Error) -> QueueError {
        match error {
            bullmq::Error::Redis(error) => self.redis(&error),
            bullmq::Error::ConnectionClosed => self.unreachable("the connection is closed".to_owned()),
            other => QueueError::Refused { server: self.server.clone(), detail: other.to_string() },
        }
    }

    /// Sorts what the driver reports.
    pub(super) fn redis(&self, error: &RedisError) -> QueueError {
        let detail = error.to_string();
        // What the server says while it starts, fails over, or is out of memory or disk, passes.
        let passing =
            ["LOADING", "OOM", "READONLY", "MASTERDOWN", "MISCONF", "CLUSTERDOWN", "TRYAGAIN", "BUSY"];
        let passes = error.code().is_some_and(|code| passing.contains(&code));
        if passes || error.is_io_error() || error.is_timeout() || error.is_connection_dropped() {
            return self.unreachable(detail);
        }
        QueueError::Refused { server: self.server.clone(), detail }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Once it has been closed.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    pub(super) async fn close(&self) {
        self.closed.cancel();
        self.connection.lock().await.take();
    }

    /// Warns if the server is set up to lose jobs.
    async fn look_after(&self, mut connection: AnyConnection) {
        let wanted = [("appendonly", "yes"), ("maxmemory-policy", "noeviction")];
        for (name, value) in wanted {
            let mut command = cmd("CONFIG");
            let asked = command.arg("GET").arg(name).query_async::<Vec<String>>(&mut connection);
            let Ok(Ok(found)) = tokio::time::timeout(self.timeout, asked).await else {
                tracing::info!(server = self.server, name, "the server does not show its configuration");
                return;
            };
            let Some(found) = found.get(1).filter(|found| *found != value) else { continue };
            tracing::warn!(
                server = self.server,
                "{name} is {found} on the Redis that holds the jobs: it may lose some; set {name} {value}"
            );
        }
    }
}
