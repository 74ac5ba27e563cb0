//! `POST /api/auth/logout`: out again.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Query;
use crate::users::local::LocalUsers;
use crate::users::store::Which;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(logout))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct LogoutQuery {
    /// `true` ends all of one's sessions, not only this one.
    #[serde(default)]
    all: bool,
}

/// Log out
///
/// Ends the session of the access token. The token itself is refused by every service within seconds.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "auth", operation_id = "logout",
    params(LogoutQuery),
    responses(
        (status = 204, description = "Out"),
        (status = "4XX", description = "Not a session", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
async fn logout(
    State(users): State<LocalUsers>,
    who: Principal,
    Query(query): Query<LogoutQuery>,
) -> Result<StatusCode, ApiError> {
    let session = who.session()?;
    let which = if query.all { Which::All } else { Which::One(session) };
    users.sessions.end(&who, which).await?;
    Ok(StatusCode::NO_CONTENT)
}
