//! `GET /api/users/{id}`: one account.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reply;
use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Path;
use crate::kit::ids::UserId;
use crate::users::account::Account;
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Read an account
///
/// One's own, or with `users:read` one within reach. What is out of reach looks like what there is not.
#[utoipa::path(
    get, path = "/api/users/{id}", tag = "users", operation_id = "getUser",
    params(("id" = UserId, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = Account, headers(("etag" = String, description = "For `if-match`"))),
        (status = "4XX", description = "None within reach", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:read"]), ("bearer" = ["users:read"]), ("apiKey" = []), ("bearer" = [])),
)]
async fn read(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<UserId>,
) -> Result<Response, ApiError> {
    users.directory.get(&who, id).await.map(reply)
}
