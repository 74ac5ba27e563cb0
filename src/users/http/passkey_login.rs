//! `POST /api/auth/login/passkey/start`, `POST /api/auth/login/passkey`: a passkey for tokens.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use webauthn_rs::prelude::PublicKeyCredential;

use super::ceremony::{self, PasskeyCeremony};
use super::login::{TokenReply, reply};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(finish))
}

/// What the browser answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "token": "vo_7d1f0c5e9a3b48626e1d7c5a90b3f4e8d2c6a1b7e0f59384d7c2b6a1e0f59384",
    "credential": {
        "id": "q83vEjRWeJA",
        "rawId": "q83vEjRWeJA",
        "type": "public-key",
        "response": { "clientDataJSON": "e30", "authenticatorData": "oA", "signature": "oA" },
    },
}))]
struct PasskeyLoginRequest {
    /// As it came with the options.
    #[schema(example = "vo_7d1f0c5e9a3b48626e1d7c5a90b3f4e8d2c6a1b7e0f59384d7c2b6a1e0f59384")]
    token: String,
    /// The credential, as its `toJSON()` writes it.
    #[schema(value_type = Object)]
    credential: PublicKeyCredential,
    /// As `POST /api/auth/login` takes it.
    device: Option<String>,
}

/// Who begins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasskeyStartRequest {
    /// As `POST /api/auth/login` takes it.
    #[schema(example = "vd_AYkKXayWd0u8zrMCCZqAVwGJCl2slndLvM6zAgmagFc")]
    device: Option<String>,
}

/// Begin a log-in with a passkey
///
/// Needs no e-mail address: the device knows the passkeys that it has for this place.
#[utoipa::path(
    post, path = "/api/auth/login/passkey/start", tag = "auth", operation_id = "startPasskeyLogin",
    request_body = Option<PasskeyStartRequest>,
    responses(
        (status = 200, description = "What to ask the browser", body = PasskeyCeremony),
        (status = "4XX", description = "Too often", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn start(
    State(users): State<LocalUsers>,
    request: Option<Json<PasskeyStartRequest>>,
) -> Result<Response, ApiError> {
    let device = request.and_then(|Json(request)| request.device);
    ceremony::reply(&users.passkeys.start_log_in(device.as_deref()).await?)
}

/// Finish a log-in with a passkey
///
/// It takes the place of password and second factor: the device has verified its owner.
#[utoipa::path(
    post, path = "/api/auth/login/passkey", tag = "auth", operation_id = "loginPasskey",
    request_body = PasskeyLoginRequest,
    responses(
        (status = 200, description = "In", body = TokenReply),
        (status = "4XX", description = "Not in", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn finish(
    State(users): State<LocalUsers>,
    Json(request): Json<PasskeyLoginRequest>,
) -> Result<Response, ApiError> {
    let PasskeyLoginRequest { token, credential, device } = request;
    users.passkeys.log_in(&token, &credential, device.as_deref()).await.map(reply)
}
