//! A request body that is read no further than it may be long.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Told when a body was too long.
#[derive(Debug, Clone, Default)]
pub(super) struct Exceeded(Arc<AtomicBool>);

impl Exceeded {
    /// Whether it was.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// `body`, which ends with an error after `most` bytes, and whether it did.
pub(super) fn bounded(body: Body, most: u64) -> (Body, Exceeded) {
    let exceeded = Exceeded::default();
    (Body::new(Bounded { body, left: most, exceeded: exceeded.clone() }), exceeded)
}

struct Bounded {
    body: Body,
    left: u64,
    exceeded: Exceeded,
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(left) = self.left.checked_sub(length) else {
                self.exceeded.0.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(axum::Error::new("the body is too large"))));
            };
            self.left = left;
        }
        polled
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
    async fn a_body_ends_with_an_error_where_it_is_too_long() {
        for (most, fits) in [(5, true), (4, false)] {
            let (body, exceeded) = bounded(Body::from("hello"), most);
            assert_eq!(axum::body::to_bytes(body, 100).await.is_ok(), fits);
            assert_eq!(exceeded.is_set(), !fits);
        }
    }
}
