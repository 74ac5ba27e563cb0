//! `POST /api/auth/verify`, `POST /api/auth/verify/resend`: showing that an address reaches one.

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
    OpenApiRouter::new().routes(routes!(verify)).routes(routes!(resend))
}

/// A token from a message, and who it is for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerifyRequest {
    /// As it came; good once, for 48 hours.
    #[schema(example = "vo_5f2b…")]
    token: String,
    /// The one that the address was registered with.
    #[schema(example = "correct horse battery staple")]
    password: String,
}

/// An address.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResendRequest {
    #[schema(example = "ada@example.org")]
    email: String,
}

/// Verify an e-mail address
///
/// With the token from the message and the password: whoever reads the message may not be who chose the
/// password, and must not make somebody else's account usable. The account can be used from now on, and
/// the reply's `device` keeps others from making its owner wait for the first log-in.
#[utoipa::path(
    post, path = "/api/auth/verify", tag = "auth", operation_id = "verifyEmail",
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "It is verified", body = DeviceReply),
        (status = "4XX", description = "The token or the password is not good, or too many tries", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn verify(
    State(users): State<LocalUsers>,
    Json(request): Json<VerifyRequest>,
) -> Result<axum::Json<DeviceReply>, ApiError> {
    let device = users.registration.verify(&request.token, &request.password).await?;
    Ok(axum::Json(DeviceReply::of(&device)))
}

/// Ask for another message to verify an e-mail address
///
/// The answer is the same whether an account waits for that or not. A later token takes the place of
/// earlier ones.
#[utoipa::path(
    post, path = "/api/auth/verify/resend", tag = "auth", operation_id = "resendVerification",
    request_body = ResendRequest,
    responses(
        (status = 202, description = "A message is on its way, if an account waits for it", body = SentReply),
        (status = "4XX", description = "Not an address, or too many tries", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn resend(
    State(users): State<LocalUsers>,
    Json(request): Json<ResendRequest>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    users.registration.resend(&request.email).await?;
    Ok(sent::reply(&users, begun).await)
}
