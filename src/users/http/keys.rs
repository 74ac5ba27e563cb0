//! API keys: `/api/users/keys` for one's own, `/api/users/{id}/keys` for those whom one looks after.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::{Json, Path, Query};
use crate::kit::http::page::PageQuery;
use crate::kit::http::prefer;
use crate::kit::ids::{KeyId, UserId};
use crate::users::local::LocalUsers;
use crate::users::local::administration::keyring::{Ends, MadeKey, WantedKey};
use crate::users::store::{Key, KeyPage};

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(revoke))
        .routes(routes!(list_of, make_of))
        .routes(routes!(revoke_of))
}

/// A page of an account's keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeyList {
    /// Latest first; those that are revoked or have expired stand among them for 90 days.
    keys: Vec<KeyReply>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A key; not the secret, which nobody has but who made it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyReply {
    id: KeyId,
    #[schema(example = "nightly import")]
    name: String,
    /// How the secret begins.
    #[schema(example = "vk_5f0c1d9a")]
    prefix: String,
    /// What it is limited to; absent when it is good for whatever the role permits.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<BTreeSet<Scope>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Key> for KeyReply {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyRequest {
    /// 1 to 100 characters.
    #[schema(example = "nightly import")]
    name: String,
    /// What it is to be good for: no more than the credential that asks, and than the account's role.
    /// Left out, as much as that; for the owner, logged in, whatever the role permits at the time.
    scopes: Option<BTreeSet<Scope>>,
    /// Seconds from now to its end.
    #[schema(minimum = 1, example = 7_776_000)]
    expires_in: Option<u32>,
    /// Its end (RFC 3339). Without one of the two it goes on until it is revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl KeyRequest {
    /// The key that `who` wants.
    fn wanted(self, who: &Principal, headers: &HeaderMap) -> Result<WantedKey, ApiError> {
        let id = prefer::idempotency_key(headers)?.map(|key| prefer::idempotent_id(who.user_id, key));
        let ends = match (self.expires_in, self.expires_at) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("expiresIn", "goes without `expiresAt`: use one of them"));
            }
            (Some(seconds), None) => Ends::After(SignedDuration::from_secs(seconds.into())),
            (None, Some(at)) => Ends::At(at),
            (None, None) => Ends::Never,
        };
        Ok(WantedKey { id, name: self.name, scopes: self.scopes, ends })
    }
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
struct MadeKeyReply {
    #[serde(flatten)]
    key: KeyReply,
    /// The key itself: shown this once.
    #[schema(example = "vk_5f0c1d9a7b3e…")]
    secret: String,
}

fn made(made: MadeKey) -> Response {
    let secret = made.secret.expose_secret().to_owned();
    let reply = MadeKeyReply { key: made.key.into(), secret };
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], axum::Json(reply)).into_response()
}

fn listed(page: KeyPage) -> axum::Json<KeyList> {
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    axum::Json(KeyList { keys: page.keys.into_iter().map(KeyReply::from).collect(), next_cursor })
}

/// List one's API keys
#[utoipa::path(
    get, path = "/api/users/keys", tag = "users", operation_id = "listKeys",
    params(PageQuery),
    responses(
        (status = 200, description = "A page", body = KeyList),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["keys:write"]), ("bearer" = ["keys:write"])),
)]
async fn list(
    State(users): State<LocalUsers>,
    who: Principal,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<KeyList>, ApiError> {
    users.keyring.list(&who, who.user_id, page.page()?).await.map(listed)
}

/// Make an API key for oneself
///
/// The secret is in this one reply and nowhere else.
#[utoipa::path(
    post, path = "/api/users/keys", tag = "users", operation_id = "createKey",
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 characters that name this request: sent again, it is a conflict, for the secret is shown once")),
    request_body = KeyRequest,
    responses(
        (status = 201, description = "Made", body = MadeKeyReply),
        (status = "4XX", description = "Not made", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["keys:write"]), ("bearer" = ["keys:write"])),
)]
async fn make(
    State(users): State<LocalUsers>,
    who: Principal,
    headers: HeaderMap,
    Json(request): Json<KeyRequest>,
) -> Result<Response, ApiError> {
    users.keyring.make(&who, who.user_id, request.wanted(&who, &headers)?).await.map(made)
}

/// Revoke one of one's API keys
///
/// Every service refuses it within seconds.
#[utoipa::path(
    delete, path = "/api/users/keys/{id}", tag = "users", operation_id = "revokeKey",
    params(("id" = KeyId, Path, description = "The key")),
    responses(
        (status = 204, description = "Revoked"),
        (status = "4XX", description = "Not one's own, or revoked already", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["keys:write"]), ("bearer" = ["keys:write"])),
)]
async fn revoke(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<KeyId>,
) -> Result<StatusCode, ApiError> {
    users.keyring.revoke(&who, who.user_id, id).await.map(|()| StatusCode::NO_CONTENT)
}

/// List an account's API keys
#[utoipa::path(
    get, path = "/api/users/{id}/keys", tag = "users", operation_id = "listUserKeys",
    params(("id" = UserId, Path, description = "The account"), PageQuery),
    responses(
        (status = 200, description = "A page", body = KeyList),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["keys:write", "users:admin"]), ("bearer" = ["keys:write", "users:admin"])),
)]
async fn list_of(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<UserId>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<KeyList>, ApiError> {
    users.keyring.list(&who, id, page.page()?).await.map(listed)
}

/// Make an API key for an account
///
/// One within reach that may do no more than the caller, such as a service. The secret is in this one
/// reply and nowhere else.
#[utoipa::path(
    post, path = "/api/users/{id}/keys", tag = "users", operation_id = "createUserKey",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("idempotency-key" = Option<String>, Header, description = "1 to 255 characters that name this request: sent again, it is a conflict, for the secret is shown once"),
    ),
    request_body = KeyRequest,
    responses(
        (status = 201, description = "Made", body = MadeKeyReply),
        (status = "4XX", description = "Not made", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["keys:write", "users:admin"]), ("bearer" = ["keys:write", "users:admin"])),
)]
async fn make_of(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<UserId>,
    headers: HeaderMap,
    Json(request): Json<KeyRequest>,
) -> Result<Response, ApiError> {
    users.keyring.make(&who, id, request.wanted(&who, &headers)?).await.map(made)
}

/// Revoke an account's API key
///
/// Every service refuses it within seconds.
#[utoipa::path(
    delete, path = "/api/users/{id}/keys/{keyId}", tag = "users", operation_id = "revokeUserKey",
    params(("id" = UserId, Path, description = "The account"), ("keyId" = KeyId, Path, description = "The key")),
    responses(
        (status = 204, description = "Revoked"),
        (status = "4XX", description = "Not within reach, or revoked already", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["keys:write", "users:admin"]), ("bearer" = ["keys:write", "users:admin"])),
)]
async fn revoke_of(
    State(users): State<LocalUsers>,
    who: Principal,
    Path((id, key)): Path<(UserId, KeyId)>,
) -> Result<StatusCode, ApiError> {
    users.keyring.revoke(&who, id, key).await.map(|()| StatusCode::NO_CONTENT)
}
