//! `POST /api/auth/register`: an account for whoever may have one.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sent::{self, SentReply};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;
use crate::users::local::access::registration::Applicant;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(register))
}

/// Who wants an account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegisterRequest {
    /// 1 to 100 characters.
    #[schema(example = "Ada Lovelace")]
    name: String,
    #[schema(example = "ada@example.org")]
    email: String,
    /// 8 to 128 characters of any kind, and not one of those that are tried first.
    #[schema(example = "correct horse battery staple")]
    password: String,
    /// The token of an invitation; needed where one registers by invitation alone.
    #[serde(default)]
    invitation: Option<String>,
}

/// Register
///
/// The account can be used once its e-mail address has been verified with the token that a message
/// brings; with an invitation to that address, at once. The answer is the same whether the address
/// has an account already or not: only a message to it says so. Without a mail server configured
/// (`users.mail.smtp_url`) messages are written to the log of the server, and `delivery` is `log`.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "auth", operation_id = "register",
    request_body = RegisterRequest,
    responses(
        (status = 202, description = "Taken; a message says more", body = SentReply),
        (status = "4XX", description = "Not taken: registration is closed, a field is not good, or too many tries", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn register(
    State(users): State<LocalUsers>,
    Json(request): Json<RegisterRequest>,
) -> Result<Response, ApiError> {
    let applicant = Applicant {
        name: &request.name,
        email: &request.email,
        password: &request.password,
        invitation: request.invitation.as_deref(),
    };
    let begun = Instant::now();
    users.registration.register(applicant).await?;
    Ok(sent::reply(&users, begun).await)
}
