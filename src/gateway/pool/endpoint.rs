//! One address of several that answer alike.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use metrics::Gauge;
use tokio::time::Instant;

use super::connections::{Connections, Target};
use super::ejection::Record;
use super::load::Load;

/// What an upstream is at, by configuration: `http://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    /// What its requests say in `host`.
    pub(super) header: HeaderValue,
    /// A name, or an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

/// What no request can be sent to.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    /// The address of an upstream.
    #[error("`{0}` is not an http:// address of a host")]
    Address(String),
    /// The path of its health check.
    #[error("`{0}` is not the path of a health check: it begins with `/`")]
    Path(String),
}

impl Base {
    pub(super) fn parse(base: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress::Address(base.to_owned());
        let uri: Uri = base.parse().map_err(|_| bad())?;
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.path() == "/" && uri.query().is_none();
        let authority = uri.authority().filter(|_| plain && !base.contains('@')).ok_or_else(bad)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            header: HeaderValue::from_str(authority.as_str()).map_err(|_| bad())?,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
        })
    }

    /// Where it is, without asking anybody.
    pub(super) fn target(&self) -> Target {
        match self.host.parse::<IpAddr>() {
            Ok(ip) => Target::Address((ip, self.port).into()),
            Err(_) => Target::Name { host: self.host.clone(), port: self.port },
        }
    }
}

/// An address, and what is known of who answers there.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Host and port, for people.
    pub(super) address: Arc<str>,
    /// What its requests say in `host`.
    pub(super) header: HeaderValue,
    /// The same number for the same address in every process.
    pub(super) key: u64,
    pub(super) load: Load,
    pub(super) record: Record,
    pub(super) connections: Connections,
    ready: AtomicBool,
    gauge: Gauge,
}

impl Endpoint {
    /// The endpoint of `pool` at `target`, expected to answer within `seconds`; taken for ready until it
    /// shows otherwise.
    pub(super) fn new(pool: &str, header: HeaderValue, target: Target, seconds: f64) -> Self {
        let address: Arc<str> = match &target {
            Target::Address(address) => address.to_string().into(),
            Target::Name { host, port } => format!("{host}:{port}").into(),
        };
        let gauge =
            metrics::gauge!(super::READY, "upstream" => pool.to_owned(), "endpoint" => address.to_string());
        gauge.set(1.0);
        Self {
            key: fnv(address.as_bytes()),
            address,
            header,
            load: Load::new(seconds, Instant::now()),
            record: Record::default(),
            connections: Connections::new(target),
            ready: AtomicBool::new(true),
            gauge,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Whether it is asked as long as there are such.
    pub(super) fn is_available(&self, now: Instant) -> bool {
        self.is_ready() && !self.record.is_out(now)
    }

    /// It is not among the addresses any more.
    pub(super) fn leaves(&self) {
        self.gauge.set(0.0);
    }

    /// Notes whether it takes requests; whether that is new. A change is logged with what it was seen by.
    pub(super) fn seen(&self, ready: bool, by: &str) -> bool {
        let changed = self.ready.swap(ready, Ordering::Relaxed) != ready;
        // Each time: another pool, which a reload has replaced, may have said something else.
        self.gauge.set(if ready { 1.0 } else { 0.0 });
        if changed {
            if ready {
                tracing::info!(endpoint = %self.address, "an endpoint is back");
            } else {
                tracing::warn!(endpoint = %self.address, by, "an endpoint is left out");
            }
        }
        changed
    }
}

/// A hash that is the same in every process (FNV-1a, 64 bits).
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_address_is_an_endpoint() {
        for (base, host, port) in [
            ("http://127.0.0.1:3001", "127.0.0.1", 3001),
            ("http://voice", "voice", 80),
            ("http://[::1]:3001/", "::1", 3001),
        ] {
            let parsed = Base::parse(base).unwrap();
            assert_eq!((parsed.host.as_str(), parsed.port), (host, port));
        }
        for base in
            ["127.0.0.1:3001", "https://x", "http://x/path", "http://x?q", "http://u@x", "ftp://x", ""]
        {
            assert!(Base::parse(base).is_err(), "{base}");
        }
    }
}
