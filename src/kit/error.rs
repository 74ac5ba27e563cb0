//! The closed set of errors that leave a module, and the only place that maps them to HTTP.
//!
//! What a client may read (`code`, `detail`, `errors`) is kept apart from what only the log may
//! (`source`): an [`ApiError`] built from an internal failure shows the client a fixed sentence.
//! On the wire it is a problem document, `application/problem+json` (RFC 9457).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::kit::http::context;
use crate::kit::queue::QueueError;
use crate::kit::storage::StorageError;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:ident, $title:literal;)*) => {
        /// What went wrong, as a closed list that programs can match on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of its status.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that carries the code.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The short sentence for people, the same for every occurrence (RFC 9457 §3.1.3).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The request can't be read at all: broken JSON, bad UTF-8, a broken header.
    Malformed = "malformed", BAD_REQUEST, "The request cannot be read";
    /// No credential, or one that is not valid.
    Unauthorized = "unauthorized", UNAUTHORIZED, "Authentication is needed";
    /// A valid credential that does not reach this far.
    Forbidden = "forbidden", FORBIDDEN, "The credential does not permit this";
    /// Nothing here, or nothing that this caller may know of.
    NotFound = "not_found", NOT_FOUND, "There is nothing here";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// The client took too long to send the request.
    SlowRequest = "slow_request", REQUEST_TIMEOUT, "The request came too slowly";
    /// The state of the resource does not permit the request.
    Conflict = "conflict", CONFLICT, "The request conflicts with the current state";
    /// The resource is not as the client believed (`if-match`).
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "The resource has changed in the meantime";
    /// The body is larger than the limit.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The request body is too large";
    /// The body is not of a media type that is read here.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported";
    /// The request can be read, but a field breaks a rule; `errors` says which.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "The request is not valid";
    /// Too many requests; `retry-after` says when to come back.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    /// A defect of Voicera's, or of a store; the log has the cause under the request id.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong inside";
    /// A peer answered with something unreadable.
    BadGateway = "bad_gateway", BAD_GATEWAY, "A service behind this one failed";
    /// Not now: starting, overloaded or stopping.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service is not available now";
    /// The work was not done within its deadline.
    Timeout = "timeout", GATEWAY_TIMEOUT, "The request took too long";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One broken field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where: a path into the body (`context.page`), a query parameter or a header.
    #[schema(example = "command")]
    pub field: String,
    /// What is wrong with it, and what would be right.
    #[schema(example = "must not be empty")]
    pub message: String,
}

/// An error at the edge of a module: what the caller is told, and what the log is told.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ApiError {
    code: Code,
    detail: String,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl ApiError {
    /// An error of `code`, with a `detail` that the client may read.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fields: Vec::new(), retry_after: None, source: None }
    }

    /// A defect: the client learns nothing but the request id, the log learns `source`.
    pub fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(Code::Internal, "the cause is in the server's log under this request id").because(source)
    }

    /// A request with one broken field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// A request with several broken fields.
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let detail = match fields.as_slice() {
            [only] => format!("`{}` {}", only.field, only.message),
            all => format!("{} fields are not valid", all.len()),
        };
        Self { fields, ..Self::new(Code::Invalid, detail) }
    }

    /// Nothing here by that name, for this caller.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("no such {what}"))
    }

    /// Tells the client when to come back (`retry-after`, whole seconds, rounded up).
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds what only the log may know.
    #[must_use]
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The sentence for the client.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields that are wrong.
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    /// The problem document, for the request that is being answered.
    fn problem(&self) -> Problem {
        let context = context::current();
        Problem {
            kind: format!("urn:voicera:problem:{}", self.code),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone(),
            instance: context.as_ref().map(|context| context.path.clone()),
            code: self.code,
            request_id: context.map(|context| context.request_id.clone()),
            errors: self.fields.clone(),
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        // Closed means that the process is stopping.
        if error.is_transient() || matches!(error, StorageError::Closed { .. }) {
            return Self::new(Code::Unavailable, "the store cannot take this now")
                .retry_after(Duration::from_secs(1))
                .because(error);
        }
        Self::internal(error)
    }
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Full { retry_after, .. } => {
                Self::new(Code::Unavailable, "too many commands are waiting").retry_after(retry_after)
            }
            QueueError::Storage(error) => error.into(),
            error @ (QueueError::Unreachable { .. } | QueueError::Closed) => {
                Self::new(Code::Unavailable, "the queue cannot take this now")
                    .retry_after(Duration::from_secs(1))
                    .because(error)
            }
            error @ QueueError::Refused { .. } => Self::internal(error),
        }
    }
}

impl From<Problem> for ApiError {
    /// What a peer answered, as if it had happened here.
    fn from(problem: Problem) -> Self {
        Self { fields: problem.errors, ..Self::new(problem.code, problem.detail) }
    }
}

/// A problem document as RFC 9457 §3 defines it, with the members that Voicera adds.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `urn:voicera:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:voicera:problem:invalid")]
    pub kind: String,
    /// The same sentence for every occurrence of the code.
    #[schema(example = "The request is not valid")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What happened this time.
    #[schema(example = "`command` must not be empty")]
    pub detail: String,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/api/voice/process")]
    pub instance: Option<String>,
    /// For programs.
    pub code: Code,
    /// The same id as in `x-request-id` and in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0199d4a2-6f1c-7d10-9a4e-3f2b8c0e5a11")]
    pub request_id: Option<String>,
    /// The fields that are wrong; empty for errors that are not about fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// The media type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.code.status().is_server_error() {
            let cause = self.source.as_deref().map(|source| chain(source));
            tracing::error!(code = self.code.as_str(), detail = %self.detail, cause, "request failed");
        }
        let body = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let mut response = (self.code.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"voicera\""));
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// An error with all its causes, on one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Many errors already end with their cause's text.
        if !line.ends_with(&cause_text) {
            line.push_str(": ");
            line.push_str(&cause_text);
        }
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_from_its_wire_form() {
        for code in Code::ALL {
            let wire = serde_json::to_string(code).unwrap();
            assert_eq!(wire, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<Code>(&wire).unwrap(), *code);
        }
    }

    #[test]
    fn an_internal_cause_never_reaches_the_client() {
        let error = ApiError::internal(std::io::Error::other("password=hunter2"));
        let body = serde_json::to_string(&error.problem()).unwrap();
        assert!(!body.contains("hunter2"));
        assert_eq!(error.into_response().status(), 500);
    }

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        let response =
            ApiError::new(Code::Unavailable, "full").retry_after(Duration::from_millis(1200)).into_response();
        assert_eq!(response.headers()["retry-after"], "2");
    }
}
