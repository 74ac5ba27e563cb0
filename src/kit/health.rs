//! Whether a role lives, is ready, and what it leans on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Does all that it is for.
    Up,
    /// Works, but with less than it is for: a fallback answers.
    Degraded,
    /// Does not work now.
    Down,
}

/// The health of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Check {
    /// How it is.
    pub status: Status,
    /// Why, when there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Check {
    /// A part that works.
    pub const fn up() -> Self {
        Self { status: Status::Up, detail: None }
    }

    /// A part that works, with something to say about it.
    pub fn up_with(detail: impl Into<String>) -> Self {
        Self { status: Status::Up, detail: Some(detail.into()) }
    }

    /// A part whose fallback answers.
    pub fn degraded(detail: impl Into<String>) -> Self {
        Self { status: Status::Degraded, detail: Some(detail.into()) }
    }

    /// A part that does not work.
    pub fn down(detail: impl Into<String>) -> Self {
        Self { status: Status::Down, detail: Some(detail.into()) }
    }
}

/// The health of a role: the worst of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// The worst of the checks.
    pub status: Status,
    /// The version of Voicera.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Each part by name: `store`, `queue`, `model`, `llm` …
    pub checks: BTreeMap<String, Check>,
}

impl Health {
    /// The health that follows from `checks`.
    pub fn of(checks: impl IntoIterator<Item = (String, Check)>) -> Self {
        let checks: BTreeMap<_, _> = checks.into_iter().collect();
        let status = checks.values().map(|check| check.status).max().unwrap_or(Status::Up);
        Self { status, version: env!("CARGO_PKG_VERSION").to_owned(), checks }
    }

    /// All checks of `other`, each under `prefix.`.
    #[must_use]
    pub fn with(mut self, prefix: &str, other: Self) -> Self {
        self.checks.extend(other.checks.into_iter().map(|(name, check)| (format!("{prefix}.{name}"), check)));
        Self::of(self.checks)
    }
}

/// Anything that knows its own health.
#[async_trait]
pub trait Probe: std::fmt::Debug + Send + Sync {
    /// Looks now; answers within a second.
    async fn health(&self) -> Health;
}

/// A role, and those that it can do nothing without.
#[derive(Debug)]
pub struct Leaning {
    /// The role itself.
    pub role: Arc<dyn Probe>,
    /// Peers by name.
    pub on: Vec<(&'static str, Arc<dyn Probe>)>,
}

#[async_trait]
impl Probe for Leaning {
    async fn health(&self) -> Health {
        let peers = self.on.iter().map(|(name, peer)| async move { (*name, peer.health().await) });
        let (role, peers) = futures_util::join!(self.role.health(), futures_util::future::join_all(peers));
        peers.into_iter().fold(role, |health, (name, peer)| health.with(name, peer))
    }
}

/// What the health routes need.
#[derive(Debug, Clone)]
pub struct HealthState {
    /// The role's own health, its peers included.
    pub probe: Arc<dyn Probe>,
    /// Set when shutdown begins: the role lives on for a while, but takes no new work.
    pub stopping: Arc<AtomicBool>,
}

/// `/health`, `/health/live` and `/health/ready`.
pub fn router(state: HealthState) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(state)
}

/// The role and everything it leans on
///
/// 200 as long as the role can do its work, if need be with a fallback; 503 otherwise.
#[utoipa::path(
    get, path = "/health", tag = "operations", operation_id = "health",
    responses((status = 200, description = "Works", body = Health), (status = 503, description = "Does not work now", body = Health)),
)]
pub async fn health(State(state): State<HealthState>) -> Response {
    let health = state.probe.health().await;
    let code = if health.status == Status::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, axum::Json(health)).into_response()
}

/// Whether the process lives
///
/// For a supervisor that restarts what does not answer. Leans on nothing else.
#[utoipa::path(
    get, path = "/health/live", tag = "operations", operation_id = "live",
    responses((status = 200, description = "Lives", body = String, content_type = "text/plain", example = "live")),
)]
pub async fn live() -> &'static str {
    "live"
}

/// Whether the role takes work
///
/// For a balancer: 503 while something that the role cannot do without is missing, and during shutdown.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations", operation_id = "ready",
    responses(
        (status = 200, description = "Takes work", body = String, content_type = "text/plain", example = "ready"),
        (status = 503, description = "Takes no work now", body = String, content_type = "text/plain", example = "not ready"),
    ),
)]
pub async fn ready(State(state): State<HealthState>) -> (StatusCode, &'static str) {
    if state.stopping.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping");
    }
    match state.probe.health().await.status {
        Status::Down => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
        Status::Up | Status::Degraded => (StatusCode::OK, "ready"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_as_well_as_its_worst_part() {
        let health = Health::of([
            ("store".to_owned(), Check::up()),
            ("llm".to_owned(), Check::degraded("breaker open")),
        ]);
        assert_eq!(health.status, Status::Degraded);
        let whole = Health::of([])
            .with("voice", health)
            .with("users", Health::of([("store".to_owned(), Check::down("gone"))]));
        assert_eq!(whole.status, Status::Down);
        assert!(whole.checks.contains_key("voice.llm"));
    }
}
