//! The routes file: which requests the gateway passes to whom, and what holds for them.
//!
//! The embedded `config/gateway.toml` is its base and its reference; a file of the operator's changes and
//! adds to it, table by table and key by key.

mod check;
mod file;
mod parts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::choice::choice;
use super::span::Span;

pub use parts::{BreakerPart, EjectionPart, HealthPart};

/// The base: what is routed without a file.
pub const DEFAULT_ROUTES: &str = include_str!("../../../config/gateway.toml");

/// The upstreams that are Voicera's own roles.
pub const ROLES: [&str; 3] = ["voice", "users", "analytics"];

choice! {
    /// What a limit counts by itself.
    Per {
        /// A user or service.
        Principal = "principal",
        /// One API key, or one session.
        Key = "key",
        /// A client's address.
        Address = "address",
        /// A route.
        Route = "route",
    }
}

choice! {
    /// Whether a route wants a credential.
    Auth {
        /// It answers nobody without one.
        Required = "required",
        /// It is checked if there is one.
        Optional = "optional",
        /// It is not looked at.
        None = "none",
    }
}

choice! {
    /// Where the endpoints of an upstream come from.
    Discovery {
        /// Each address is one.
        Fixed = "fixed",
        /// Each address that a name resolves to is one.
        Dns = "dns",
    }
}

choice! {
    /// Whose requests go to the same endpoint.
    Sticky {
        /// Those of one user or service.
        Principal = "principal",
        /// Those of one client's address.
        Address = "address",
    }
}

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoutesFile {
    /// How often something may be done, by name.
    pub limits: BTreeMap<String, LimitPart>,
    /// Who answers, by name.
    pub upstreams: BTreeMap<String, UpstreamPart>,
    /// What is passed to whom, by name.
    pub routes: BTreeMap<String, RoutePart>,
}

impl RoutesFile {
    /// The routes that are enabled, in the order in which they count: the most exact one first.
    pub fn in_order(&self) -> impl Iterator<Item = (&str, &RoutePart)> {
        let mut routes: Vec<_> = self.routes.iter().filter(|(_, part)| part.enabled).collect();
        routes.sort_by_key(|(_, part)| std::cmp::Reverse(part.rank()));
        routes.into_iter().map(|(name, part)| (name.as_str(), part))
    }
}

/// `[limits.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitPart {
    /// What is counted by itself.
    pub per: Per,
    /// So many at once, and as many again in a window.
    pub requests: u32,
    /// The window.
    pub window: Span,
}

/// `[upstreams.NAME]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamPart {
    /// Where it is, each `http://host:port`; empty for a role, whose addresses stand elsewhere.
    pub addresses: Vec<String>,
    /// Where endpoints come from.
    pub discovery: Discovery,
    /// Between two looks at names.
    pub dns_interval: Span,
    /// How long a connection may take to be made.
    pub connect_timeout: Span,
    /// How long an answer may take to begin, all tries included; `gateway.upstream_timeout` if not said.
    pub timeout: Option<Span>,
    /// How long may pass between two pieces of an answer.
    pub idle_timeout: Span,
    /// The same for web sockets and event streams.
    pub stream_idle_timeout: Span,
    /// Requests at once.
    pub max_in_flight: usize,
    /// Web sockets and event streams at once.
    pub max_streams: usize,
    /// The share of requests that may be tried again.
    pub retry_share: f64,
    /// How the gateway finds out who takes requests.
    pub health: HealthPart,
    /// When one endpoint is left out.
    pub ejection: EjectionPart,
    /// When the whole upstream is given a rest.
    pub breaker: BreakerPart,
}

impl Default for UpstreamPart {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            discovery: Discovery::Fixed,
            dns_interval: Span::from_secs(5),
            connect_timeout: Span::from_secs(2),
            timeout: None,
            idle_timeout: Span::from_secs(60),
            stream_idle_timeout: Span::from_secs(600),
            max_in_flight: 1024,
            max_streams: 10_000,
            retry_share: 0.2,
            health: HealthPart::default(),
            ejection: EjectionPart::default(),
            breaker: BreakerPart::default(),
        }
    }
}

/// `[routes.NAME]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutePart {
    /// The path, and all that is below it; `/` is everything.
    pub prefix: String,
    /// The methods; none is all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The hosts, `*.` in front for all below; none is all.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Headers that a request has to have, with their values; `*` is any.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Who answers.
    pub upstream: String,
    /// What stands for the prefix on the way to the upstream.
    pub rewrite: Option<String>,
    /// Whether a credential is wanted.
    #[serde(default = "required")]
    pub auth: Auth,
    /// What it has to be good for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The limits that apply.
    #[serde(default)]
    pub limits: Vec<String>,
    /// How long an answer may take to begin, in place of the upstream's.
    pub timeout: Option<Span>,
    /// The largest body, in bytes, in place of the server's.
    pub max_body_bytes: Option<u64>,
    /// After how long a read is sent to a second endpoint, too.
    pub hedge_after: Option<Span>,
    /// Whose requests go to the same endpoint.
    pub sticky: Option<Sticky>,
    /// Since when nobody should use it any more.
    pub deprecated: Option<jiff::civil::Date>,
    /// When it ends.
    pub sunset: Option<jiff::civil::Date>,
    /// Whether it is there at all.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

impl RoutePart {
    /// How exactly it says which requests it is for.
    fn rank(&self) -> impl Ord + use<> {
        // One host, before all below a long one, before all below a short one, before all.
        let host = self.hosts.iter().map(|host| (!host.starts_with('*'), host.len()));
        let prefix = self.prefix.trim_end_matches('/').len();
        (prefix, host.min(), self.headers.len(), !self.methods.is_empty())
    }
}

const fn required() -> Auth {
    Auth::Required
}

const fn enabled() -> bool {
    true
}

#[cfg(test)]
mod tests;
