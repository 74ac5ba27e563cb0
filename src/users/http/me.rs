//! `GET /api/auth/me`: who one is.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::Problem;

/// The endpoint.
pub fn routes() -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(me))
}

/// Ask who one is
///
/// The account behind the credential, and what the credential is good for.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "users", operation_id = "me",
    responses(
        (status = 200, description = "The account", body = Principal),
        (status = "4XX", description = "Not a credential", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []), ("bearer" = [])),
)]
async fn me(principal: Principal) -> axum::Json<Principal> {
    axum::Json(principal)
}
