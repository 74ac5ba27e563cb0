//! `[redis]`: what the processes of one installation share in passing: answers, limits, news, jobs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::secret::{MASK, Secret};
use super::span::Span;
use crate::kit::redis::{Address, BadUrl};

/// `[redis]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Where it is; empty keeps all that in this process.
    pub url: Secret,
    /// The certificates of whom to believe about who it is (PEM); empty for the well-known authorities.
    pub tls_ca: PathBuf,
    /// What every key begins with.
    pub prefix: String,
    /// How many connections one process holds for commands.
    pub pool_size: usize,
    /// How long a connection may take to be made.
    pub connect_timeout: Span,
    /// How long a command may take.
    pub timeout: Span,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: Secret::default(),
            tls_ca: PathBuf::new(),
            prefix: "voicera".to_owned(),
            pool_size: 16,
            connect_timeout: Span::from_secs(2),
            timeout: Span::from_secs(1),
        }
    }
}

impl Redis {
    /// What the URL says.
    pub(super) fn address(&self) -> Result<Address, BadUrl> {
        Address::parse(self.url.as_secret())
    }

    pub(super) fn validate(&self, mut checks: Checks<'_>) {
        checks.secret("url", &self.url);
        if self.url.is_set()
            && self.url.expose() != MASK
            && let Err(bad) = self.address()
        {
            checks.refuse("url", format!("names no Redis: {}", bad.problem()), BadUrl::FIX);
        }
        let name = self.prefix.as_bytes();
        let plain =
            name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        if !plain || name.is_empty() || name.len() > 40 {
            checks.refuse(
                "prefix",
                format!("{:?} cannot begin the names of keys", self.prefix),
                "use 1 to 40 letters, digits, \"_\", \"-\" and \".\"",
            );
        }
        checks.range("pool_size", self.pool_size, 1..=1024);
        checks.millis("connect_timeout", self.connect_timeout, 100..=60_000);
        checks.millis("timeout", self.timeout, 10..=60_000);
    }
}
