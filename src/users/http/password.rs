//! `PUT /api/auth/password`: a new password for who knows the old one.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(change))
}

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PasswordRequest {
    /// The password as it is.
    #[schema(example = "correct horse battery staple")]
    current: String,
    /// 8 to 128 characters of any kind, and not one of those that are tried first.
    #[schema(example = "eleven green bicycles in april")]
    new: String,
}

/// Change one's password
///
/// Ends one's other sessions; this one goes on.
#[utoipa::path(
    put, path = "/api/auth/password", tag = "auth", operation_id = "changePassword",
    request_body = PasswordRequest,
    responses(
        (status = 204, description = "It is changed"),
        (status = "4XX", description = "Not a session, a password that is not good, or too many tries", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn change(
    State(users): State<LocalUsers>,
    who: Principal,
    Json(request): Json<PasswordRequest>,
) -> Result<StatusCode, ApiError> {
    users.credentials.change_password(&who, &request.current, &request.new).await?;
    Ok(StatusCode::NO_CONTENT)
}
