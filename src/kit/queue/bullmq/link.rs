//! The connection: made when it is first needed, kept from then on; what fails on it, in words.

use std::fmt;
use std::time::Duration;

use bullmq::options::{RedisConnectionOptions, TlsCerts};
use bullmq::redis_connection::{AnyConnection, RedisConnection};
use deadpool_redis::redis::{FromRedisValue, RedisError, Script, ToRedisArgs, cmd};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::options::BullOptions;
use crate::kit::queue::QueueError;
use crate::kit::redis::{Address, Host, Topology};

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
        let refused = |detail: String| QueueError::Refused { server: "in redis.url".to_owned(), detail };
        let address = Address::parse(&options.url).map_err(|error| refused(error.to_string()))?;
        let how = RedisConnectionOptions {
            username: address.login.username.clone(),
            password: address.login.password().map(str::to_owned),
            db: Some(address.db),
            tls: address.tls,
            tls_certs: options
                .authority
                .as_ref()
                .map(|authority| TlsCerts { root_cert: Some(authority.to_vec()), ..TlsCerts::default() }),
            ..RedisConnectionOptions::default()
        };
        let (how, servers) = match &address.topology {
            Topology::Standalone(host) => (how.host(&host.name).port(host.port), vec![shown(host)]),
            Topology::Cluster(hosts) => {
                let scheme = if address.tls { "rediss" } else { "redis" };
                let nodes = hosts.iter().map(|host| format!("{scheme}://{}", shown(host)));
                (how.cluster_nodes(nodes), hosts.iter().map(shown).collect())
            }
            Topology::Sentinel { .. } => {
                let detail = "BullMQ's driver does not ask Sentinels; give it the address of the primary, or \
                              of a proxy that follows it";
                return Err(refused(detail.to_owned()));
            }
        };
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
            other => self.refused(other.to_string()),
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
        self.refused(detail)
    }

    pub(super) fn refused(&self, detail: String) -> QueueError {
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

/// A server, as it stands in a URL.
fn shown(Host { name, port }: &Host) -> String {
    if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str) -> Result<Link, QueueError> {
        Link::new(&BullOptions { url: url.into(), ..BullOptions::default() })
    }

    #[test]
    fn one_url_names_a_server_or_a_cluster() {
        let alone = link("rediss://ada:p%40ss@[::1]:7000/3").unwrap();
        assert_eq!(alone.how.effective_url(), "rediss://ada:p%40ss@[::1]:7000/3");
        assert_eq!(alone.server, "[::1]:7000");
        let cluster = link("redis-cluster://:secret@a,b:7001").unwrap();
        assert_eq!(cluster.how.cluster_nodes, ["redis://a:6379", "redis://b:7001"]);
        assert!(!format!("{cluster:?}").contains("secret"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_its_password() {
        for url in ["redis-sentinel://:hunter2@a/primary", "redis://:hunter2@", "http://a"] {
            let refused = link(url).unwrap_err().to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
