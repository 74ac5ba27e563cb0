//! `POST /api/users/invitations`: asking somebody in.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::users::local::LocalUsers;
use crate::users::local::access::mail::Delivery;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(invite))
}

/// Whom to ask in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InviteRequest {
    #[schema(example = "grace@example.org")]
    email: String,
    /// The role that the account is to have.
    #[schema(example = "teacher")]
    role: String,
    /// The institution that it is to belong to; without it, for whoever reaches only one, that one.
    #[serde(default)]
    institution: Option<String>,
}

/// The invitation is on its way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InviteReply {
    /// Where messages go in this installation: `mail` to the person, `log` to the server's log, for
    /// development.
    delivery: Delivery,
    /// Until when the invitation is good.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Invite somebody
///
/// Sends a token with which that address, and no other, can register; the account has the role and
/// institution of the invitation, and is active at once. The role may permit nothing that the
/// credential lacks, and reach no further. An administrator of an institution invites into that one.
#[utoipa::path(
    post, path = "/api/users/invitations", tag = "users", operation_id = "invite",
    request_body = InviteRequest,
    responses(
        (status = 202, description = "The message is on its way", body = InviteReply),
        (status = "4XX", description = "Not permitted, not an address, not a role, or too many messages", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:write"]), ("bearer" = ["users:write"])),
)]
async fn invite(
    State(users): State<LocalUsers>,
    who: Principal,
    Json(request): Json<InviteRequest>,
) -> Result<Response, ApiError> {
    let expires_at =
        users.invitations.invite(&who, &request.email, &request.role, request.institution.as_deref()).await?;
    Ok(reply(&users, expires_at))
}

/// The reply to an invitation that is good until then.
pub(super) fn reply(users: &LocalUsers, expires_at: Timestamp) -> Response {
    let reply = InviteReply { delivery: users.mail.delivery(), expires_at };
    (StatusCode::ACCEPTED, axum::Json(reply)).into_response()
}
