//! The reply that begins a ceremony with a passkey, to add one or to log in.

use axum::response::{IntoResponse, Response};
use http::header;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::kit::error::ApiError;
use crate::users::local::access::passkeys::{CEREMONY_WITHIN, Ceremony};

/// What a browser is to do with a passkey.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyCeremony {
    /// `options.publicKey` is what `PublicKeyCredential.parseCreationOptionsFromJSON` reads for
    /// `navigator.credentials.create`, or `parseRequestOptionsFromJSON` for `navigator.credentials.get`.
    /// Binary values are base64url.
    #[schema(value_type = Object)]
    options: Value,
    /// To be sent back with the browser's answer.
    token: String,
    /// Seconds until the token expires.
    #[schema(example = 300)]
    expires_in: i64,
}

/// The reply, which nothing on the way is to keep.
///
/// # Errors
/// For options that are no JSON, which there are none of.
pub fn reply<T: Serialize>(ceremony: &Ceremony<T>) -> Result<Response, ApiError> {
    let reply = PasskeyCeremony {
        options: serde_json::to_value(&ceremony.options).map_err(ApiError::internal)?,
        token: ceremony.token.expose_secret().to_owned(),
        expires_in: CEREMONY_WITHIN.as_secs(),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(reply)).into_response())
}
