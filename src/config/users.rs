//! `[users]`: accounts and keys.

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::span::Span;

/// `[users]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// How long a key once looked up is believed; a revoked key works for at most this long.
    pub key_cache_ttl: Span,
    /// How many keys are remembered.
    pub key_cache_entries: u64,
}

impl Default for Users {
    fn default() -> Self {
        Self { key_cache_ttl: Span::from_secs(10), key_cache_entries: 10_000 }
    }
}

impl Users {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        checks.secs("key_cache_ttl", self.key_cache_ttl, 0..=3600);
        checks.range("key_cache_entries", self.key_cache_entries, 0..=10_000_000);
    }
}
