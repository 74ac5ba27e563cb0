//! HTTP as every role serves it: the edge that a request passes first, the extractors that turn
//! hostile bytes into types or a problem document, and the server itself.

pub mod client;
pub mod context;
pub mod edge;
pub mod extract;
pub mod idle;
pub mod observe;
pub mod page;
pub mod precondition;
pub mod prefer;
pub mod proxy_protocol;
pub mod server;
pub mod tls;
pub mod unread;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::kit::error::{ApiError, Code};

/// A module's endpoints as a role mounts them: labelled by route, bounded in body, and with a
/// problem document for paths and methods that there are not.
pub fn mount(endpoints: Router, max_body_bytes: usize) -> Router {
    endpoints
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(max_body_bytes))
        .layer(axum::middleware::from_fn(observe::label))
}

/// The answer to a path that leads nowhere.
pub async fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "no endpoint has this path; `/docs` lists them all")
}

/// The answer to a method that a path does not have.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "the path exists, but not with this method")
}
