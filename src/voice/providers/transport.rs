//! The wire: one pooled HTTP client below `async-openai`, with bounded bodies and our own errors.
//!
//! `async-openai` would retry by itself, and would log whole bodies that it cannot read. So the
//! service below it reads every body, and hands up nothing but JSON of a success.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::{HttpRequestFactory, ReqwestService};
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tower::{BoxError, Service, ServiceExt};

use super::attempt::{AttemptError, Refusal};
use super::error::ProviderError;
use super::metrics;
use super::reply::{ChatReply, Completion};
use super::retry;
use super::settings::{ProviderSettings, base_url};
use crate::kit::clock::SharedClock;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Error bodies are read up to here, in bytes; what they say is at the start.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// One request to be sent.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) model: String,
    pub(super) body: Value,
    /// The user's words, to be kept out of errors.
    pub(super) utterance: String,
    /// The time that this request has,
    pub(super) limit: Duration,
    /// and when that is over: an instant, since the clock runs before the request is on its way.
    pub(super) until: tokio::time::Instant,
}

/// The connection to one server.
pub(super) struct Transport {
    client: Client<Server>,
    service: Bounded,
    models_url: Url,
}

impl Transport {
    pub(super) fn new(settings: &ProviderSettings, clock: SharedClock) -> Result<Self, ProviderError> {
        let wrong = |reason: &str| ProviderError::Configuration(reason.to_owned());
        let url = base_url(&settings.base_url).ok_or_else(|| wrong("base_url is not a usable address"))?;
        let server = Server::new(&url, settings.api_key.as_ref())?;
        let models_url =
            Url::parse(&server.url("/models")).map_err(|_| wrong("base_url is not a usable address"))?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("voicera/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT.min(settings.attempt_timeout))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(KEEP_ALIVE)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .http2_keep_alive_timeout(KEEP_ALIVE / 4)
            // A redirect would carry the utterance to wherever the server says.
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never());
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| {
            ProviderError::Configuration(format!("the HTTP client cannot start: {}", reason(error)))
        })?;
        let service = Bounded {
            inner: ReqwestService::new(http.clone()),
            key: server.key.clone(),
            max_reply_bytes: settings.max_reply_bytes,
            clock,
        };
        let client = Client::build(http, server).with_http_service(service.clone());
        Ok(Self { client, service, models_url })
    }

    /// Asks for one completion.
    pub(super) async fn complete(&self, request: Request) -> Result<Completion, AttemptError> {
        let Request { model, body, utterance, limit, until } = request;
        let began = Instant::now();
        let result = match tokio::time::timeout_at(until, self.client.chat().create_byot(body)).await {
            Err(_) => Err(AttemptError::Timeout(limit)),
            Ok(Err(error)) => Err(match attempt_error(error) {
                AttemptError::Status(refusal) => AttemptError::Status(refusal.without(&utterance)),
                error => error,
            }),
            Ok(Ok(reply)) => {
                let reply: ChatReply = reply;
                metrics::tokens(&model, reply.usage());
                reply.completion()
            }
        };
        let outcome =
            result.as_ref().map_or_else(|error| ProviderError::from(error.clone()).code(), |_| "ok");
        metrics::call(&model, outcome, Some(began.elapsed()));
        result
    }

    /// The server's list of models, as it sends it.
    pub(super) async fn models(&self, limit: Duration) -> Result<Value, AttemptError> {
        let url = self.models_url.clone();
        let headers = self.client.config().headers();
        let request = HttpRequestFactory::new(move || {
            let mut request = reqwest::Request::new(Method::GET, url.clone());
            request.headers_mut().extend(headers.clone());
            std::future::ready(Ok(request))
        });
        let exchange = async {
            let response = self.service.clone().oneshot(request).await.map_err(boxed_attempt_error)?;
            response.json().await.map_err(|error| AttemptError::Connection(reason(error)))
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(AttemptError::Timeout(limit)))
    }
}

/// Where the server is and what it wants to see, for `async-openai`. (Its own configuration reads
/// the environment, and panics on a key that no header can carry.)
struct Server {
    base: String,
    headers: HeaderMap,
    key: SecretString,
}

impl Server {
    fn new(url: &Url, key: Option<&SecretString>) -> Result<Self, ProviderError> {
        let key = key.map(|key| key.expose_secret().trim()).unwrap_or_default();
        let mut headers = HeaderMap::new();
        if !key.is_empty() {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| {
                ProviderError::Configuration("api_key has characters that no header can carry".to_owned())
            })?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), headers, key: key.into() })
    }
}

impl Config for Server {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// Sends a request and reads its reply: JSON of a success, in bounds, or an [`AttemptError`].
#[derive(Clone)]
struct Bounded {
    inner: ReqwestService,
    key: SecretString,
    max_reply_bytes: usize,
    clock: SharedClock,
}

impl Service<HttpRequestFactory> for Bounded {
    type Response = reqwest::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<reqwest::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.exchange(request).await.map_err(BoxError::from) })
    }
}

impl Bounded {
    async fn exchange(self, request: HttpRequestFactory) -> Result<reqwest::Response, AttemptError> {
        let mut response = self.inner.oneshot(request).await.map_err(attempt_error)?;
        let status = response.status();
        if !status.is_success() {
            let retry_after = retry::retry_after(response.headers(), self.clock.now());
            let mut body = Vec::new();
            // What was read of a broken error body is still worth more than the breakage.
            let _ = read(&mut response, &mut body, MAX_ERROR_BYTES).await;
            let key = Some(self.key.expose_secret());
            return Err(AttemptError::Status(Refusal::read(status.as_u16(), retry_after, &body, key)));
        }
        let mut body = Vec::new();
        read(&mut response, &mut body, self.max_reply_bytes).await?;
        // Read as a whole value, as it will be read again above: nothing that fails there gets there.
        if serde_json::from_slice::<Value>(&body).is_err() {
            return Err(AttemptError::Unusable("the reply is not JSON".to_owned()));
        }
        Ok(http::Response::new(body).into())
    }
}

/// Reads a body to its end, up to `limit` bytes.
async fn read(
    response: &mut reqwest::Response,
    body: &mut Vec<u8>,
    limit: usize,
) -> Result<(), AttemptError> {
    while let Some(chunk) = response.chunk().await.map_err(|error| AttemptError::Connection(reason(error)))? {
        let room = limit - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() > room {
            return Err(AttemptError::TooLarge(limit));
        }
    }
    Ok(())
}

fn attempt_error(error: OpenAIError) -> AttemptError {
    match error {
        OpenAIError::Boxed(error) => boxed_attempt_error(error),
        OpenAIError::Reqwest(error) => AttemptError::Connection(reason(error)),
        // The rest quotes bodies; none of it is reachable with a body that `Bounded` let through.
        _ => AttemptError::Unusable("the reply cannot be read".to_owned()),
    }
}

fn boxed_attempt_error(error: BoxError) -> AttemptError {
    match error.downcast::<AttemptError>() {
        Ok(error) => *error,
        Err(_) => AttemptError::Unusable("the reply cannot be read".to_owned()),
    }
}

/// The innermost cause ("Connection refused"), without the address.
fn reason(error: reqwest::Error) -> String {
    let kind = if error.is_connect() { "cannot connect" } else { "the connection broke" };
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("{kind}: {cause}")
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}
