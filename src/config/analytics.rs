//! `[analytics]`: the sink of events.

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::span::Span;

/// `[analytics]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    /// How many events may wait to be written before further ones are dropped and counted.
    pub buffer: usize,
    /// How often waiting events are written.
    pub flush_interval: Span,
}

impl Default for Analytics {
    fn default() -> Self {
        Self { buffer: 10_000, flush_interval: Span::from_secs(1) }
    }
}

impl Analytics {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        checks.range("buffer", self.buffer, 1..=10_000_000);
        checks.millis("flush_interval", self.flush_interval, 10..=60_000);
    }
}
