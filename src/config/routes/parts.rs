//! The parts of an upstream.

use serde::{Deserialize, Serialize};

use crate::config::span::Span;

/// `[upstreams.NAME.health]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthPart {
    /// What is asked of each endpoint; a 2xx says that it takes requests. Empty: nobody is asked.
    pub path: String,
    /// Between two questions.
    pub interval: Span,
    /// How long an answer may take.
    pub timeout: Span,
}

impl Default for HealthPart {
    fn default() -> Self {
        let second = Span::from_secs(1);
        Self { path: "/health/ready".to_owned(), interval: second, timeout: second }
    }
}

/// `[upstreams.NAME.ejection]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EjectionPart {
    /// Failures in a row until an endpoint is left out; 0 never does.
    pub failures: u32,
    /// How long, the first time.
    pub time: Span,
    /// How long at most, however often.
    pub longest: Span,
    /// The share of the endpoints that may be left out at a time.
    pub share: f64,
}

impl Default for EjectionPart {
    fn default() -> Self {
        Self { failures: 5, time: Span::from_secs(30), longest: Span::from_secs(300), share: 0.5 }
    }
}

/// `[upstreams.NAME.breaker]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerPart {
    /// The share of calls that have to fail; above 1 it never opens.
    pub share: f64,
    /// Calls in the window, at least.
    pub calls: u32,
    /// How far it looks back.
    pub window: Span,
    /// How long it stays open.
    pub time: Span,
}

impl Default for BreakerPart {
    fn default() -> Self {
        Self { share: 0.5, calls: 20, window: Span::from_secs(10), time: Span::from_secs(5) }
    }
}
