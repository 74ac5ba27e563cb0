//! The reply where a message may have been sent: the same whatever became of it, and when.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::users::local::LocalUsers;
use crate::users::mail::Delivery;

/// A message is on its way, if there was one to send.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentReply {
    /// Where messages go in this installation: `mail` to the person, `log` to the server's log, for
    /// development. Says nothing about whether there is an account.
    delivery: Delivery,
}

/// Answers go out on a beat of this length, counted from their request. The work is the same whether
/// there is an account or not, but a store's row more or less would still be told by enough tries.
const BEAT: Duration = Duration::from_millis(50);

/// The reply to a request that began at `begun`, on the next beat.
pub async fn reply(users: &LocalUsers, begun: Instant) -> Response {
    tokio::time::sleep_until(begun + next_beat(begun.elapsed())).await;
    let reply = SentReply { delivery: users.mail.delivery() };
    (StatusCode::ACCEPTED, axum::Json(reply)).into_response()
}

/// The first beat after `elapsed`.
fn next_beat(elapsed: Duration) -> Duration {
    let beats = elapsed.as_millis() / BEAT.as_millis() + 1;
    BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_little_longer_is_answered_at_the_same_time() {
        let millis = |elapsed| next_beat(Duration::from_millis(elapsed)).as_millis();
        assert_eq!([0, 1, 49, 50, 51, 120].map(millis), [50, 50, 50, 100, 100, 150]);
    }
}
