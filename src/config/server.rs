//! `[server]`: what this process is, where it listens, and what it puts up with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

use super::checks::Checks;
use super::choice::choice;
use super::error::Refusal;
use super::span::Span;

choice! {
    /// The part of Voicera that a process plays.
    Role {
        /// Every module in one process.
        All = "all",
        /// Routing, balancing and limits in front of the other roles.
        Gateway = "gateway",
        /// Commands, jobs and understanding.
        Voice = "voice",
        /// Accounts, sessions and keys.
        Users = "users",
        /// Events and dashboards.
        Analytics = "analytics",
    }
}

impl Role {
    /// The modules, each a role of its own and a cargo feature of the same name.
    pub const MODULES: [Self; 4] = [Self::Gateway, Self::Voice, Self::Users, Self::Analytics];

    /// The modules that this binary was built with.
    pub fn compiled_in() -> Vec<Self> {
        let built = [
            cfg!(feature = "gateway"),
            cfg!(feature = "voice"),
            cfg!(feature = "users"),
            cfg!(feature = "analytics"),
        ];
        Self::MODULES.into_iter().zip(built).filter_map(|(role, is_in)| is_in.then_some(role)).collect()
    }
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The part that this process plays.
    pub role: Role,
    /// Where it listens; port 0 picks a free one.
    #[serde(deserialize_with = "listen_address")]
    pub listen: SocketAddr,
    /// Where the embedded stores and the first API key are kept.
    pub data_dir: PathBuf,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// How long a client may take to send the header of a request.
    pub header_timeout: Span,
    /// How long a request may take from the header to the reply.
    pub request_timeout: Span,
    /// Networks of proxies that are believed when they say where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether each connection begins with a header of the PROXY protocol, from one of those proxies.
    pub proxy_protocol: bool,
    /// The certificate for those who connect, as PEM, with those that lead from it to a known one; empty
    /// for none.
    pub tls_certificate: PathBuf,
    /// Its private key, as PEM.
    pub tls_key: PathBuf,
    /// How many connections may be open at a time.
    pub max_connections: usize,
    /// How long it says that it is not ready before it stops accepting connections.
    pub shutdown_delay: Span,
    /// How long requests and jobs in flight may take to finish after a stop signal.
    pub shutdown_grace: Span,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            role: Role::All,
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            data_dir: PathBuf::from("data"),
            max_body_bytes: 1024 * 1024,
            header_timeout: Span::from_secs(10),
            request_timeout: Span::from_secs(60),
            trusted_proxies: [
                IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
                IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
            ]
            .to_vec(),
            proxy_protocol: false,
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            max_connections: 10_000,
            shutdown_delay: Span::from_secs(0),
            shutdown_grace: Span::from_secs(20),
        }
    }
}

impl Server {
    /// Whether it can be reached from other machines and believes none of them where a request comes
    /// from: behind a proxy, everybody seems to come from that one.
    pub fn believes_no_proxy_elsewhere(&self) -> bool {
        !self.listen.ip().is_loopback() && self.trusted_proxies.iter().all(|net| net.addr().is_loopback())
    }

    /// Whether those who connect are served over TLS.
    pub fn is_encrypted(&self) -> bool {
        !self.tls_certificate.as_os_str().is_empty()
    }

    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        if self.data_dir.as_os_str().is_empty() {
            checks.refuse("data_dir", "is empty", "name a folder, such as \"data\"");
        }
        checks.range("max_body_bytes", self.max_body_bytes, 1024..=64 * 1024 * 1024);
        checks.millis("header_timeout", self.header_timeout, 100..=300_000);
        checks.millis("request_timeout", self.request_timeout, 100..=3_600_000);
        let is_named = |file: &PathBuf| !file.as_os_str().is_empty();
        checks.pair(
            is_named(&self.tls_certificate) == is_named(&self.tls_key),
            ["tls_certificate", "tls_key"],
            "one of server.tls_certificate and server.tls_key is set without the other",
            "set both for TLS, or neither",
        );
        checks.range("max_connections", self.max_connections, 1..=1_000_000);
        checks.secs("shutdown_delay", self.shutdown_delay, 0..=300);
        checks.secs("shutdown_grace", self.shutdown_grace, 0..=3600);
    }
}

fn listen_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_listen(&text).map_err(Refusal::into_serde)
}

/// An address and port, with a fix for the usual ways to write one that is not.
fn parse_listen(text: &str) -> Result<SocketAddr, Refusal> {
    if let Ok(address) = text.trim().parse() {
        return Ok(address);
    }
    let port = text.trim().rsplit(':').next().unwrap_or_default();
    let host = text.trim().strip_suffix(port).unwrap_or_default().trim_end_matches(':');
    let fix = match (host, port.parse::<u16>()) {
        ("localhost", Ok(port)) => format!("a name cannot be listened on: write \"127.0.0.1:{port}\""),
        ("" | "*", Ok(port)) => {
            format!(
                "write \"127.0.0.1:{port}\" for this machine alone or \"0.0.0.0:{port}\" for all networks"
            )
        }
        _ => "write an IP address and a port, such as \"127.0.0.1:3000\" or \"[::]:3000\"".to_owned(),
    };
    Err(Refusal::new(format!("{text:?} is not an address and port"), fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_refused_with_the_one_that_was_meant() {
        for (text, fix) in [
            ("3000", "0.0.0.0:3000"),
            (":3000", "127.0.0.1:3000"),
            ("*:80", "0.0.0.0:80"),
            ("localhost:3000", "127.0.0.1:3000"),
            ("127.0.0.1", "such as"),
            ("127.0.0.1:99999", "such as"),
            ("::1:x", "such as"),
            ("", "such as"),
        ] {
            let refusal = parse_listen(text).unwrap_err();
            assert!(refusal.fix.contains(fix), "{text}: {refusal}");
        }
        assert_eq!(parse_listen("[::1]:0").unwrap().port(), 0);
    }

    #[test]
    fn a_role_that_is_none_gets_the_closest_one() {
        let refusal = "gatway".parse::<Role>().unwrap_err();
        assert!(refusal.fix.contains("did you mean \"gateway\""), "{refusal}");
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), *role);
        }
    }

    #[test]
    fn who_listens_to_other_machines_and_believes_none_is_told_apart() {
        for (listen, trusted, alone) in [
            ("0.0.0.0:3000", &["127.0.0.0/8", "::1/128"][..], true),
            ("[::]:3000", &[], true),
            ("0.0.0.0:3000", &["127.0.0.0/8", "10.0.0.0/8"], false),
            ("127.0.0.1:3000", &["127.0.0.0/8"], false),
        ] {
            let trusted_proxies = trusted.iter().map(|net| net.parse().unwrap()).collect();
            let server = Server { listen: listen.parse().unwrap(), trusted_proxies, ..Server::default() };
            assert_eq!(server.believes_no_proxy_elsewhere(), alone, "{listen} {trusted:?}");
        }
    }
}
