//! The connection for subscriptions, as the other driver wants it described.

use fred::clients::Client;
use fred::rustls::pki_types::CertificateDer;
use fred::rustls::pki_types::pem::PemObject as _;
use fred::rustls::{ClientConfig, RootCertStore};
use fred::types::RespVersion;
use fred::types::config::{
    ClusterDiscoveryPolicy, Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, Server,
    ServerConfig, TlsConfig, TlsConnector,
};

use super::address::{Host, Topology};
use super::{Address, OpenError, RedisOptions};

/// Messages that may wait to be handed to their listeners.
const BACKLOG: usize = 4_096;
/// The shortest and the longest pause between two tries to connect, in milliseconds.
const PAUSES: (u32, u32) = (50, 2_000);

/// A client that connects when told to, and then again by itself whenever the connection is lost.
pub(super) fn client(address: &Address, options: &RedisOptions) -> Result<Client, OpenError> {
    let servers = |hosts: &[Host]| hosts.iter().map(server).collect::<Vec<_>>();
    let server = match &address.topology {
        Topology::Standalone(host) => ServerConfig::Centralized { server: server(host) },
        Topology::Sentinel { sentinels, service, login } => ServerConfig::Sentinel {
            hosts: servers(sentinels),
            service_name: service.clone(),
            username: login.username.clone(),
            password: login.password().map(str::to_owned),
        },
        Topology::Cluster(nodes) => {
            ServerConfig::Clustered { hosts: servers(nodes), policy: ClusterDiscoveryPolicy::ConfigEndpoint }
        }
    };
    let tls = address.tls.then(|| connector(options)).transpose()?;
    let config = Config {
        server,
        fail_fast: false,
        version: RespVersion::RESP3,
        username: address.login.username.clone(),
        password: address.login.password().map(str::to_owned),
        database: (address.db > 0).then_some(address.db),
        tls: tls.map(TlsConfig::from),
        ..Config::default()
    };
    let performance = PerformanceConfig {
        default_command_timeout: options.connect_timeout + options.command_timeout,
        broadcast_channel_capacity: BACKLOG,
        ..PerformanceConfig::default()
    };
    let connection = ConnectionConfig {
        connection_timeout: options.connect_timeout,
        internal_command_timeout: options.connect_timeout,
        reconnect_on_auth_error: true,
        ..ConnectionConfig::default()
    };
    let policy = ReconnectPolicy::new_exponential(0, PAUSES.0, PAUSES.1, 2);
    Ok(Client::new(config, Some(performance), Some(connection), Some(policy)))
}

/// TLS with servers whose certificates are of the authority of the options, or of one that the system trusts.
fn connector(options: &RedisOptions) -> Result<TlsConnector, OpenError> {
    let Some(authority) = &options.authority else {
        return TlsConnector::default_rustls().map_err(|error| OpenError::Driver(error.to_string()));
    };
    let mut trusted = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority) {
        let certificate = certificate.map_err(|error| OpenError::Authority(error.to_string()))?;
        trusted.add(certificate).map_err(|error| OpenError::Authority(error.to_string()))?;
    }
    if trusted.is_empty() {
        return Err(OpenError::Authority("there is none in it".to_owned()));
    }
    Ok(ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth().into())
}

fn server(host: &Host) -> Server {
    Server::new(host.name.as_str(), host.port)
}
