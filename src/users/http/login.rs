//! `POST /api/auth/login`: a password for tokens.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::kit::ids::SessionId;
use crate::users::account::Account;
use crate::users::local::LocalUsers;
use crate::users::local::access::sessions::{LoggedIn, SECOND_FACTOR_WITHIN, Tokens};

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(login))
}

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoginRequest {
    #[schema(example = "ada@example.org")]
    email: String,
    #[schema(example = "correct horse battery staple")]
    password: String,
    /// `device` of the reply to an earlier log-in with this device, if there was one.
    #[schema(example = "vd_AYkKXayWd0u8zrMCCZqAVwGJCl2slndLvM6zAgmagFc")]
    device: Option<String>,
}

/// What somebody gets who is in (RFC 6749 §5.1, in camelCase).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenReply {
    /// For `Authorization: Bearer`; a JWT (RFC 9068).
    access_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    expires_in: i64,
    /// For `POST /api/auth/refresh`; good once.
    refresh_token: String,
    /// The session that was opened.
    session_id: SessionId,
    /// For the next log-in with this device, for half a year: with it, no wrong tries of others make
    /// its owner wait. It lets nobody in.
    #[schema(example = "vd_AYkKXayWd0u8zrMCCZqAVwGJCl2slndLvM6zAgmagFc")]
    device: String,
    /// Whose it is.
    user: Account,
}

/// By which a device is known that has shown who uses it.
#[derive(Serialize, ToSchema)]
pub struct DeviceReply {
    /// For the log-in, as `device`.
    #[schema(example = "vd_AYkKXayWd0u8zrMCCZqAVwGJCl2slndLvM6zAgmagFc")]
    device: String,
}

impl DeviceReply {
    /// With this token.
    pub fn of(device: &SecretString) -> Self {
        Self { device: device.expose_secret().to_owned() }
    }
}

/// The password was right, and a second factor is set up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SecondFactorReply {
    /// Always true.
    second_factor_required: bool,
    /// For `POST /api/auth/login/second-factor`, with a code.
    challenge: String,
    /// Seconds until the challenge expires.
    #[schema(example = 300)]
    expires_in: i64,
}

/// The reply with tokens: never kept by anything on the way (RFC 6749 §5.1).
pub fn reply(tokens: Tokens) -> Response {
    let reply = TokenReply {
        access_token: tokens.access.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: tokens.expires_in.as_secs(),
        refresh_token: tokens.refresh.expose_secret().to_owned(),
        session_id: tokens.session,
        device: tokens.device.expose_secret().to_owned(),
        user: tokens.account,
    };
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(reply)).into_response()
}

/// Log in
///
/// With e-mail address and password. Where a second factor is set up the answer is `202` with a
/// challenge instead of tokens. The reply's `device` is for whatever the client keeps longest: sent with
/// the next log-in, it has this device's tries counted apart from everybody else's.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "auth", operation_id = "login",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "In", body = TokenReply),
        (status = 202, description = "The second factor is missing", body = SecondFactorReply),
        (status = "4XX", description = "Not in", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn login(
    State(users): State<LocalUsers>,
    Json(request): Json<LoginRequest>,
) -> Result<Response, ApiError> {
    Ok(match users.sessions.log_in(&request.email, &request.password, request.device.as_deref()).await? {
        LoggedIn::Yes(tokens) => reply(*tokens),
        LoggedIn::SecondFactor(challenge) => {
            let answer = SecondFactorReply {
                second_factor_required: true,
                challenge: challenge.expose_secret().to_owned(),
                expires_in: SECOND_FACTOR_WITHIN.as_secs(),
            };
            let headers = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::ACCEPTED, headers, axum::Json(answer)).into_response()
        }
    })
}
