//! `PUT /api/users/{id}/role`: what an account may do.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reply;
use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::{Json, Path};
use crate::kit::http::precondition::IfMatch;
use crate::kit::ids::UserId;
use crate::users::account::Account;
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(set_role))
}

/// A role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleRequest {
    /// The name of one that `GET /api/users/roles` lists.
    #[schema(example = "teacher")]
    role: String,
}

/// Give an account another role
///
/// Neither the old nor the new one may permit more than the caller's credential does. Access tokens
/// made out before are refused within seconds; a refresh brings one that goes with the new role. The
/// last administrator stays one.
#[utoipa::path(
    put, path = "/api/users/{id}/role", tag = "users", operation_id = "setUserRole",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("if-match" = Option<String>, Header, description = "The `etag` of the account as it was read"),
    ),
    request_body = RoleRequest,
    responses(
        (status = 200, description = "The account as it is now", body = Account, headers(("etag" = String, description = "For `if-match`"))),
        (status = 409, description = "It is the last administrator", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It was changed since it was read", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not changed", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:admin"]), ("bearer" = ["users:admin"])),
)]
async fn set_role(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<UserId>,
    headers: HeaderMap,
    Json(request): Json<RoleRequest>,
) -> Result<Response, ApiError> {
    users.directory.set_role(&who, id, &IfMatch::of(&headers), request.role).await.map(reply)
}
