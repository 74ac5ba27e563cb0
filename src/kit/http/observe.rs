//! Counts and times every request by route: the rate, errors and duration that Prometheus graphs.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use metrics::{Unit, describe_counter, describe_histogram};
use tokio::time::Instant;

/// The middleware; lay it on the router that knows the routes.
pub async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_name(request.method());
    // The pattern, never the path: ids in labels would grow without bound.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.map_or_else(|| "unmatched".to_owned(), |matched| matched.as_str().to_owned());
    metrics::histogram!("voicera_http_request_duration_seconds", "method" => method, "route" => route.clone())
        .record(started.elapsed());
    metrics::counter!(
        "voicera_http_requests_total",
        "method" => method,
        "route" => route,
        "status" => response.status().as_str().to_owned(),
    )
    .increment(1);
    response
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
        "From the routing of a request to the head of its answer"
    );
    describe_counter!("voicera_panics_total", "Handlers that panicked; each one is a defect");
}
