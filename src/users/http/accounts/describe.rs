//! `PUT /api/users/{id}`: what describes an account.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reply;
use crate::kit::auth::Principal;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::{Json, Path};
use crate::kit::http::precondition::IfMatch;
use crate::kit::ids::UserId;
use crate::users::account::{Account, Profile};
use crate::users::api::Preferences;
use crate::users::local::LocalUsers;
use crate::users::store::Description;

/// The endpoint.
pub fn routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new().routes(routes!(describe))
}

/// What describes an account. What is left out stays; what is given takes the place of the whole member.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(clippy::option_option, reason = "what is left out stays, null takes away")]
struct DescriptionRequest {
    /// 1 to 200 characters.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    /// The http or https address of a picture, up to 2000 bytes; null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "https://example.org/ada.png")]
    avatar: Option<Option<String>>,
    /// Language (BCP 47), time zone (IANA), theme (`light`, `dark`, `system`), notifications (up to 4 KiB).
    preferences: Option<Preferences>,
    /// Bio up to 2000 characters, telephone and address up to 200, up to 20 links.
    profile: Option<Profile>,
    /// Whatever clients keep with the account: a JSON object, up to 16 KiB.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// For who looks after every institution; null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    institution: Option<Option<String>>,
}

/// Tells `null` from what is left out.
#[allow(clippy::option_option, reason = "that is what it is for")]
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Describe an account
///
/// One's own, or with `users:write` one within reach that may do no more than the caller. Role and
/// status have endpoints of their own. With `if-match` nothing is changed that somebody else has
/// changed since.
#[utoipa::path(
    put, path = "/api/users/{id}", tag = "users", operation_id = "updateUser",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("if-match" = Option<String>, Header, description = "The `etag` of the account as it was read"),
    ),
    request_body = DescriptionRequest,
    responses(
        (status = 200, description = "The account as it is now", body = Account, headers(("etag" = String, description = "For `if-match`"))),
        (status = 412, description = "It was changed since it was read", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Not changed", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["users:write"]), ("bearer" = ["users:write"]), ("apiKey" = []), ("bearer" = [])),
)]
async fn describe(
    State(users): State<LocalUsers>,
    who: Principal,
    Path(id): Path<UserId>,
    headers: HeaderMap,
    Json(request): Json<DescriptionRequest>,
) -> Result<Response, ApiError> {
    let description = Description {
        name: request.name,
        avatar: request.avatar,
        preferences: request.preferences,
        profile: request.profile,
        metadata: request.metadata,
        institution: request.institution,
    };
    users.directory.describe(&who, id, &IfMatch::of(&headers), description).await.map(reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::error::Code;
    use crate::kit::http::extract::from_json;

    #[test]
    fn null_takes_away_and_what_is_left_out_stays() {
        let request: DescriptionRequest = from_json(br#"{"avatar": null}"#).unwrap();
        assert_eq!((request.avatar, request.institution), (Some(None), None));
    }

    #[test]
    fn a_field_that_is_not_for_describing_is_refused_by_name() {
        for body in [
            r#"{"role": "admin"}"#,
            r#"{"status": "active"}"#,
            r#"{"email": "a@b.c"}"#,
            r#"{"preferences": {"role": 1}}"#,
            r#"{"profile": {"links": 7}}"#,
        ] {
            let refused = from_json::<DescriptionRequest>(body.as_bytes()).map(drop).unwrap_err();
            assert_eq!(refused.code(), Code::Invalid, "{body}");
        }
    }
}
