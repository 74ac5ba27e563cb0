//! Connections for short commands: a pool of them, whatever the topology.

use std::fmt;

use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue,
    IntoConnectionInfo as _, RedisConnectionInfo, RedisResult, TlsCertificates,
};
use deadpool_redis::{PoolConfig, PoolError, Runtime, Timeouts, cluster, sentinel};

use super::address::{Address, Host, Login, Topology};
use super::{OpenError, RedisOptions};

/// Connections that prove themselves by a `PING` when they are taken, and are replaced if they can't.
pub(super) enum Pool {
    Standalone(deadpool_redis::Pool),
    Sentinel(sentinel::Pool),
    Cluster(cluster::Pool),
}

/// A connection that goes back into its pool when dropped.
pub(super) enum Connection {
    Standalone(deadpool_redis::Connection),
    Sentinel(sentinel::Connection),
    Cluster(cluster::Connection),
}

impl Pool {
    /// Connects to nothing yet.
    pub(super) fn new(address: &Address, options: &RedisOptions) -> Result<Self, OpenError> {
        let times = Timeouts {
            wait: Some(options.command_timeout),
            create: Some(options.connect_timeout),
            recycle: Some(options.command_timeout),
        };
        let config = PoolConfig { timeouts: times, ..PoolConfig::new(options.pool_size.max(1)) };
        let at = |host| server(host, address.tls, &address.login, address.db);
        Ok(match &address.topology {
            Topology::Standalone(host) => {
                let times = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(options.connect_timeout))
                    .set_response_timeout(Some(options.command_timeout));
                let manager =
                    deadpool_redis::Manager::new_with_config(believing(at(host)?, options)?, times)?;
                let pool = deadpool_redis::Pool::builder(manager).config(config).runtime(Runtime::Tokio1);
                Self::Standalone(pool.build()?)
            }
            Topology::Sentinel { sentinels, service, login } => {
                let sentinels = sentinels.iter().map(|host| server(host, address.tls, login, 0));
                let primary = sentinel::SentinelNodeConnectionInfo {
                    tls_mode: address.tls.then_some(sentinel::TlsMode::Secure),
                    redis_connection_info: Some(deadpool_redis::RedisConnectionInfo {
                        db: address.db.into(),
                        username: address.login.username.clone(),
                        password: address.login.password().map(str::to_owned),
                        ..deadpool_redis::RedisConnectionInfo::default()
                    }),
                };
                let manager = sentinel::Manager::new(
                    sentinels.collect::<Result<_, _>>()?,
                    service.clone(),
                    Some(primary),
                    sentinel::SentinelServerType::Master,
                )?;
                let pool = sentinel::Pool::builder(manager).config(config).runtime(Runtime::Tokio1);
                Self::Sentinel(pool.build()?)
            }
            Topology::Cluster(nodes) => {
                let manager = cluster::Manager::new(nodes.iter().map(at).collect::<Result<_, _>>()?, false)?;
                let pool = cluster::Pool::builder(manager).config(config).runtime(Runtime::Tokio1);
                Self::Cluster(pool.build()?)
            }
        })
    }

    /// A connection that has just answered.
    pub(super) async fn get(&self) -> Result<Connection, PoolError> {
        match self {
            Self::Standalone(pool) => pool.get().await.map(Connection::Standalone),
            Self::Sentinel(pool) => pool.get().await.map(Connection::Sentinel),
            Self::Cluster(pool) => pool.get().await.map(Connection::Cluster),
        }
    }

    /// Closes what nobody uses now. After an outage each of these would have to be found dead by itself.
    pub(super) fn forget(&self) {
        match self {
            Self::Standalone(pool) => drop(pool.retain(|_, _| false)),
            Self::Sentinel(pool) => drop(pool.retain(|_, _| false)),
            Self::Cluster(pool) => drop(pool.retain(|_, _| false)),
        }
    }

    /// Gives out no more connections.
    pub(super) fn close(&self) {
        match self {
            Self::Standalone(pool) => pool.close(),
            Self::Sentinel(pool) => pool.close(),
            Self::Cluster(pool) => pool.close(),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, status) = match self {
            Self::Standalone(pool) => ("Standalone", pool.status()),
            Self::Sentinel(pool) => ("Sentinel", pool.status()),
            Self::Cluster(pool) => ("Cluster", pool.status()),
        };
        f.debug_tuple(kind).field(&status).finish()
    }
}

impl Connection {
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::Standalone(connection) => command.query_async(connection).await,
            Self::Sentinel(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }

    /// Closes it, instead of giving it back.
    pub(super) fn discard(self) {
        match self {
            Self::Standalone(connection) => drop(deadpool_redis::Connection::take(connection)),
            Self::Sentinel(connection) => drop(sentinel::Connection::take(connection)),
            Self::Cluster(connection) => drop(cluster::Connection::take(connection)),
        }
    }
}

/// The same server, whose certificate has to be of the authority of the options.
fn believing(server: ConnectionInfo, options: &RedisOptions) -> Result<ConnectionInfo, OpenError> {
    let Some(authority) = &options.authority else { return Ok(server) };
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(authority.to_vec()) };
    Ok(Client::build_with_tls(server, certificates)?.get_connection_info().clone())
}

fn server(host: &Host, tls: bool, login: &Login, db: u8) -> Result<ConnectionInfo, OpenError> {
    let (name, port) = (host.name.clone(), host.port);
    let address = if tls {
        ConnectionAddr::TcpTls { host: name, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(name, port)
    };
    let mut settings = RedisConnectionInfo::default()
        .set_db(db.into())
        // What `CLIENT LIST` shows.
        .set_lib_name(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    if let Some(username) = &login.username {
        settings = settings.set_username(username);
    }
    if let Some(password) = login.password() {
        settings = settings.set_password(password);
    }
    Ok(address.into_connection_info()?.set_redis_settings(settings))
}
