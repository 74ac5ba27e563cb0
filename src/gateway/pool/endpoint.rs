//! One address of several that answer alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Uri;
use http::uri::{Authority, Scheme};
use metrics::Gauge;
use tokio::time::Instant;

use super::load::Load;
use super::state::EndpointState;

/// An address, and what is known of who answers there.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) authority: Authority,
    pub(super) load: Arc<Load>,
    ready: AtomicBool,
    gauge: Gauge,
}

/// An address that no request can be sent to.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an http:// address of a host")]
pub struct BadAddress(String);

impl Endpoint {
    /// The endpoint at `base`, `http://host:port`; taken for ready until it shows otherwise.
    pub(super) fn new(pool: &str, base: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(base.to_owned());
        let uri: Uri = base.parse().map_err(|_| bad())?;
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.path() == "/";
        let authority = uri.authority().filter(|_| plain).cloned().ok_or_else(bad)?;
        let gauge = metrics::gauge!(super::READY, "upstream" => pool.to_owned(), "endpoint" => authority.as_str().to_owned());
        gauge.set(1.0);
        let load = Arc::new(Load::new(Instant::now()));
        Ok(Self { authority, load, ready: AtomicBool::new(true), gauge })
    }

    pub(super) fn state(&self, now: Instant) -> EndpointState {
        EndpointState {
            address: self.authority.to_string(),
            ready: self.is_ready(),
            ejected_until: None,
            ewma_ms: self.load.seconds(now) * 1e3,
            in_flight: self.load.waiting(),
            consecutive_failures: 0,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Notes whether it takes requests; a change is logged with what it was seen by.
    pub(super) fn seen(&self, ready: bool, by: &str) {
        if self.ready.swap(ready, Ordering::Relaxed) != ready {
            self.gauge.set(if ready { 1.0 } else { 0.0 });
            if ready {
                tracing::info!(endpoint = %self.authority, "an endpoint is back");
            } else {
                tracing::warn!(endpoint = %self.authority, by, "an endpoint is left out");
            }
        }
    }
}
