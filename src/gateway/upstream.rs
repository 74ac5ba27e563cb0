//! Who answers a request: a module in this process, or a role at another address.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::ServiceExt as _;

use crate::kit::error::{ApiError, Code};
use crate::kit::http::client::FORWARDED_FOR;
use crate::kit::http::context;

/// Who answers.
#[derive(Debug, Clone)]
pub struct Upstream(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Local(Router),
    Remote(Box<Remote>),
}

#[derive(Debug, Clone)]
struct Remote {
    authority: Authority,
    timeout: Duration,
    client: Client<HttpConnector, Body>,
}

/// An address that no request can be sent to.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an http:// address of a host")]
pub struct BadAddress(String);

/// Headers that belong to one connection (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl Upstream {
    /// The endpoints themselves, called without a socket.
    pub fn local(endpoints: Router) -> Self {
        Self(Kind::Local(endpoints))
    }

    /// The role at `base`, `http://host:port`; an answer has to begin within `timeout`.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn remote(base: &str, timeout: Duration) -> Result<Self, BadAddress> {
        let bad = || BadAddress(base.to_owned());
        let uri: Uri = base.parse().map_err(|_| bad())?;
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.path() == "/";
        let authority = uri.authority().filter(|_| plain).cloned().ok_or_else(bad)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(2).min(timeout)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Ok(Self(Kind::Remote(Box::new(Remote { authority, timeout, client }))))
    }

    /// Has `request` answered.
    pub async fn call(&self, request: Request) -> Response {
        match &self.0 {
            // A router's error type has no values.
            Kind::Local(endpoints) => {
                endpoints.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
            }
            Kind::Remote(remote) => remote.call(request).await.unwrap_or_else(IntoResponse::into_response),
        }
    }
}

impl Remote {
    async fn call(&self, mut request: Request) -> Result<Response, ApiError> {
        let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(ApiError::internal)?;
        *request.version_mut() = http::Version::HTTP_11;
        let headers = request.headers_mut();
        strip_hop_by_hop(headers);
        headers.remove(header::HOST);
        if let Some(context) = context::current() {
            // What the client itself said there has been looked at already.
            headers.remove(FORWARDED_FOR);
            if let Some(address) = context.client.address.and_then(|ip| ip.to_string().try_into().ok()) {
                headers.insert(FORWARDED_FOR, address);
            }
            if let Some(id) = context.request_id_header() {
                headers.insert(context::REQUEST_ID, id);
            }
            if let Ok(trace) = HeaderValue::try_from(context.trace.to_string()) {
                headers.insert(context::TRACEPARENT, trace);
            }
        }
        let answer = tokio::time::timeout(self.timeout, self.client.request(request)).await;
        let answer =
            answer.map_err(|_| ApiError::new(Code::Timeout, "the service behind this path is too slow"))?;
        let mut answer = answer.map_err(|error| {
            let code = if error.is_connect() { Code::Unavailable } else { Code::BadGateway };
            ApiError::new(code, "the service behind this path does not answer")
                .retry_after(Duration::from_secs(1))
                .because(error)
        })?;
        strip_hop_by_hop(answer.headers_mut());
        Ok(answer.map(Body::new))
    }
}

/// Removes what belongs to the connection alone, and what `connection` says does.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_connection_go_no_further() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, x-mine"), ("x-mine", "1"), ("te", "trailers"), ("x-other", "2")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), ["2"]);
    }

    #[test]
    fn only_a_plain_address_is_an_upstream() {
        let timeout = Duration::from_secs(1);
        assert!(Upstream::remote("http://127.0.0.1:3001", timeout).is_ok());
        for base in ["127.0.0.1:3001", "https://x", "http://x/path", "ftp://x", ""] {
            assert!(Upstream::remote(base, timeout).is_err(), "{base}");
        }
    }
}
