//! `DELETE /api/users/{id}/second-factor`: for who has lost it.

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Path;
use crate::kit::http::precondition::IfMatch;
use crate::kit::ids::UserId;
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(reset))
}

/// Take somebody's second factor off
///
/// For who has lost it, and the recovery codes. The passkeys go with it, every session ends, and the
/// owner gets a message. From then on the password alone is enough, until a second factor is set up
/// anew: make sure of who asks. One's own is taken off with `DELETE /api/auth/totp`.
#[utoipa::path(
    delete, path = "/api/users/{id}/second-factor", tag = "users", operation_id = "resetSecondFactor",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("if-match" = Option<String>, Header, description = "The `etag` of the account as it was read"),
    ),
    responses(
        (status = 204, description = "It is off, and the account is logged out"),
        (status = 404, description = "There is no such account, or neither a second factor nor a passkey", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is the last administrator, who would have no way in", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It was changed since it was read", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:write"]), ("bearer" = ["users:write"])),
)]
async fn reset(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<UserId>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    users.directory.reset_second_factor(&who, id, &IfMatch::of(&headers)).await?;
    Ok(StatusCode::NO_CONTENT)
}
