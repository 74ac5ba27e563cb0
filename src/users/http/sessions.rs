//! `GET /api/auth/sessions`, `DELETE /api/auth/sessions/{id}`: where one is logged in.

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Path;
use crate::kit::ids::SessionId;
use crate::users::local::LocalUsers;
use crate::users::store::{Session, Which};

/// The endpoints.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(end))
}

/// Where one is logged in.
#[derive(Serialize, ToSchema)]
struct SessionList {
    /// Latest first.
    sessions: Vec<SessionReply>,
}

/// One log-in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionReply {
    id: SessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// What the program calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64)")]
    device: Option<String>,
    /// Where it was last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    /// How the log-in was done.
    #[schema(example = "password+totp")]
    method: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its tokens were last refreshed.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// When it ends if it is not used any more.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// List one's sessions
#[utoipa::path(
    get, path = "/api/auth/sessions", tag = "auth", operation_id = "listSessions",
    responses(
        (status = 200, description = "Where one is logged in", body = SessionList),
        (status = "4XX", description = "Not a credential", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn list(State(users): State<LocalUsers>, who: Principal) -> Result<axum::Json<SessionList>, ApiError> {
    let current = who.session()?;
    let reply = |session: Session| SessionReply {
        id: session.id,
        current: session.id == current,
        device: session.device,
        address: session.address,
        method: session.method,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at,
    };
    let sessions = users.sessions.list(who.user_id).await?;
    Ok(axum::Json(SessionList { sessions: sessions.into_iter().map(reply).collect() }))
}

/// End one of one's sessions
#[utoipa::path(
    delete, path = "/api/auth/sessions/{id}", tag = "auth", operation_id = "endSession",
    params(("id" = SessionId, Path, description = "The session")),
    responses(
        (status = 204, description = "It is over"),
        (status = "4XX", description = "Not one's own, or over already", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn end(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, ApiError> {
    who.session()?;
    match users.sessions.end(&who, Which::One(id)).await? {
        0 => Err(ApiError::not_found("session")),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
