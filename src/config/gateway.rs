//! `[gateway]`: where the gateway finds the other roles and its routes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::span::Span;
use super::url::BaseUrl;

/// `[gateway]`. The URLs are for the role `gateway` alone; with `all` the modules need no network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The addresses of the voice role, each `http://host:port`.
    pub voice_urls: Vec<BaseUrl>,
    /// Those of the users role.
    pub users_urls: Vec<BaseUrl>,
    /// Those of the analytics role.
    pub analytics_urls: Vec<BaseUrl>,
    /// How long an upstream may take to begin its reply.
    pub upstream_timeout: Span,
    /// The file with routes beside those that are built in; empty for none.
    pub routes: PathBuf,
    /// Requests that are passed on at once; further ones are refused.
    pub max_in_flight: usize,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            voice_urls: Vec::new(),
            users_urls: Vec::new(),
            analytics_urls: Vec::new(),
            upstream_timeout: Span::from_secs(55),
            routes: PathBuf::new(),
            max_in_flight: 10_000,
        }
    }
}

impl Gateway {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        for (key, urls) in [
            ("voice_urls", &self.voice_urls),
            ("users_urls", &self.users_urls),
            ("analytics_urls", &self.analytics_urls),
        ] {
            if let Some(url) = urls.iter().find(|url| !url.is_plain_address()) {
                checks.refuse(
                    key,
                    format!("\"{url}\" is not a plain http:// address of a host"),
                    "write \"http://HOST:PORT\" without a path, such as [\"http://voice:3001\"]: roles speak \
                     unencrypted HTTP with each other, on a private network",
                );
            }
        }
        checks.millis("upstream_timeout", self.upstream_timeout, 100..=3_600_000);
        checks.range("max_in_flight", self.max_in_flight, 1..=1_000_000);
    }
}
