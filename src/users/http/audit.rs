//! `GET /api/users/audit`: who did what to whom.

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Query;
use crate::kit::http::page::PageQuery;
use crate::kit::ids::UserId;
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::local::LocalUsers;
use crate::users::store::{AuditQuery, Within};

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(audit))
}

/// Which entries; all that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct TrailQuery {
    /// Only what this account did.
    actor: Option<UserId>,
    /// Only what concerns this account.
    target: Option<UserId>,
    /// Only this.
    #[param(inline, example = "session.login")]
    action: Option<Action>,
    /// Only what was done, or what was refused.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Only at or after this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: Option<Timestamp>,
    /// Only before this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// A page of the trail.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Trail {
    /// Latest first.
    entries: Vec<Entry>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Read the audit trail
///
/// Latest first, as far as it concerns accounts within reach of the caller's role.
#[utoipa::path(
    get, path = "/api/users/audit", tag = "users", operation_id = "audit",
    params(TrailQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = Trail),
        (status = "4XX", description = "No page", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["audit:read"]), ("bearer" = ["audit:read"])),
)]
async fn audit(
    State(users): State<LocalUsers>,
    who: Principal,
    Query(query): Query<TrailQuery>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Trail>, ApiError> {
    who.require(Scope::AuditRead)?;
    let query = AuditQuery {
        within: Within::reach_of(&who),
        actor: query.actor,
        target: query.target,
        action: query.action,
        outcome: query.outcome,
        from: query.from,
        to: query.to,
        page: page.page()?,
    };
    let found = users.store.audit(query).await?;
    let next_cursor = found.next.map(|cursor| cursor.to_string());
    Ok(axum::Json(Trail { entries: found.entries, next_cursor }))
}
