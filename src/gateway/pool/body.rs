//! A request body that is whole again when a try has not begun to read it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Keeps a body between tries.
#[derive(Debug)]
pub(super) struct Keeper(Arc<Mutex<Option<Body>>>);

impl Keeper {
    pub(super) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    /// The body for one try; `None` once a try has begun to read it.
    pub(super) fn lend(&self) -> Option<Body> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let body = slot.as_ref()?;
        let (size, ended) = (http_body::Body::size_hint(body), http_body::Body::is_end_stream(body));
        drop(slot);
        Some(Body::new(Lent { slot: Arc::clone(&self.0), size, ended, body: None }))
    }
}

/// Takes the body out of the keeper's hands with the first read.
struct Lent {
    slot: Arc<Mutex<Option<Body>>>,
    size: SizeHint,
    ended: bool,
    body: Option<Body>,
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.body.is_none() {
            let kept = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.body = kept;
        }
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().map_or(self.ended, http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| self.size, http_body::Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_comes_back_until_it_is_read() {
        let keeper = Keeper::new(Body::from("hello"));
        drop(keeper.lend().unwrap());
        let again = keeper.lend().unwrap();
        assert_eq!(http_body::Body::size_hint(&again).exact(), Some(5));
        assert_eq!(axum::body::to_bytes(again, 9).await.unwrap(), "hello");
        assert!(keeper.lend().is_none());
    }

    #[tokio::test]
    async fn an_empty_body_is_never_used_up() {
        let keeper = Keeper::new(Body::empty());
        assert!(http_body::Body::is_end_stream(&keeper.lend().unwrap()));
        assert!(keeper.lend().is_some());
    }
}
