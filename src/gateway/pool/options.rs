//! How a pool behaves: plain values, checked by whoever reads them from a configuration.

use std::time::Duration;

/// How one upstream is called. Two pools of equal options behave alike, so a reload can keep the one
/// that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolOptions {
    /// The upstream's name, for logs, metrics and people.
    pub name: String,
    /// Where it is: each `http://host:port`.
    pub addresses: Vec<String>,
    /// What stands behind an address's host.
    pub discovery: Discovery,
    /// The longest that making a connection may take.
    pub connect_timeout: Duration,
    /// From a request's arrival to the beginning of its answer, repeated tries included.
    pub timeout: Duration,
    /// Between two pieces of an answer's body.
    pub idle_timeout: Duration,
    /// The same for what is meant to stay open: `text/event-stream`, and connections that were upgraded,
    /// where it counts in both directions.
    pub stream_idle_timeout: Duration,
    /// Whether endpoints are asked how they are.
    pub health: Option<HealthCheck>,
    /// When an endpoint that fails is left out.
    pub ejection: Ejection,
    /// When nobody is asked at all.
    pub breaker: BreakerOptions,
    /// Requests that may be repeated or hedged, as a share of all, from 0 to 1.
    pub retry_ratio: f64,
    /// Requests at once, each until the end of its answer; further ones are refused. Those whose answer
    /// is meant to stay open count only until it begins, and under [`Self::max_streams`] from then on.
    pub max_in_flight: usize,
    /// Event streams and upgraded connections at once.
    pub max_streams: usize,
}

/// What stands behind an address's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discovery {
    /// One endpoint. A name is resolved with each new connection.
    Fixed,
    /// As many endpoints as the name has addresses, asked for again and again: Kubernetes' headless
    /// services.
    Dns {
        /// Between two questions.
        every: Duration,
    },
}

/// A request that each endpoint is asked to answer with success (2xx).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Path and query, from `/`.
    pub path: String,
    /// Between two looks.
    pub every: Duration,
    /// The longest that one look may take.
    pub timeout: Duration,
}

/// When an endpoint that fails is left out, by what its answers show (Envoy's outlier detection).
///
/// Failures are answers of 5xx, connections that are refused or break, and no answer in time. An endpoint
/// is out for `base` the first time, and for as much longer each time in a row; a row ends as it stays in:
/// each `base` without an ejection takes one step back. No more than `share` of all endpoints is ever out
/// at once, so a lone endpoint is ejected only with a share of 1, and one of two with 0.5 and above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ejection {
    /// Failures in a row that it takes; 0 ejects nobody.
    pub consecutive_failures: u32,
    /// How long the first time.
    pub base: Duration,
    /// How long at most.
    pub longest: Duration,
    /// The largest share of the endpoints that may be out at once, from 0 to 1.
    pub share: f64,
}

/// When an upstream is left alone for a while.
///
/// Calls count, not tries: what failed at one endpoint and succeeded at another is a success. A failure is
/// what [`Ejection`] calls one, apart from a 503 with `retry-after`: who says when to come back is at work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerOptions {
    /// The share of the calls that have to fail, from 0 to 1; above 1 it never opens.
    pub failure_share: f64,
    /// The time that is looked back on.
    pub window: Duration,
    /// Fewer calls than this within the window say nothing.
    pub minimum_calls: u32,
    /// How long everybody is refused before one call is let through to see.
    pub open_for: Duration,
}

/// How one request is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// Instead of [`PoolOptions::timeout`].
    pub timeout: Option<Duration>,
    /// After how long a `GET` or `HEAD` without a body is sent to another endpoint as well; the first
    /// answer counts.
    pub hedge_after: Option<Duration>,
    /// What to choose the endpoint by: equal numbers meet the same one while it is available.
    pub sticky: Option<u64>,
}
