//! `POST /api/auth/refresh`: a refresh token for new tokens.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::login::{TokenReply, reply};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(refresh))
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefreshRequest {
    /// As it came; good once.
    #[schema(example = "vr_7d1f0c5e9a3b48626e1d7c5a90b3f4e8d2c6a1b7e0f59384d7c2b6a1e0f59384")]
    refresh_token: String,
}

/// Trade a refresh token for new tokens
///
/// The one that is sent is used up, the reply has the next one. If the reply was lost, the same one
/// may be sent again within a few seconds and gets the same successor. One that comes back later was
/// stolen from somebody: its session is ended.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "auth", operation_id = "refresh",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "New tokens", body = TokenReply),
        (status = "4XX", description = "Log in again, or wait", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn refresh(
    State(users): State<LocalUsers>,
    Json(request): Json<RefreshRequest>,
) -> Result<Response, ApiError> {
    users.sessions.refresh(&request.refresh_token).await.map(reply)
}
