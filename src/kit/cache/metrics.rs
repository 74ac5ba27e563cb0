//! What `/metrics` says about caches.

use metrics::Counter;

const REQUESTS: &str = "voicera_cache_requests_total";

/// Names for the recorder; call once it is installed.
pub fn describe() {
    metrics::describe_counter!(REQUESTS, "Look-ups in a cache, by where the value came from");
}

/// One cache's series.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    /// Kept in this process, or computed in it for somebody else.
    pub(super) near: Counter,
    /// Kept on Redis.
    pub(super) shared: Counter,
    /// Computed by another process while this one waited.
    pub(super) waited: Counter,
    /// Computed.
    pub(super) computed: Counter,
    /// Computed without having been able to look.
    pub(super) away: Counter,
    /// Computed, and too large to be kept.
    pub(super) oversized: Counter,
}

impl Requests {
    pub(super) fn of(cache: &'static str) -> Self {
        let counter = |outcome| metrics::counter!(REQUESTS, "cache" => cache, "outcome" => outcome);
        Self {
            near: counter("near"),
            shared: counter("shared"),
            waited: counter("waited"),
            computed: counter("computed"),
            away: counter("away"),
            oversized: counter("oversized"),
        }
    }
}
