//! Notices connections that serve nobody: no request in flight for a while.
//!
//! The HTTP library times the head of a first request, but neither a connection that never sends
//! one nor an HTTP/2 connection that stays mute. This does, the same for all.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;

/// What a connection is doing.
#[derive(Debug, Clone, Default)]
pub struct Activity(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    in_flight: AtomicUsize,
    changed: Notify,
}

impl Activity {
    /// A request has begun; it ends when the value, and the answer that it went into, are dropped.
    pub fn begin(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::AcqRel);
        self.0.changed.notify_one();
        InFlight(self.clone())
    }

    /// Resolves once no request has been in flight for `limit`.
    pub async fn idle_for(&self, limit: Duration) {
        loop {
            let changed = self.0.changed.notified();
            if self.0.in_flight.load(Ordering::Acquire) > 0 {
                changed.await;
            } else if tokio::time::timeout(limit, changed).await.is_err() {
                return;
            }
        }
    }
}

/// A request that is being served.
#[derive(Debug)]
pub struct InFlight(Activity);

impl InFlight {
    /// Stays with `response` until all of it is sent.
    pub fn until_sent(self, response: Response) -> Response {
        response.map(|body| Body::new(Sending { body, _in_flight: self }))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.0.0.changed.notify_one();
    }
}

struct Sending {
    body: Body,
    _in_flight: InFlight,
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_idle_only_when_nothing_is_in_flight() {
        let activity = Activity::default();
        let request = activity.begin();
        let mut idle = Box::pin(activity.idle_for(Duration::ZERO));
        assert!(futures_util::poll!(&mut idle).is_pending(), "a request is in flight");

        let answer = request.until_sent(Response::new(Body::from("answer")));
        assert!(futures_util::poll!(&mut idle).is_pending(), "its answer is not sent");

        drop(answer);
        tokio::time::timeout(Duration::from_secs(10), idle).await.expect("nothing is in flight");
    }
}
