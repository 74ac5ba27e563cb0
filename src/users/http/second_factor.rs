//! `POST /api/auth/login/second-factor`: a code for tokens.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::login::{TokenReply, reply};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(second_factor))
}

/// What a log-in lacks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecondFactorRequest {
    /// As `POST /api/auth/login` answered it.
    #[schema(example = "vo_7d1f0c5e9a3b48626e1d7c5a90b3f4e8d2c6a1b7e0f59384d7c2b6a1e0f59384")]
    challenge: String,
    /// What the authenticator shows, or a recovery code.
    #[schema(example = "123456")]
    code: String,
    /// As `POST /api/auth/login` takes it.
    #[schema(example = "vd_AYkKXayWd0u8zrMCCZqAVwGJCl2slndLvM6zAgmagFc")]
    device: Option<String>,
}

/// Finish a log-in with the second factor
///
/// A code is good once, a challenge for five tries within five minutes.
#[utoipa::path(
    post, path = "/api/auth/login/second-factor", tag = "auth", operation_id = "loginSecondFactor",
    request_body = SecondFactorRequest,
    responses(
        (status = 200, description = "In", body = TokenReply),
        (status = "4XX", description = "Not in", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn second_factor(
    State(users): State<LocalUsers>,
    Json(request): Json<SecondFactorRequest>,
) -> Result<Response, ApiError> {
    let SecondFactorRequest { challenge, code, device } = request;
    users.second_factors.log_in(&challenge, &code, device.as_deref()).await.map(reply)
}
