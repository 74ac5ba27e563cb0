//! The client behind every `remote.rs`: contract calls to another role, over HTTP.
//!
//! Each call carries the service's own key, the request id, the trace and a deadline; what the peer
//! answers as a problem document becomes the same [`ApiError`] that it was there.

use std::time::Duration;

use http::{HeaderMap, HeaderName, Method, StatusCode};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kit::error::{ApiError, Code, Problem};
use crate::kit::health::{Check, Health};
use crate::kit::http::context;

/// Milliseconds that the caller will wait, on every contract call.
pub const DEADLINE: HeaderName = HeaderName::from_static("x-voicera-timeout-ms");

/// How long the caller will wait, if it says so ([`DEADLINE`]).
pub fn wanted_by(headers: &HeaderMap) -> Option<Duration> {
    headers.get(DEADLINE)?.to_str().ok()?.parse().ok().map(Duration::from_millis)
}

/// The largest answer that is read from a peer, in bytes.
const LARGEST_ANSWER: usize = 1 << 20;

/// Another role, at an address.
#[derive(Debug, Clone)]
pub struct Peer {
    name: &'static str,
    base: Url,
    key: SecretString,
    timeout: Duration,
    client: Client,
}

/// Why a peer can't be called at all.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The address is not a URL.
    #[error("`{0}` is not a URL: {1}")]
    Url(String, url::ParseError),
    /// The HTTP client can't be made.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Peer {
    /// The role `name` at `base`; each call takes at most `timeout`.
    ///
    /// # Errors
    /// [`PeerError`] when `base` is not a URL.
    pub fn new(
        name: &'static str,
        base: &str,
        key: SecretString,
        timeout: Duration,
    ) -> Result<Self, PeerError> {
        let base = Url::parse(base).map_err(|error| PeerError::Url(base.to_owned(), error))?;
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { name, base, key, timeout, client })
    }

    /// Calls `path` with a JSON body and reads a JSON answer.
    ///
    /// # Errors
    /// The peer's own [`ApiError`]; 503 when it can't be reached, 504 when it is too slow, 502 when
    /// its answer can't be read.
    pub async fn call<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Q>,
    ) -> Result<A, ApiError> {
        let (status, answer) = self.exchange(method, path, body).await?;
        if status.is_success() {
            // `204 No Content` reads as JSON's null, which is what `()` is read from.
            let answer = if answer.is_empty() { b"null".as_slice() } else { &answer };
            return serde_json::from_slice(answer).map_err(|error| self.broken(error));
        }
        match serde_json::from_slice::<Problem>(&answer) {
            Ok(problem) if problem.code == Code::Forbidden => {
                tracing::error!(
                    peer = self.name,
                    "the peer does not know this service's key (peers.service_key)"
                );
                Err(ApiError::new(Code::BadGateway, format!("the {} service refuses this one", self.name)))
            }
            Ok(problem) => Err(problem.into()),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Asks for the peer's health; one that does not answer is down.
    pub async fn health(&self) -> Health {
        // A role that is down says so with a status of its own, and which part it is.
        let answer = self.exchange::<()>(Method::GET, "/health", None).await;
        answer
            .and_then(|(_, answer)| serde_json::from_slice(&answer).map_err(|error| self.broken(error)))
            .unwrap_or_else(|error| Health::of([("reachable".to_owned(), Check::down(error.detail()))]))
    }

    async fn exchange<Q: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Q>,
    ) -> Result<(StatusCode, Vec<u8>), ApiError> {
        let url = self.base.join(path).map_err(|error| self.broken(error))?;
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(self.key.expose_secret())
            .header(DEADLINE, u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX));
        if let Some(context) = context::current() {
            request = request
                .header(context::REQUEST_ID, &context.request_id)
                .header(context::TRACEPARENT, context.trace.to_string());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if answer.len() + chunk.len() > LARGEST_ANSWER {
                return Err(self.broken(std::io::Error::other("the answer is too large")));
            }
            answer.extend_from_slice(&chunk);
        }
        Ok((status, answer))
    }

    fn unreachable(&self, error: reqwest::Error) -> ApiError {
        let code = if error.is_timeout() { Code::Timeout } else { Code::Unavailable };
        ApiError::new(code, format!("the {} service does not answer", self.name))
            .retry_after(Duration::from_secs(1))
            .because(error)
    }

    fn broken(&self, error: impl std::error::Error + Send + Sync + 'static) -> ApiError {
        ApiError::new(Code::BadGateway, format!("the {} service gave no readable answer", self.name))
            .because(error)
    }
}
