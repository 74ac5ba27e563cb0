//! The reply where a message may have been sent: the same whatever became of it, and when.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::users::local::LocalUsers;
use crate::users::local::access::beat;
use crate::users::local::access::mail::Delivery;

/// A message is on its way, if there was one to send.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentReply {
    /// Where messages go in this installation: `mail` to the person, `log` to the server's log, for
    /// development. Says nothing about whether there is an account.
    delivery: Delivery,
}

/// The reply to a request that began at `begun`, on the next beat.
pub async fn reply(users: &LocalUsers, begun: Instant) -> Response {
    beat::next(begun).await;
    let reply = SentReply { delivery: users.mail.delivery() };
    (StatusCode::ACCEPTED, axum::Json(reply)).into_response()
}
