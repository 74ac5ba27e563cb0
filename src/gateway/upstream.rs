//! Who answers a request: a module in this process, or servers at other addresses.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

use crate::gateway::pool::{Answered, CallOptions, Pool};
use crate::kit::error::{ApiError, Code};

/// Who answers.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// The endpoints themselves, called without a socket.
    Local(Arc<str>, Router),
    /// Servers that answer alike.
    Remote(Arc<Pool>),
}

impl Upstream {
    /// A module in this process.
    pub fn local(name: &str, endpoints: Router) -> Self {
        Self::Local(name.into(), endpoints)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Local(name, _) => name,
            Self::Remote(pool) => &pool.options().name,
        }
    }

    /// Has `request` answered.
    pub async fn call(&self, request: Request, options: &CallOptions) -> Response {
        let (name, endpoints) = match self {
            Self::Local(name, endpoints) => (name, endpoints),
            Self::Remote(pool) => return pool.call(request, options).await,
        };
        let begun = Instant::now();
        let answer = endpoints.clone().oneshot(request);
        let answer = match options.timeout {
            Some(limit) => timeout(limit, answer).await.unwrap_or_else(|_| {
                let detail = format!("the request was not done within {} s", limit.as_secs_f64());
                Ok(ApiError::new(Code::Timeout, detail).into_response())
            }),
            None => answer.await,
        };
        // A router's error type has no values.
        let mut answer = answer.unwrap_or_else(|never| match never {});
        let answered =
            Answered { upstream: Arc::clone(name), endpoint: None, tries: 1, took: begun.elapsed() };
        answer.extensions_mut().insert(answered);
        answer
    }
}
