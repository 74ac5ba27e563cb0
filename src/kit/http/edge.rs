//! The first thing that a request meets in a process, and the last that its answer does.
//!
//! Gives the request its id and trace, bounds its time, turns a panic into an answer, counts it and
//! writes the access log. Stands once around everything that a role serves.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, header};
use ipnet::IpNet;
use tokio::time::Instant;
use tracing::Instrument;

use crate::kit::error::{ApiError, Code};
use crate::kit::http::client::Client;
use crate::kit::http::context::{self, REQUEST_ID, RequestContext};
use crate::kit::http::observe;
use crate::kit::http::unread::ReadToEnd;
use crate::kit::ids::Ids;
use crate::kit::peer::wanted_by;
use crate::kit::telemetry;

/// The version of the public API, on every answer.
pub const API_VERSION: HeaderName = HeaderName::from_static("api-version");

/// What the edge needs.
#[derive(Debug)]
pub struct Edge {
    /// Makes request ids.
    pub ids: Ids,
    /// The longest that a request may take, its body included.
    pub timeout: Duration,
    /// Whose word is taken for where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Counts what is answered.
    pub series: observe::Series,
}

/// The middleware; mount it with `axum::middleware::from_fn_with_state`.
pub async fn edge(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let client = Client::read(peer, request.headers(), &edge.trusted_proxies);
    let mut read = RequestContext::read(request.uri().path(), request.headers(), client, &edge.ids);
    let method = request.method().clone();
    // Of the highest level, so that no log filter takes the ids from the lines that it lets pass.
    let span = tracing::error_span!(
        "request",
        %method,
        path = %read.path,
        request_id = %read.request_id,
        trace_id = %read.trace.trace_id(),
    );
    if let Some(recorded) = telemetry::join_trace(&span, read.parent) {
        // Recording a field again has the log read and write all fields of the span: only when it
        // has changed, which is when an exporter began a trace of its own.
        if recorded.trace_id() != read.trace.trace_id() {
            span.record("trace_id", tracing::field::display(recorded.trace_id()));
        }
        read.trace = recorded;
    }
    let limit = wanted_by(request.headers()).map_or(edge.timeout, |wanted| wanted.min(edge.timeout));
    let context = Arc::new(read);
    request.extensions_mut().insert(Arc::clone(&context));
    let keeps_connections = request.version() < http::Version::HTTP_2;
    let (request, body) = ReadToEnd::watch(request);

    let answer = async {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
        let mut response = match tokio::time::timeout(limit, answered).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => panicked(panic.as_ref()).into_response(),
            Err(_) => too_late(limit, body.as_ref()).into_response(),
        };
        let headers = response.headers_mut();
        if let Some(id) = context.request_id_header() {
            headers.insert(REQUEST_ID, id);
        }
        if let Ok(trace) = HeaderValue::try_from(context.trace.to_string()) {
            headers.insert(context::TRACEPARENT, trace);
        }
        headers.insert(API_VERSION, HeaderValue::from_static("1"));
        // What is left of the body stands where the next request would begin (RFC 9112 §9.3).
        if keeps_connections && body.is_some_and(|body| !body.is_true()) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let took = started.elapsed();
        edge.series.count(&method, &response, took);
        log_access(&context, &method, response.status().as_u16(), took);
        response
    };
    context::scope(Arc::clone(&context), answer).instrument(span).await
}

/// Whose fault it is: a client's that has not sent all of its body, otherwise ours.
fn too_late(limit: Duration, body: Option<&ReadToEnd>) -> ApiError {
    let limit = limit.as_secs_f64();
    if body.is_some_and(|body| !body.is_true()) {
        return ApiError::new(Code::SlowRequest, format!("the body had not arrived after {limit} s"));
    }
    ApiError::new(Code::Timeout, format!("the request was not done within {limit} s"))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> ApiError {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    metrics::counter!("voicera_panics_total").increment(1);
    ApiError::internal(std::io::Error::other(format!("a handler panicked: {message}")))
}

/// One line a request, under the target `access`; the probes that machines repeat all day are
/// logged at `debug`.
///
/// The line is of no span: it says everything itself, and is spared what the log does to write the
/// fields of the spans around it.
fn log_access(context: &RequestContext, method: &Method, status: u16, took: Duration) {
    let RequestContext { request_id, path, trace, principal, .. } = context;
    let trace_id = tracing::field::display(trace.trace_id());
    let principal = principal.get().map(tracing::field::display);
    let ms = took.as_secs_f64() * 1e3;
    if path.starts_with("/health") || path == "/metrics" {
        tracing::debug!(target: "access", parent: None, %method, path, status, ms, request_id, trace_id);
    } else {
        tracing::info!(target: "access", parent: None, %method, path, status, ms, principal, request_id, trace_id);
    }
}
