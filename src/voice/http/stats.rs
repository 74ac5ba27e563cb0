//! `GET /api/voice/stats`: one's own figures.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Query;
use crate::voice::store::{CommandStore, Stats};

/// The endpoint.
pub fn routes() -> OpenApiRouter<Arc<dyn CommandStore>> {
    OpenApiRouter::new().routes(routes!(stats))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatsQuery {
    /// From the UTC day of this instant on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: Option<Timestamp>,
    /// Up to the UTC day of this instant, that day included (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// Read one's own figures
///
/// Commands by intent, language and answering tier. Counted as commands finish, so this costs the
/// same for ten commands as for ten million.
#[utoipa::path(
    get, path = "/api/voice/stats", tag = "voice", operation_id = "voiceStats",
    params(StatsQuery),
    responses(
        (status = 200, description = "The figures", body = Stats),
        (status = "4XX", description = "No figures", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:read"]), ("bearer" = ["voice:read"])),
)]
async fn stats(
    State(store): State<Arc<dyn CommandStore>>,
    principal: Principal,
    Query(query): Query<StatsQuery>,
) -> Result<axum::Json<Stats>, ApiError> {
    principal.require(Scope::VoiceRead)?;
    Ok(axum::Json(store.stats(principal.user_id, query.from, query.to).await?))
}
