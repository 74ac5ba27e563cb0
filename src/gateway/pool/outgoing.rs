//! A request on its way to an endpoint, and how much of it is left for another try.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request};
use http_body::{Body as _, Frame, SizeHint};

use crate::kit::http::prefer::IDEMPOTENCY_KEY;

/// A request that is sent once or, where that cannot do harm, again.
pub(super) struct Sending {
    /// What the next try sends; a copy of it where yet another may follow.
    request: Option<Request<Outgoing>>,
    kept: Option<Kept>,
    repeatable: bool,
    upgrades: bool,
}

impl Sending {
    /// `head` with `body`. It can be sent again after it may have been acted on if it means the same twice
    /// (RFC 9110 §9.2.2), or if its sender named it so that it is acted on once.
    pub(super) fn new(head: Parts, body: Body) -> Self {
        let repeatable = head.method.is_idempotent() || head.headers.contains_key(IDEMPOTENCY_KEY);
        let (body, kept) = if body.is_end_stream() {
            (Outgoing::Empty, None)
        } else if repeatable {
            (Outgoing::Empty, Some(Kept(Arc::new(Mutex::new(Some(body))))))
        } else {
            (Outgoing::Whole(body), None)
        };
        let mut request = Request::new(body);
        *request.method_mut() = head.method;
        *request.uri_mut() = head.uri;
        *request.headers_mut() = head.headers;
        Self { request: Some(request), kept, repeatable, upgrades: false }
    }

    /// It asks for another protocol on the same connection.
    pub(super) fn upgrading(self) -> Self {
        Self { upgrades: true, ..self }
    }

    pub(super) fn upgrades(&self) -> bool {
        self.upgrades
    }

    /// The same once more, to be sent beside it; `None` if it is not of a kind that may be.
    pub(super) fn twin(&self) -> Option<Self> {
        let request = self.request.as_ref()?;
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let bare = self.kept.is_none() && matches!(request.body(), Outgoing::Empty);
        (reads && bare && !self.upgrades).then(|| Self {
            request: Some(copy(request)),
            kept: None,
            repeatable: true,
            upgrades: false,
        })
    }

    /// The request for a try, after which there may be another unless it is the `last`. `None` when what
    /// is left is not whole: a try has begun to read the body, or it was sent and may not be again.
    pub(super) fn take(&mut self, last: bool) -> Option<Request<Outgoing>> {
        let mut request = match &self.request {
            Some(request) if self.repeatable && !last => copy(request),
            _ => self.request.take()?,
        };
        if let Some(kept) = &self.kept {
            *request.body_mut() = Outgoing::Lent(kept.lend()?);
        }
        Some(request)
    }

    /// What was taken for a try comes back unsent.
    pub(super) fn put_back(&mut self, request: Request<Outgoing>) {
        self.request.get_or_insert(request);
    }

    /// Whether another try can be made after one that may have been acted on.
    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable && self.is_whole()
    }

    /// Whether there is something to be sent.
    pub(super) fn is_whole(&self) -> bool {
        self.request.is_some() && self.kept.as_ref().is_none_or(Kept::is_whole)
    }
}

fn copy(request: &Request<Outgoing>) -> Request<Outgoing> {
    let mut copy = Request::new(Outgoing::Empty);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}

/// The body of one try.
pub(super) enum Outgoing {
    Empty,
    Whole(Body),
    Lent(Lent),
}

/// A body that stays here until a try reads it.
struct Kept(Arc<Mutex<Option<Body>>>);

impl Kept {
    fn lend(&self) -> Option<Lent> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = slot.as_ref()?.size_hint();
        Some(Lent { slot: Arc::clone(&self.0), size, body: None })
    }

    fn is_whole(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// Takes the body out of the keeper's hands with the first read.
pub(super) struct Lent {
    slot: Arc<Mutex<Option<Body>>>,
    size: SizeHint,
    body: Option<Body>,
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let body = match self.get_mut() {
            Self::Empty => return Poll::Ready(None),
            Self::Whole(body) => body,
            Self::Lent(lent) => {
                if lent.body.is_none() {
                    lent.body = lent.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                }
                let Some(body) = &mut lent.body else { return Poll::Ready(None) };
                body
            }
        };
        Pin::new(body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(body) => body.is_end_stream(),
            Self::Lent(lent) => lent.body.as_ref().is_some_and(http_body::Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(body) => body.size_hint(),
            Self::Lent(lent) => lent.body.as_ref().map_or_else(|| lent.size, http_body::Body::size_hint),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sending(method: Method, body: &'static str) -> Sending {
        let (head, body) = Request::builder().method(method).body(Body::from(body)).unwrap().into_parts();
        Sending::new(head, body)
    }

    #[tokio::test]
    async fn a_body_comes_back_until_it_is_read() {
        let mut put = sending(Method::PUT, "hello");
        drop(put.take(false).unwrap());
        let again = put.take(false).unwrap();
        assert_eq!(again.body().size_hint().exact(), Some(5));
        assert!(put.is_repeatable());
        let read = axum::body::to_bytes(Body::new(again.into_body()), 9).await.unwrap();
        assert_eq!(read, "hello");
        assert!(!put.is_repeatable());
        assert!(put.take(false).is_none());
    }

    #[test]
    fn an_empty_body_is_never_used_up() {
        let mut get = sending(Method::GET, "");
        assert!(get.take(false).unwrap().body().is_end_stream());
        assert!(get.is_repeatable());
        get.take(true).unwrap();
        assert!(!get.is_whole(), "what is sent for the last time is not copied");
    }

    #[test]
    fn what_means_something_else_twice_is_sent_once_unless_it_comes_back() {
        let mut post = sending(Method::POST, "once");
        let sent = post.take(false).unwrap();
        assert!(!post.is_whole());
        post.put_back(sent);
        assert!(post.is_whole() && !post.is_repeatable());
    }

    #[test]
    fn only_reading_without_a_body_is_done_twice_at_once() {
        assert!(sending(Method::GET, "").twin().is_some());
        assert!(sending(Method::GET, "body").twin().is_none());
        assert!(sending(Method::DELETE, "").twin().is_none());
    }
}
