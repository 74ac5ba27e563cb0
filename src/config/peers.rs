//! `[peers]`: how a role that runs by itself reaches the others.

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::secret::Secret;
use super::span::Span;
use super::url::BaseUrl;

/// `[peers]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peers {
    /// The API key by which this service makes itself known to its peers.
    pub service_key: Secret,
    /// The base URL of the users role.
    pub users_url: BaseUrl,
    /// The base URL of the analytics role.
    pub analytics_url: BaseUrl,
    /// The base URL of the voice role.
    pub voice_url: BaseUrl,
    /// How long a call to a peer may take.
    pub timeout: Span,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            service_key: Secret::default(),
            users_url: BaseUrl::default(),
            analytics_url: BaseUrl::default(),
            voice_url: BaseUrl::default(),
            timeout: Span::from_secs(2),
        }
    }
}

impl Peers {
    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        checks.secret("service_key", &self.service_key);
        for (key, url) in [
            ("users_url", &self.users_url),
            ("analytics_url", &self.analytics_url),
            ("voice_url", &self.voice_url),
        ] {
            if url.has_path() {
                let fix = "give scheme, host and port alone, such as \"http://users:3002\"";
                checks.refuse(key, format!("\"{url}\" has a path, which calls to a role do not keep"), fix);
            }
        }
        checks.millis("timeout", self.timeout, 10..=60_000);
    }
}
