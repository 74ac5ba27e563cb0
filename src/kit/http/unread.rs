//! Notices a request body that nobody read to its end: then the connection cannot serve another
//! request, and its client is to be told.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use http_body::{Body as _, Frame, SizeHint};

/// Whether a body was read to its end.
#[derive(Debug, Clone)]
pub struct ReadToEnd(Arc<AtomicBool>);

impl ReadToEnd {
    /// Watches the body of `request`; `None` if it has none.
    pub fn watch(request: Request) -> (Request, Option<Self>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let read = Self(Arc::default());
        let watched = read.clone();
        (request.map(|body| Body::new(Watched { body, read: watched })), Some(read))
    }

    /// Whether all of it was read.
    pub fn is_true(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watched {
    body: Body,
    read: ReadToEnd,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.read.0.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
