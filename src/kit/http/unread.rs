//! Notices a request body that nobody read to its end: then the connection cannot serve another
//! request, and its client is to be told.
//!
//! Told it can only be while the connection stands. A client (another role among them) writes its body
//! before it reads, and a connection closed on bytes that are on their way is reset: the answer would be
//! lost with it. So what nobody reads is taken in and thrown away, for a while.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use http::{Version, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::runtime::Handle;

/// How long, and for how many bytes, a connection stays open to a body that nobody reads.
const LINGER: Duration = Duration::from_secs(5);
const MOST: usize = 64 << 20;

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
        // HTTP/2 ends one stream without the others. Who expects a 100 has sent nothing yet.
        let lingers = request.version() < Version::HTTP_2 && !request.headers().contains_key(header::EXPECT);
        (request.map(|body| Body::new(Watched { body, read: watched, lingers })), Some(read))
    }

    /// Whether all of it was read.
    pub fn is_true(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watched {
    body: Body,
    read: ReadToEnd,
    lingers: bool,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.lingers || self.read.is_true() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LINGER, discard(std::mem::take(&mut self.body))));
        }
    }
}

/// Reads what is left of `body`; its connection's end is the end of that, too.
async fn discard(mut body: Body) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { break };
        left = rest;
    }
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
