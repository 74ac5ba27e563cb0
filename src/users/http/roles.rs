//! `/api/users/roles`: what accounts may do.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Reach, Scope};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::{Json, Path};
use crate::users::api::Role;
use crate::users::local::LocalUsers;

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, remove))
}

/// What accounts may do.
#[derive(Serialize, ToSchema)]
struct RoleList {
    /// By name.
    roles: Vec<Role>,
}

/// List roles
///
/// The table by which everything is permitted: the built-in roles and those of this installation.
#[utoipa::path(
    get, path = "/api/users/roles", tag = "users", operation_id = "listRoles",
    responses(
        (status = 200, description = "The roles", body = RoleList),
        (status = "4XX", description = "Not a credential", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []), ("bearer" = [])),
)]
async fn list(State(users): State<LocalUsers>, _: Principal) -> Result<axum::Json<RoleList>, ApiError> {
    Ok(axum::Json(RoleList { roles: users.role_book.list().await? }))
}

/// A role as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleRequest {
    /// For people, up to 200 characters.
    #[serde(default)]
    #[schema(example = "Reads the figures")]
    description: String,
    /// What it permits.
    permissions: BTreeSet<Scope>,
    /// Whose accounts the permissions over accounts concern.
    #[serde(default = "own")]
    #[schema(inline, default = "own")]
    reach: Reach,
}

const fn own() -> Reach {
    Reach::Own
}

/// Make or change a role
///
/// It may permit no more than the caller's credential does. Who has it may do by it within seconds.
#[utoipa::path(
    put, path = "/api/users/roles/{name}", tag = "users", operation_id = "putRole",
    params(("name" = String, Path, description = "1 to 50 lower-case letters, digits and underscores, a letter first", example = "auditor")),
    request_body = RoleRequest,
    responses(
        (status = 200, description = "Changed", body = Role),
        (status = 201, description = "Made", body = Role),
        (status = 409, description = "It is built in", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not changed", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["roles:write"]), ("bearer" = ["roles:write"])),
)]
async fn put(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(name): Path<String>,
    Json(request): Json<RoleRequest>,
) -> Result<Response, ApiError> {
    let RoleRequest { description, permissions, reach } = request;
    let role = Role { name, description, permissions, reach, built_in: false };
    let is_new = users.role_book.put(&who, role.clone()).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(role)).into_response())
}

/// Remove a role
///
/// One that no account has.
#[utoipa::path(
    delete, path = "/api/users/roles/{name}", tag = "users", operation_id = "removeRole",
    params(("name" = String, Path, description = "The role", example = "auditor")),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, description = "It is built in, or accounts have it", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not removed", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["roles:write"]), ("bearer" = ["roles:write"])),
)]
async fn remove(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    users.role_book.remove(&who, &name).await.map(|()| StatusCode::NO_CONTENT)
}
