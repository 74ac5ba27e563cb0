//! Who asked: the id and the trace of the request that the current task serves.
//!
//! Set once at the edge, read wherever a log line, an error document, a queued job or a call to a
//! peer needs it, without threading it through every signature.

use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::kit::http::client::Client;
use crate::kit::ids::{Ids, UserId};

/// `x-request-id`, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `traceparent` (W3C Trace Context §3.2), in and out.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const LONGEST_REQUEST_ID: usize = 128;

tokio::task_local! {
    static CURRENT: Arc<RequestContext>;
}

/// The request that is being served.
#[derive(Debug)]
pub struct RequestContext {
    /// The client's `x-request-id` if it sent a usable one, otherwise a fresh UUID.
    pub request_id: String,
    /// The path, without the query: queries can carry what people said.
    pub path: String,
    /// Where the client says that it stands in a trace, if it does.
    pub parent: Option<TraceContext>,
    /// Where this request stands: one step further, or the start of a trace.
    pub trace: TraceContext,
    /// Where it comes from.
    pub client: Client,
    /// Who asks, once that is known; for the access log.
    pub principal: OnceLock<UserId>,
}

impl RequestContext {
    /// Reads the headers of a request; makes up what they lack.
    pub fn read(path: &str, headers: &HeaderMap, client: Client, ids: &Ids) -> Self {
        let request_id = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| !id.is_empty() && id.len() <= LONGEST_REQUEST_ID)
            .map_or_else(|| ids.fresh::<Uuid>().to_string(), str::to_owned);
        let parent =
            headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(TraceContext::parse);
        let trace = parent.map_or_else(|| TraceContext::fresh(ids), |parent| parent.child(ids));
        Self { request_id, path: path.to_owned(), parent, trace, client, principal: OnceLock::new() }
    }

    /// The request id as a header value.
    pub fn request_id_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.request_id).ok()
    }
}

/// The request that the current task serves, if it serves one.
pub fn current() -> Option<Arc<RequestContext>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Runs `future` as part of serving `context`.
pub async fn scope<F: Future>(context: Arc<RequestContext>, future: F) -> F::Output {
    CURRENT.scope(context, future).await
}

/// A position in a distributed trace, as `traceparent` carries it (version 00).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

impl TraceContext {
    /// A new trace, sampled.
    pub fn fresh(ids: &Ids) -> Self {
        Self { trace_id: ids.random_u128().max(1), span_id: ids.random_u64().max(1), flags: 1 }
    }

    /// A position that another library knows.
    pub const fn new(trace_id: u128, span_id: u64, flags: u8) -> Self {
        Self { trace_id, span_id, flags }
    }

    /// Reads a `traceparent`; `None` for one that the standard says to ignore.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let [version, trace, span, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let lower_hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let known_shape =
            lower_hex(version, 2) && lower_hex(trace, 32) && lower_hex(span, 16) && lower_hex(flags, 2);
        // Version 00 has exactly four parts; a later one may have more; ff is forbidden (§3.2.2.1).
        if !known_shape || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let trace_id = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace_id, span_id, flags: u8::from_str_radix(flags, 16).ok()? })
    }

    /// The same trace, one span further.
    #[must_use]
    pub fn child(self, ids: &Ids) -> Self {
        Self { span_id: ids.random_u64().max(1), ..self }
    }

    /// The id of the whole trace.
    pub const fn trace_id(self) -> TraceId {
        TraceId(self.trace_id)
    }

    /// The id of this step of it.
    pub const fn span_id(self) -> u64 {
        self.span_id
    }

    /// The trace flags; bit 0 says that the caller records this trace.
    pub const fn flags(self) -> u8 {
        self.flags
    }
}

/// The id of a trace; shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(pub u128);

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::fmt::Display for TraceContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_reads_back_as_it_was_written() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(text).map(|trace| trace.to_string()).as_deref(), Some(text));
    }

    #[test]
    fn broken_traceparents_are_ignored() {
        for text in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }
}
