//! Counts and times every request by route: the rate, errors and duration that Prometheus graphs.
//!
//! The route is known deep inside, where a module's router matched it; the count is taken at the
//! edge, so that what the gateway refuses is counted too. The answer carries the one to the other.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};
use metrics::{Counter, Histogram, Unit, describe_counter, describe_histogram};

/// Which route gave an answer, as the answer carries it.
#[derive(Debug, Clone)]
pub enum Route {
    /// A pattern of a router in this process.
    Matched(MatchedPath),
    /// A route of the gateway, by name, that is answered elsewhere.
    Below(Arc<str>),
}

impl Route {
    fn as_str(&self) -> &str {
        match self {
            Self::Matched(pattern) => pattern.as_str(),
            Self::Below(name) => name,
        }
    }
}

/// The middleware for routers: notes on the answer which route gave it.
pub async fn label(request: Request, next: Next) -> Response {
    // The pattern, never the path: ids in labels would grow without bound.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(Route::Matched(route));
    }
    response
}

/// Counts answers. Looks each series up once: the recorder hashes and compares every label of what
/// it is asked for. There are as many as routes, known methods and statuses.
#[derive(Debug, Default)]
pub struct Series(RwLock<HashMap<String, Vec<Answers>>>);

/// The answers of one route to one method with one status.
#[derive(Debug, Clone)]
struct Answers {
    method: &'static str,
    status: StatusCode,
    count: Counter,
    duration: Histogram,
}

impl Series {
    /// Counts one answer.
    pub fn count(&self, method: &Method, response: &Response, took: Duration) {
        let (method, status) = (method_name(method), response.status());
        let route = response.extensions().get::<Route>().map_or("unmatched", Route::as_str);
        let answers = self.known(method, route, status).unwrap_or_else(|| {
            let answers = Answers::of(method, route, status);
            let mut series = self.0.write().unwrap_or_else(PoisonError::into_inner);
            series.entry(route.to_owned()).or_default().push(answers.clone());
            answers
        });
        answers.duration.record(took);
        answers.count.increment(1);
    }

    fn known(&self, method: &'static str, route: &str, status: StatusCode) -> Option<Answers> {
        let series = self.0.read().unwrap_or_else(PoisonError::into_inner);
        series.get(route)?.iter().find(|known| known.method == method && known.status == status).cloned()
    }
}

impl Answers {
    fn of(method: &'static str, route: &str, status: StatusCode) -> Self {
        let route = route.to_owned();
        let duration = metrics::histogram!(
            "voicera_http_request_duration_seconds",
            "method" => method,
            "route" => route.clone(),
        );
        let count = metrics::counter!(
            "voicera_http_requests_total",
            "method" => method,
            "route" => route,
            "status" => status.as_str().to_owned(),
        );
        Self { method, status, count, duration }
    }
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
