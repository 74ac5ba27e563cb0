//! Counts and times every request by route: the rate, errors and duration that Prometheus graphs.
//!
//! The route is known deep inside, where a module's router matched it; the count is taken at the
//! edge, so that what the gateway refuses is counted too. The answer carries the one to the other.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use metrics::{Unit, describe_counter, describe_histogram};

/// The middleware for routers: notes on the answer which route gave it.
pub async fn label(request: Request, next: Next) -> Response {
    // The pattern, never the path: ids in labels would grow without bound.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

/// Counts one answer.
pub fn count(method: &Method, response: &Response, took: Duration) {
    let method = method_name(method);
    let route = response.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "unmatched".to_owned(), |matched| matched.as_str().to_owned());
    metrics::histogram!("voicera_http_request_duration_seconds", "method" => method, "route" => route.clone())
        .record(took);
    metrics::counter!(
        "voicera_http_requests_total",
        "method" => method,
        "route" => route,
        "status" => response.status().as_str().to_owned(),
    )
    .increment(1);
}

/// A client can send any word as its method; only the known ones become labels.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// Names and units for `/metrics`.
pub fn describe() {
    describe_counter!("voicera_http_requests_total", "Requests answered, by method, route and status");
    describe_histogram!(
        "voicera_http_request_duration_seconds",
        Unit::Seconds,
        "From the head of a request to the head of its answer"
    );
    describe_counter!("voicera_panics_total", "Handlers that panicked; each one is a defect");
}
