//! `GET /.well-known/jwks.json`: the keys that access tokens are verified with.

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::error::{ApiError, Problem};
use crate::users::local::LocalUsers;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(jwks))
}

/// A set of keys (RFC 7517 §5).
#[derive(Serialize, ToSchema)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// An Ed25519 key (RFC 8037 §2).
#[derive(Serialize, ToSchema)]
struct Jwk {
    #[schema(example = "OKP")]
    kty: &'static str,
    #[schema(example = "Ed25519")]
    crv: &'static str,
    #[schema(example = "EdDSA")]
    alg: &'static str,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    usage: &'static str,
    /// Its name, in the header of the tokens that it signed.
    kid: String,
    /// The key, base64url without padding.
    x: String,
}

/// Get the keys that access tokens are verified with
///
/// A JSON Web Key Set. May be kept for five minutes: a new key is published ten minutes before it
/// signs.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "auth", operation_id = "jwks",
    responses(
        (status = 200, description = "The keys", body = JwkSet),
        (status = "5XX", description = "They can't be had now", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn jwks(State(users): State<LocalUsers>) -> Result<impl IntoResponse, ApiError> {
    let keys = users.signer.public_keys().await?;
    let jwk = |key: crate::users::api::PublicKey| Jwk {
        kty: "OKP",
        crv: "Ed25519",
        alg: "EdDSA",
        usage: "sig",
        kid: key.kid,
        x: key.x,
    };
    let set = JwkSet { keys: keys.into_iter().map(jwk).collect() };
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(set)))
}
