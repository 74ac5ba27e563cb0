//! An answer's body on its way to the client: piece by piece, none of it kept.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::connections::Wire;
use super::endpoint::Endpoint;
use super::fleet::Fleet;
use super::places::Place;

/// Whose body it is, and who is told how it ends.
pub(super) struct Source {
    pub(super) wire: Option<Box<Wire>>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) _place: Place,
    /// The longest between two pieces.
    pub(super) idle: Duration,
}

/// Whether an answer has no body whatever its head says (RFC 9110 §6.4.1).
pub(super) fn has_no_body(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Whether an answer is meant to stay open.
pub(super) fn stays_open(headers: &HeaderMap) -> bool {
    const EVENTS: &[u8] = b"text/event-stream";
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.and_then(|kind| kind.get(..EVENTS.len())).is_some_and(|kind| kind.eq_ignore_ascii_case(EVENTS))
}

/// An answer's body, which drives its connection as it is read.
pub(super) struct Answer {
    incoming: Incoming,
    source: Source,
    timer: Option<Pin<Box<Sleep>>>,
    /// When the next piece has to be here, while it is waited for.
    due: Option<Instant>,
}

impl Answer {
    /// The body of an answer to `method` with `status`.
    pub(super) fn body(incoming: Incoming, mut source: Source, method: &Method, status: StatusCode) -> Body {
        if !has_no_body(method, status) && !incoming.is_end_stream() {
            return Body::new(Self { incoming, source, timer: None, due: None });
        }
        if let Some(wire) = source.wire.take() {
            source.endpoint.connections.give_back(wire);
        }
        if has_no_body(method, status) { Body::new(Unsaid) } else { Body::empty() }
    }

    fn passed(
        &mut self,
        frame: Option<Result<Frame<Bytes>, hyper::Error>>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.due = None;
        let frame = match frame {
            Some(Err(error)) => return self.broken(error),
            Some(Ok(frame)) => Some(Ok(frame)),
            None => None,
        };
        if frame.is_none() || self.incoming.is_end_stream() {
            self.settle();
        }
        Poll::Ready(frame)
    }

    fn broken(
        &mut self,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Source { wire, endpoint, fleet, .. } = &mut self.source;
        *wire = None;
        fleet.failed(endpoint);
        tracing::warn!(endpoint = %endpoint.address, %error, "an answer broke off");
        Poll::Ready(Some(Err(axum::Error::new(error))))
    }

    /// The connection is free for others, if the exchange is over.
    fn settle(&mut self) {
        if let Some(wire) = self.source.wire.take() {
            self.source.endpoint.connections.give_back(wire);
        }
    }

    /// Waits for the next piece; ready when it should have been here.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let due = *self.due.get_or_insert_with(|| Instant::now() + self.source.idle);
        // The timer of an earlier wait is kept: it fires too early at worst.
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= due {
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let mut blind = Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(&mut blind) {
            return this.passed(frame);
        }
        // First as if nobody had to be woken: as a rule the next piece is here.
        for wakes in [false, true] {
            if let Some(wire) = &mut this.source.wire {
                wire.drive(if wakes { cx } else { &mut blind });
            }
            if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(&mut blind) {
                return this.passed(frame);
            }
        }
        if this.source.wire.as_ref().is_none_or(|wire| wire.has_ended()) {
            return this.broken(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        ready!(this.poll_late(cx));
        this.broken(io::Error::from(io::ErrorKind::TimedOut))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.settle();
    }
}

/// No body, of which nobody says how long it would be: a server must not add a length of 0.
struct Unsaid;

impl http_body::Body for Unsaid {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}
