//! `POST /api/auth/reset`, `POST /api/auth/reset/confirm`: a new password for who has lost the old one.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::login::DeviceReply;
use super::sent::{self, SentReply};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(reset)).routes(routes!(confirm))
}

/// Whose password was lost.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResetRequest {
    #[schema(example = "ada@example.org")]
    email: String,
}

/// The new password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfirmRequest {
    /// From the message; good once, for an hour.
    #[schema(example = "vo_5f2b…")]
    token: String,
    /// 8 to 128 characters of any kind, and not one of those that are tried first.
    #[schema(example = "correct horse battery staple")]
    password: String,
}

/// Ask for a message to reset a password
///
/// The answer is the same whether the address has an account or not. A later token takes the place of
/// earlier ones.
#[utoipa::path(
    post, path = "/api/auth/reset", tag = "auth", operation_id = "askReset",
    request_body = ResetRequest,
    responses(
        (status = 202, description = "A message is on its way, if there is such an account", body = SentReply),
        (status = "4XX", description = "Not an address, or too many tries", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn reset(
    State(users): State<LocalUsers>,
    Json(request): Json<ResetRequest>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    users.credentials.ask_reset(&request.email).await?;
    Ok(sent::reply(&users, begun).await)
}

/// Reset a password
///
/// Ends all sessions of the account and verifies its address. An account that is suspended stays so.
/// A password that is refused leaves the token good. The reply's `device` is for the log-in: whoever
/// guesses at the account does not make its owner wait for that.
#[utoipa::path(
    post, path = "/api/auth/reset/confirm", tag = "auth", operation_id = "confirmReset",
    request_body = ConfirmRequest,
    responses(
        (status = 200, description = "The password is set", body = DeviceReply),
        (status = "4XX", description = "The token or the password is not good, or too many tries", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn confirm(
    State(users): State<LocalUsers>,
    Json(request): Json<ConfirmRequest>,
) -> Result<axum::Json<DeviceReply>, ApiError> {
    let device = users.credentials.reset(&request.token, &request.password).await?;
    Ok(axum::Json(DeviceReply::of(&device)))
}
