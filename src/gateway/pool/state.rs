//! What is to be seen of a pool from outside.

use jiff::Timestamp;
use serde::Serialize;

/// An upstream at this moment.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolState {
    /// Its name.
    #[schema(example = "voice")]
    pub name: String,
    /// Whether it is asked at all.
    pub breaker: BreakerState,
    /// Requests that are being answered.
    #[schema(example = 3)]
    pub in_flight: usize,
    /// Event streams and upgraded connections that are open.
    #[schema(example = 0)]
    pub streams: usize,
    /// Everybody who may answer.
    pub endpoints: Vec<EndpointState>,
    /// Names that are resolved again and again; empty where addresses are fixed.
    pub names: Vec<NameState>,
}

/// Whether an upstream is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum BreakerState {
    /// As usual.
    Closed,
    /// Nobody is let through.
    Open,
    /// One call at a time is let through, to see.
    HalfOpen,
}

/// One address at this moment.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointState {
    /// Host and port.
    #[schema(example = "10.1.2.3:3001")]
    pub address: String,
    /// Whether it answered its last health check, and took the last connection.
    pub ready: bool,
    /// Until when it is left out for having failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ejected_until: Option<Timestamp>,
    /// The time to the beginning of an answer, as a moving average that follows peaks at once.
    #[schema(example = 4.2)]
    pub ewma_ms: f64,
    /// Requests that wait for their answer to begin.
    #[schema(example = 1)]
    pub in_flight: usize,
    /// Failures since the last success.
    #[schema(example = 0)]
    pub consecutive_failures: u32,
}

/// What the last questions for a name came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NameState {
    /// The host.
    #[schema(example = "voice.default.svc")]
    pub name: String,
    /// When it last had addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// Since when it has had none; the last known ones are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "failed to lookup address information")]
    pub error: Option<String>,
}
