//! `GET /api/users/stats`: how many accounts there are.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(stats))
}

/// How many accounts there are within reach.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserStats {
    /// All.
    #[schema(example = 42)]
    total: u64,
    /// By status; one that no account has is absent.
    by_status: BTreeMap<String, u64>,
    /// By role; one that no account has is absent.
    by_role: BTreeMap<String, u64>,
}

/// Count accounts
///
/// Those within reach of the caller's role.
#[utoipa::path(
    get, path = "/api/users/stats", tag = "users", operation_id = "userStats",
    responses(
        (status = 200, description = "The figures", body = UserStats),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:read"]), ("bearer" = ["users:read"])),
)]
async fn stats(State(users): State<LocalUsers>, who: Principal) -> Result<axum::Json<UserStats>, ApiError> {
    let stats = users.directory.stats(&who).await?;
    Ok(axum::Json(UserStats { total: stats.total, by_status: stats.by_status, by_role: stats.by_role }))
}
