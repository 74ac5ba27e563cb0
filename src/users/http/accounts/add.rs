//! `POST /api/users`: an administrator makes an account.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reply;
use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::kit::http::prefer;
use crate::users::account::{Account, Email, Kind};
use crate::users::http::invitations::{self, InviteReply};
use crate::users::local::LocalUsers;
use crate::users::local::administration::directory::{NewMember, is_asked_in};
use crate::users::roles::STUDENT;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(add))
}

/// An account to make.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewUserRequest {
    /// A person logs in; a service has API keys and nothing else.
    #[serde(default = "person")]
    #[schema(default = "person")]
    kind: Kind,
    /// 1 to 200 characters.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// What a person logs in with.
    #[schema(value_type = Option<String>, example = "ada@example.org")]
    email: Option<Email>,
    /// 8 to 128 characters. Without one the person sets it by asking for a reset. Whoever is invited
    /// chooses it.
    password: Option<String>,
    /// One that permits no more than the caller's credential.
    #[serde(default = "student")]
    #[schema(default = "student")]
    role: String,
    /// The caller's own, unless the caller reaches every institution.
    institution: Option<String>,
}

const fn person() -> Kind {
    Kind::Person
}

fn student() -> String {
    STUDENT.to_owned()
}

/// Make an account
///
/// For a person or a service. It is active at once. A caller who does not reach every account invites
/// people instead, with the same request: they give themselves a name and a password, and the answer is
/// the same whether or not the address has an account.
#[utoipa::path(
    post, path = "/api/users", tag = "users", operation_id = "createUser",
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 characters that name this request: sent again, it is not done again")),
    request_body = NewUserRequest,
    responses(
        (status = 201, description = "Made; `location` says where it is", body = Account, headers(("location" = String), ("etag" = String, description = "For `if-match`"))),
        (status = 202, description = "Invited: a message is on its way to the address", body = InviteReply),
        (status = 409, description = "There is an account with this address", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not made", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:write"]), ("bearer" = ["users:write"])),
)]
async fn add(
    State(users): State<LocalUsers>,
    who: Principal,
    headers: HeaderMap,
    Json(request): Json<NewUserRequest>,
) -> Result<Response, ApiError> {
    let key = prefer::idempotency_key(&headers)?;
    if let Some(email) = request.email.as_ref().filter(|email| is_asked_in(&who, Some(email))) {
        if request.password.is_some() {
            return Err(ApiError::invalid(
                "password",
                "is chosen by who accepts the invitation: leave it out",
            ));
        }
        let institution = request.institution.as_deref();
        let expires_at = users.invitations.invite(&who, email.as_str(), &request.role, institution).await?;
        return Ok(invitations::reply(&users, expires_at));
    }
    let member = NewMember {
        id: key.map(|key| prefer::idempotent_id(who.user_id, key)),
        kind: request.kind,
        name: request.name,
        email: request.email,
        password: request.password,
        role: request.role,
        institution: request.institution,
    };
    let account = users.directory.add(&who, member).await?;
    let location = format!("/api/users/{}", account.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], reply(account)).into_response())
}
