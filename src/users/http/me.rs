//! `GET /api/auth/me`: who one is.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::users::account::Account;
use crate::users::local::LocalUsers;
use crate::users::store::Within;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(me))
}

/// Who one is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MeReply {
    /// What the credential is good for.
    #[serde(flatten)]
    principal: Principal,
    /// The account behind it.
    account: Account,
}

/// Ask who one is
///
/// The account behind the credential, and what the credential is good for.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "auth", operation_id = "me",
    responses(
        (status = 200, description = "The account", body = MeReply),
        (status = "4XX", description = "Not a credential", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = []), ("bearer" = [])),
)]
async fn me(State(users): State<LocalUsers>, principal: Principal) -> Result<axum::Json<MeReply>, ApiError> {
    let account = users.store.account(principal.user_id, &Within::Only(principal.user_id)).await?;
    let account = account.ok_or_else(|| ApiError::not_found("account"))?;
    Ok(axum::Json(MeReply { principal, account }))
}
