//! `GET /api/voice/history`: what was said, and what was answered.

use std::sync::Arc;

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
use crate::voice::api::Command;
use crate::voice::store::{CommandStore, Filter};

/// Characters that are searched for at most.
const LONGEST_TEXT: usize = 1_000;

/// The endpoint.
pub fn routes() -> OpenApiRouter<Arc<dyn CommandStore>> {
    OpenApiRouter::new().routes(routes!(history))
}

/// Which commands.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Only this intent; `none` for what was not understood.
    #[param(example = "get_assignments")]
    intent: Option<String>,
    /// Only this language.
    #[param(example = "en")]
    language: Option<String>,
    /// Only commands that contain these words: up to 1000 characters.
    text: Option<String>,
    /// Only this conversation.
    #[serde(alias = "session")]
    session_id: Option<String>,
    /// Only accepted at or after this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: Option<Timestamp>,
    /// Only accepted before this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// A page of the history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Newest first.
    commands: Vec<Command>,
    /// Where the next page begins; absent on the last one. A page may hold fewer commands than `limit`,
    /// or none, and still have a next one: words and combined filters are looked for in 10,000
    /// commands a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Read one's own history
///
/// Newest first, a page at a time.
#[utoipa::path(
    get, path = "/api/voice/history", tag = "voice", operation_id = "history",
    params(HistoryQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = History),
        (status = "4XX", description = "No page", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:read"]), ("bearer" = ["voice:read"])),
)]
async fn history(
    State(store): State<Arc<dyn CommandStore>>,
    principal: Principal,
    Query(query): Query<HistoryQuery>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<History>, ApiError> {
    principal.require(Scope::VoiceRead)?;
    let page = page.page()?;
    let text = query.text.filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(ApiError::invalid("text", format!("must have at most {LONGEST_TEXT} characters")));
    }
    let filter = Filter {
        intent: query.intent,
        language: query.language,
        text,
        session_id: query.session_id,
        from: query.from,
        to: query.to,
    };
    let found = store.history(principal.user_id, &filter, page).await?;
    Ok(axum::Json(History {
        commands: found.commands,
        next_cursor: found.next.map(|cursor| cursor.to_string()),
    }))
}
