//! `GET /api/analytics/real-time`: the counters of the whole installation.

use std::sync::Arc;

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::analytics::store::{CounterStore, Counts};
use crate::kit::auth::{Principal, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Problem};

/// What the endpoint needs.
#[derive(Debug, Clone)]
pub struct RealTimeState {
    /// The counters.
    pub store: Arc<dyn CounterStore>,
    /// The time.
    pub clock: SharedClock,
}

/// The endpoint.
pub fn routes() -> OpenApiRouter<RealTimeState> {
    OpenApiRouter::new().routes(routes!(real_time))
}

/// The counters, over three spans of time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RealTime {
    /// This UTC hour and the one before.
    last_hours: Counts,
    /// This UTC hour and the 23 before.
    last_day: Counts,
    /// Since the first start.
    all_time: Counts,
    /// When this was read.
    at: Timestamp,
}

/// Read the counters
///
/// Of the whole installation (scope `analytics:read`). A command is counted within about a second.
#[utoipa::path(
    get, path = "/api/analytics/real-time", tag = "analytics", operation_id = "realTime",
    responses(
        (status = 200, description = "The counters", body = RealTime),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["analytics:read"]), ("bearer" = ["analytics:read"])),
)]
async fn real_time(
    State(state): State<RealTimeState>,
    principal: Principal,
) -> Result<axum::Json<RealTime>, ApiError> {
    principal.require(Scope::AnalyticsRead)?;
    let now = state.clock.now();
    Ok(axum::Json(RealTime {
        last_hours: state.store.sums(Some(now - SignedDuration::from_hours(1))).await?,
        last_day: state.store.sums(Some(now - SignedDuration::from_hours(23))).await?,
        all_time: state.store.sums(None).await?,
        at: now,
    }))
}
