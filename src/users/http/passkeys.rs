//! `POST /api/auth/passkeys/start`, `GET|POST /api/auth/passkeys`, `DELETE /api/auth/passkeys/{id}`:
//! one's passkeys.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::ceremony::{self, PasskeyCeremony};
use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::{Json, Path};
use crate::kit::ids::PasskeyId;
use crate::users::local::LocalUsers;
use crate::users::local::access::step_up::Proof;
use crate::users::store::StoredPasskey;

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(list, add)).routes(routes!(remove))
}

/// What the browser made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "token": "vo_7d1f0c5e9a3b48626e1d7c5a90b3f4e8d2c6a1b7e0f59384d7c2b6a1e0f59384",
    "name": "Ada's phone",
    "credential": {
        "id": "q83vEjRWeJA",
        "rawId": "q83vEjRWeJA",
        "type": "public-key",
        "response": { "clientDataJSON": "e30", "attestationObject": "oA" },
    },
}))]
struct AddPasskeyRequest {
    /// As it came with the options.
    #[schema(example = "vo_7d1f0c5e9a3b48626e1d7c5a90b3f4e8d2c6a1b7e0f59384d7c2b6a1e0f59384")]
    token: String,
    /// What to call it: 1 to 100 characters.
    #[schema(example = "Ada's phone")]
    name: String,
    /// The credential, as its `toJSON()` writes it.
    #[schema(value_type = Object)]
    credential: RegisterPublicKeyCredential,
}

/// Somebody's passkeys.
#[derive(Serialize, ToSchema)]
struct PasskeyList {
    /// Earliest first.
    passkeys: Vec<PasskeyReply>,
}

/// A passkey, as its owner sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PasskeyReply {
    id: PasskeyId,
    #[schema(example = "Ada's phone")]
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last used to log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<StoredPasskey> for PasskeyReply {
    fn from(stored: StoredPasskey) -> Self {
        let StoredPasskey { id, name, created_at, last_used_at, .. } = stored;
        Self { id, name, created_at, last_used_at }
    }
}

/// Begin to add a passkey
///
/// For somebody who has logged in. Later than fifteen minutes after that, the password or a code has to
/// be shown again; where a second factor is set up, always both.
#[utoipa::path(
    post, path = "/api/auth/passkeys/start", tag = "auth", operation_id = "startPasskey",
    request_body = Option<Proof>,
    responses(
        (status = 200, description = "What to have the browser make", body = PasskeyCeremony),
        (status = "4XX", description = "Not a session, or a wrong password or code", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn start(
    State(users): State<LocalUsers>,
    who: Principal,
    proof: Option<Json<Proof>>,
) -> Result<Response, ApiError> {
    let proof = proof.map_or_else(Proof::default, |Json(proof)| proof);
    ceremony::reply(&users.passkeys.start_adding(&who, &proof).await?)
}

/// Add the passkey that the browser made
#[utoipa::path(
    post, path = "/api/auth/passkeys", tag = "auth", operation_id = "addPasskey",
    request_body = AddPasskeyRequest,
    responses(
        (status = 201, description = "It is kept", body = PasskeyReply),
        (status = "4XX", description = "Not an answer to the question, known already, or one too many", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn add(
    State(users): State<LocalUsers>,
    who: Principal,
    Json(request): Json<AddPasskeyRequest>,
) -> Result<(StatusCode, axum::Json<PasskeyReply>), ApiError> {
    let added = users.passkeys.add(&who, &request.token, &request.name, &request.credential).await?;
    Ok((StatusCode::CREATED, axum::Json(added.into())))
}

/// List one's passkeys
#[utoipa::path(
    get, path = "/api/auth/passkeys", tag = "auth", operation_id = "listPasskeys",
    responses(
        (status = 200, description = "One's passkeys", body = PasskeyList),
        (status = "4XX", description = "Not a session", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn list(State(users): State<LocalUsers>, who: Principal) -> Result<axum::Json<PasskeyList>, ApiError> {
    who.session()?;
    let passkeys = users.passkeys.list(who.user_id).await?;
    Ok(axum::Json(PasskeyList { passkeys: passkeys.into_iter().map(Into::into).collect() }))
}

/// Remove one of one's passkeys
///
/// Later than fifteen minutes after the log-in, the password or a code has to be shown again. The only
/// way to log in can't be removed.
#[utoipa::path(
    delete, path = "/api/auth/passkeys/{id}", tag = "auth", operation_id = "removePasskey",
    params(("id" = PasskeyId, Path, description = "The passkey")),
    request_body = Option<Proof>,
    responses(
        (status = 204, description = "It is gone"),
        (status = "4XX", description = "Not one's own, or the only way to log in", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn remove(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<PasskeyId>,
    proof: Option<Json<Proof>>,
) -> Result<StatusCode, ApiError> {
    let proof = proof.map_or_else(Proof::default, |Json(proof)| proof);
    users.passkeys.remove(&who, id, &proof).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use serde_json::json;

    use crate::users::local::tests::somebody::software::Passkey;
    use crate::users::local::tests::somebody::{EMAIL, ORIGIN, PASSWORD, Somebody};

    #[tokio::test]
    async fn a_page_adds_a_passkey_logs_in_with_it_and_removes_it() {
        let stage = Somebody::set().await;
        let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
        let page = stage.client(Some(ada));
        let mut device = Passkey::at(ORIGIN);

        let (status, begun) = page.post("/api/auth/passkeys/start", None).await;
        assert_eq!((status, &begun["expiresIn"]), (StatusCode::OK, &json!(300)));
        let credential = device.create(&begun["options"]);
        let body = json!({ "token": begun["token"], "name": "Ada's phone", "credential": credential });
        let (status, added) = page.post("/api/auth/passkeys", Some(body)).await;
        assert_eq!((status, &added["name"]), (StatusCode::CREATED, &json!("Ada's phone")));

        let visitor = stage.client(None);
        let (_, begun) = visitor.post("/api/auth/login/passkey/start", None).await;
        let body = json!({ "token": begun["token"], "credential": device.answer(&begun["options"]) });
        let (status, tokens) = visitor.post("/api/auth/login/passkey", Some(body)).await;
        assert_eq!((status, &tokens["user"]["email"]), (StatusCode::OK, &json!(EMAIL)));
        assert!(tokens["accessToken"].is_string());

        let (_, list) = page.send(Method::GET, "/api/auth/passkeys", None).await;
        assert_eq!(list["passkeys"][0]["id"], added["id"]);
        assert!(list["passkeys"][0]["lastUsedAt"].is_string());
        assert!(list["passkeys"][0].get("credential").is_none());
        let path = format!("/api/auth/passkeys/{}", added["id"].as_str().unwrap());
        assert_eq!(page.send(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
        assert_eq!(page.send(Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
    }
}
