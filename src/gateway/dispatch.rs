//! A request's way through the gateway.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{Uri, header};
use http_body_util::Limited;

use crate::gateway::routes::{Route, Routes, unversioned};
use crate::kit::auth::{Authenticator, identify};
use crate::kit::error::{ApiError, Code};
use crate::kit::http::{not_found, observe};

/// The gateway over its routes.
#[derive(Debug)]
pub struct Gateway {
    /// Which path leads where.
    pub routes: Routes,
    /// Who can tell callers by their credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// The largest request body, in bytes.
    pub max_body_bytes: u64,
}

impl Gateway {
    /// Everything that the routes cover; a problem document for the rest.
    pub fn router(self) -> Router {
        Router::new().fallback(dispatch).with_state(Arc::new(self))
    }
}

async fn dispatch(State(gateway): State<Arc<Gateway>>, mut request: Request) -> Response {
    if let Some(uri) = current_version(request.uri()) {
        *request.uri_mut() = uri;
    }
    let Some(route) = gateway.routes.find(request.uri().path()) else {
        return not_found().await.into_response();
    };
    let mut response = gateway.forward(route, request).await.unwrap_or_else(IntoResponse::into_response);
    // A module in this process says more exactly which of its routes answered.
    if response.extensions().get::<observe::Route>().is_none() {
        response.extensions_mut().insert(observe::Route::Below(route.prefix));
    }
    response
}

impl Gateway {
    async fn forward(&self, route: &Route, mut request: Request) -> Result<Response, ApiError> {
        if !route.open {
            identify(self.authenticator.as_ref(), &mut request).await?;
        }
        // A body whose length is announced is refused unread; the others are cut off.
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.max_body_bytes) {
            return Err(ApiError::new(
                Code::PayloadTooLarge,
                format!("the body is larger than {} bytes", self.max_body_bytes),
            ));
        }
        let most = usize::try_from(self.max_body_bytes).unwrap_or(usize::MAX);
        Ok(route.upstream.call(request.map(|body| Body::new(Limited::new(body, most)))).await)
    }
}

/// The address without its version, if it has one.
fn current_version(uri: &Uri) -> Option<Uri> {
    let path = unversioned(uri.path());
    if path == uri.path() {
        return None;
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}
