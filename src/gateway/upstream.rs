//! Who answers a request: a module in this process, or a role at other addresses.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::ServiceExt as _;

use crate::gateway::pool::{CallOptions, Pool};

/// Who answers.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// The endpoints themselves, called without a socket.
    Local(Router),
    /// A role at one or more addresses.
    Remote(Arc<Pool>),
}

impl Upstream {
    /// Has `request` answered.
    pub async fn call(&self, request: Request) -> Response {
        match self {
            // A router's error type has no values.
            Self::Local(endpoints) => {
                endpoints.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
            }
            Self::Remote(pool) => pool.call(request, &CallOptions::default()).await,
        }
    }
}
