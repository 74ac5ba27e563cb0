//! `GET /api/users/{id}/export`, `DELETE /api/users/{id}`: what is kept of a person, and that it is forgotten.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt as _};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::keys::KeyReply;
use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::{Json, Path};
use crate::kit::http::precondition::IfMatch;
use crate::kit::ids::{PasskeyId, SessionId, UserId};
use crate::users::account::Account;
use crate::users::audit::Entry;
use crate::users::local::access::step_up::Proof;
use crate::users::local::administration::personal::{Kept, Personal, TrailOf};
use crate::voice::api::{Command, ExportPage, Voice};

/// The endpoints.
pub fn routes() -> OpenApiRouter<Arc<Personal>> {
    OpenApiRouter::new().routes(routes!(export, export_with_proof)).routes(routes!(erase))
}

/// All that is kept of a person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PersonalData {
    #[schema(value_type = String, format = DateTime)]
    exported_at: Timestamp,
    account: Account,
    sessions: Vec<ExportedSession>,
    keys: Vec<KeyReply>,
    passkeys: Vec<ExportedPasskey>,
    /// What the trail says of the account, and of what it did; latest first. Where, and with what,
    /// somebody else did it is left out. Sent as it is read, as are the commands.
    audit: Vec<Entry>,
    /// What was said and answered, latest first.
    commands: Vec<Command>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedSession {
    id: SessionId,
    device: Option<String>,
    address: Option<String>,
    #[schema(example = "password+totp")]
    method: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedPasskey {
    id: PasskeyId,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// Get all that is kept of a person
///
/// Of oneself within fifteen minutes of the log-in, or with `users:admin` of somebody within reach:
/// account, sessions, keys, passkeys, audit trail, and every command. One JSON document, as long as it
/// may be. Later than that, `POST` takes the password or a code.
#[utoipa::path(
    get, path = "/api/users/{id}/export", tag = "users", operation_id = "exportUser",
    params(("id" = UserId, Path, description = "The account")),
    responses(
        (status = 200, description = "All of it", body = PersonalData),
        (status = 503, description = "A module can't be asked now", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []), ("apiKey" = ["users:admin"])),
)]
async fn export(
    State(personal): State<Arc<Personal>>,
    who: Principal,
    Path(id): Path<UserId>,
) -> Result<Response, ApiError> {
    document(id, personal.export(&who, id, &Proof::default()).await?)
}

/// Get all that is kept of oneself, a while after the log-in
///
/// The same document, for who shows the password or a code again.
#[utoipa::path(
    post, path = "/api/users/{id}/export", tag = "users", operation_id = "exportUserWithProof",
    params(("id" = UserId, Path, description = "The account")),
    request_body = Option<Proof>,
    responses(
        (status = 200, description = "All of it", body = PersonalData),
        (status = 503, description = "A module can't be asked now", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not permitted, or a wrong password or code", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []), ("apiKey" = ["users:admin"])),
)]
async fn export_with_proof(
    State(personal): State<Arc<Personal>>,
    who: Principal,
    Path(id): Path<UserId>,
    proof: Option<Json<Proof>>,
) -> Result<Response, ApiError> {
    let proof = proof.map_or_else(Proof::default, |Json(proof)| proof);
    document(id, personal.export(&who, id, &proof).await?)
}

fn document(id: UserId, kept: Kept) -> Result<Response, ApiError> {
    let Kept { at, account, sessions, keys, passkeys, trail, commands, voice } = kept;
    let head = PersonalData {
        exported_at: at,
        account,
        sessions: sessions
            .into_iter()
            .map(|session| ExportedSession {
                id: session.id,
                device: session.device,
                address: session.address,
                method: session.method,
                created_at: session.created_at,
                last_seen_at: session.last_seen_at,
                expires_at: session.expires_at,
            })
            .collect(),
        keys: keys.into_iter().map(KeyReply::from).collect(),
        passkeys: passkeys
            .into_iter()
            .map(|passkey| ExportedPasskey {
                id: passkey.id,
                name: passkey.name,
                created_at: passkey.created_at,
                last_used_at: passkey.last_used_at,
            })
            .collect(),
        audit: Vec::new(),
        commands: Vec::new(),
    };
    let mut head = serde_json::to_vec(&head).map_err(ApiError::internal)?;
    // Both go where the empty lists are.
    head.truncate(head.len().saturating_sub(BETWEEN.len() + END.len()));
    let piece = |bytes: Bytes| stream::iter([Ok::<_, ApiError>(bytes)]);
    let body = piece(head.into())
        .chain(all_entries(trail))
        .chain(piece(BETWEEN.into()))
        .chain(all_commands(voice, id, commands))
        .chain(piece(END.into()));
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"voicera-{id}.json\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// What stands between the entries and the commands.
const BETWEEN: &str = "],\"commands\":[";
/// What stands after them.
const END: &str = "]}";

/// Every entry, with commas between, a page at a time. Where a page can't be had the answer breaks off,
/// which a client notices: half a document is no document.
fn all_entries(trail: TrailOf) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::try_unfold((trail, true), |(mut trail, is_first)| async move {
        let page = trail.page().await?;
        let bytes = listed(&page, is_first)?;
        Ok((!page.is_empty()).then_some((bytes, (trail, false))))
    })
}

/// Every command from `first` on, likewise.
fn all_commands(
    voice: Arc<dyn Voice>,
    user: UserId,
    first: ExportPage,
) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::try_unfold((Some(first), true), move |(page, is_first)| {
        let voice = Arc::clone(&voice);
        async move {
            let Some(page) = page else { return Ok(None) };
            let bytes = listed(&page.commands, is_first)?;
            let next = match page.next {
                Some(place) => Some(voice.export(user, Some(place)).await?),
                None => None,
            };
            Ok(Some((bytes, (next, is_first && page.commands.is_empty()))))
        }
    })
}

/// A part of a list, with a comma before each item but the first of all.
fn listed<T: Serialize>(items: &[T], mut is_first: bool) -> Result<Bytes, ApiError> {
    let mut bytes = Vec::new();
    for item in items {
        if !is_first {
            bytes.push(b',');
        }
        is_first = false;
        serde_json::to_writer(&mut bytes, item).map_err(ApiError::internal)?;
    }
    Ok(bytes.into())
}

/// Erase an account
///
/// One's own, with the password or a code again, or with `users:admin` one within reach that may do no
/// more than the caller.
/// The account, its sessions and its keys are gone at once; `202` says that a module which keeps
/// something of the person has not confirmed yet and is told until it does. The audit trail stays. The
/// last administrator can't be erased.
#[utoipa::path(
    delete, path = "/api/users/{id}", tag = "users", operation_id = "deleteUser",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("if-match" = Option<String>, Header, description = "The `etag` of the account as it was read"),
    ),
    request_body = Option<Proof>,
    responses(
        (status = 202, description = "The account is gone; something that belongs to it is still to go"),
        (status = 204, description = "Gone"),
        (status = 409, description = "It is the last administrator", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It was changed since it was read", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It could not be brought to its end, and was not begun", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []), ("apiKey" = ["users:admin"])),
)]
async fn erase(
    State(personal): State<Arc<Personal>>,
    who: Principal,
    Path(id): Path<UserId>,
    headers: HeaderMap,
    proof: Option<Json<Proof>>,
) -> Result<StatusCode, ApiError> {
    let proof = proof.map_or_else(Proof::default, |Json(proof)| proof);
    let confirmed = personal.erase(&who, id, &IfMatch::of(&headers), &proof).await?;
    Ok(if confirmed { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED })
}
