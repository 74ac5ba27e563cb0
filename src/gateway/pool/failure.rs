//! Why a request has no answer, for those who decide what comes next and for the client.

use std::io;
use std::time::Duration;

use http_body_util::LengthLimitError;

use crate::kit::error::{ApiError, Code};

/// Why a request, or one try of it, has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The request is for a tunnel (`CONNECT`).
    Tunnel,
    /// More requests are in flight than may be.
    Full,
    /// The breaker is open, for so long.
    Open(Duration),
    /// There is no endpoint.
    Nobody,
    /// No connection was made: nothing was sent.
    Unconnected(io::Error),
    /// The connection broke, or what came back was no HTTP.
    Interrupted(hyper::Error),
    /// It went over to a protocol that nobody had asked for.
    Switched,
    /// The client sent more than the gateway passes on.
    TooLarge,
    /// The client's body ended in an error.
    BrokenBody(hyper::Error),
    /// Nothing came back in time.
    Late,
}

impl Failure {
    /// What `error` says of a request that was sent.
    pub(super) fn sent(error: hyper::Error) -> Self {
        if is_too_large(&error) {
            Self::TooLarge
        } else if error.is_user() {
            Self::BrokenBody(error)
        } else {
            Self::Interrupted(error)
        }
    }

    /// Whether the upstream is to blame.
    pub(super) fn is_of_the_upstream(&self) -> bool {
        match self {
            Self::Unconnected(_) | Self::Interrupted(_) | Self::Switched | Self::Late => true,
            Self::Tunnel
            | Self::Full
            | Self::Open(_)
            | Self::Nobody
            | Self::TooLarge
            | Self::BrokenBody(_) => false,
        }
    }
}

/// Whether the request's own body ended the exchange, by being longer than it may.
fn is_too_large(error: &hyper::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        const SOON: Duration = Duration::from_secs(1);
        let no_answer = "the service behind this path does not answer";
        match failure {
            Failure::Tunnel => Self::new(Code::MethodNotAllowed, "this server is no way to others"),
            Failure::Full => Self::new(Code::Unavailable, "the service behind this path has too much to do")
                .retry_after(SOON),
            Failure::Open(wait) => Self::new(
                Code::Unavailable,
                "the service behind this path fails, and is left alone for a while",
            )
            .retry_after(wait),
            Failure::Nobody => {
                Self::new(Code::Unavailable, "no service is behind this path").retry_after(SOON)
            }
            Failure::Unconnected(error) => {
                Self::new(Code::Unavailable, no_answer).retry_after(SOON).because(error)
            }
            Failure::Interrupted(error) => {
                Self::new(Code::BadGateway, no_answer).retry_after(SOON).because(error)
            }
            Failure::Switched => Self::new(Code::BadGateway, no_answer)
                .because(io::Error::other("101 Switching Protocols, which the request did not ask for")),
            Failure::TooLarge => {
                Self::new(Code::PayloadTooLarge, "the body is larger than this server reads")
            }
            Failure::BrokenBody(error) => {
                Self::new(Code::Malformed, "the body ended in an error").because(error)
            }
            Failure::Late => Self::new(Code::Timeout, "the service behind this path is too slow"),
        }
    }
}
