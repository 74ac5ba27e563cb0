//! `[gateway]`: where the gateway finds the other roles.

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::span::Span;
use super::url::BaseUrl;

/// `[gateway]`. The URLs are for the role `gateway` alone; with `all` the modules need no network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The base URL of the voice role.
    pub voice_url: BaseUrl,
    /// The base URL of the users role.
    pub users_url: BaseUrl,
    /// The base URL of the analytics role.
    pub analytics_url: BaseUrl,
    /// How long an upstream may take to reply.
    pub upstream_timeout: Span,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            voice_url: BaseUrl::default(),
            users_url: BaseUrl::default(),
            analytics_url: BaseUrl::default(),
            upstream_timeout: Span::from_secs(65),
        }
    }
}

impl Gateway {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        checks.millis("upstream_timeout", self.upstream_timeout, 100..=3_600_000);
    }
}
