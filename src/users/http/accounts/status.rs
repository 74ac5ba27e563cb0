//! `PUT /api/users/{id}/status`: whether an account can be used.

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
use crate::users::account::{Account, Status};
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(set_status))
}

/// How an account is to stand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "suspended"}))]
struct StatusRequest {
    /// `active`, `inactive` or `suspended`.
    status: Status,
}

/// Lock an account, put it aside, or make it active
///
/// Any but `active` ends its sessions, and refuses its API keys, within seconds. The last
/// administrator stays active.
#[utoipa::path(
    put, path = "/api/users/{id}/status", tag = "users", operation_id = "setUserStatus",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("if-match" = Option<String>, Header, description = "The `etag` of the account as it was read"),
    ),
    request_body = StatusRequest,
    responses(
        (status = 200, description = "The account as it is now", body = Account, headers(("etag" = String, description = "For `if-match`"))),
        (status = 409, description = "It is the last administrator", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It was changed since it was read", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not changed", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:write"]), ("bearer" = ["users:write"])),
)]
async fn set_status(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<UserId>,
    headers: HeaderMap,
    Json(request): Json<StatusRequest>,
) -> Result<Response, ApiError> {
    users.directory.set_status(&who, id, &IfMatch::of(&headers), request.status).await.map(reply)
}
