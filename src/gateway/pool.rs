//! Several addresses that answer alike, as one upstream.
//!
//! - A request goes to the cheaper of two endpoints drawn at random, by what each costs: nearly as good as
//!   asking for the cheapest, without everybody running to the same one.
//! - An endpoint that does not take connections, or whose `/health/ready` says so, is left out until it
//!   is ready again. When none is ready all are tried: a wrong probe must not turn everybody away.
//! - What failed is tried at another endpoint if that cannot do harm: a connection that was never made
//!   carried nothing; anything else is repeated only where repeating is part of the request's meaning, its
//!   body has not been read, and the retry budget allows it.

mod body;
mod endpoint;
mod load;
mod options;
mod state;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, Method, Uri};
use http_body_util::LengthLimitError;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use metrics::Counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use endpoint::BadAddress;
pub use options::{BreakerOptions, CallOptions, Discovery, Ejection, HealthCheck, PoolOptions};
pub use state::{BreakerState, EndpointState, NameState, PoolState};

use crate::gateway::headers;
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::http::prefer::IDEMPOTENCY_KEY;
use crate::kit::ids::Entropy;
use crate::kit::retry::RetryBudget;
use body::Keeper;
use endpoint::Endpoint;

const READY: &str = "voicera_gateway_endpoint_ready";
const RETRIES: &str = "voicera_gateway_retries_total";

/// A connection idle for longer is not used again. Shorter than a role keeps an idle connection open
/// (`server.header_timeout`): otherwise requests would be sent just as it closes.
const KEEP_IDLE: Duration = Duration::from_secs(5);

/// Names for the recorder; call once it is installed.
pub fn describe() {
    metrics::describe_gauge!(READY, "Whether an endpoint takes requests");
    metrics::describe_counter!(RETRIES, "Requests that were sent to another endpoint, by what went wrong");
}

/// Endpoints that answer alike.
#[derive(Debug)]
pub struct Pool {
    name: Arc<str>,
    endpoints: Vec<Endpoint>,
    options: PoolOptions,
    client: Client<HttpConnector, Body>,
    budget: RetryBudget,
    clock: SharedClock,
    entropy: Entropy,
    unconnected: Counter,
    interrupted: Counter,
}

/// What it took to answer a request; in the extensions of every answer of [`Pool::call`].
#[derive(Debug, Clone)]
pub struct Answered {
    /// The upstream's name.
    pub upstream: Arc<str>,
    /// The address that answered, or was asked last; `None` if none was asked.
    pub endpoint: Option<Arc<str>>,
    /// How many times an endpoint was asked.
    pub tries: u32,
    /// From the request's arrival to the beginning of the answer.
    pub took: Duration,
}

/// Why a try has no answer.
enum Failure {
    /// No connection was made: nothing was sent.
    Unconnected(Error),
    /// The connection broke, or what came back was no HTTP.
    Interrupted(Error),
    /// The client sent more than the gateway passes on.
    TooLarge,
    /// Nothing came back in time.
    Late,
}

impl Pool {
    /// The upstream that `options` describe.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn new(options: PoolOptions, clock: SharedClock, entropy: Entropy) -> Result<Self, BadAddress> {
        let name: Arc<str> = options.name.as_str().into();
        let endpoints =
            options.addresses.iter().map(|base| Endpoint::new(&name, base)).collect::<Result<_, _>>()?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(options.connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_IDLE)
            .build(connector);
        let retries = |reason: &'static str| metrics::counter!(RETRIES, "upstream" => name.to_string(), "reason" => reason);
        Ok(Self {
            endpoints,
            client,
            budget: RetryBudget::new(options.retry_ratio, clock.now()),
            clock,
            entropy,
            unconnected: retries("unconnected"),
            interrupted: retries("interrupted"),
            name,
            options,
        })
    }

    /// What it was made of.
    pub fn options(&self) -> &PoolOptions {
        &self.options
    }

    /// Has `request` answered by one of the endpoints; a problem document says why by none: 503 when
    /// there is no connection to any, 502 when a connection broke, 504 when it took too long.
    /// [`Answered`] is in the answer's extensions.
    pub async fn call(&self, request: Request, options: &CallOptions) -> Response {
        let began = Instant::now();
        let mut tried = Vec::new();
        let answer = self.answer(request, options, began, &mut tried).await;
        let mut answer = answer.unwrap_or_else(IntoResponse::into_response);
        answer.extensions_mut().insert(Answered {
            upstream: Arc::clone(&self.name),
            endpoint: tried.last().map(|index| self.endpoints[*index].authority.as_str().into()),
            tries: u32::try_from(tried.len()).unwrap_or(u32::MAX),
            took: began.elapsed(),
        });
        answer
    }

    async fn answer(
        &self,
        request: Request,
        options: &CallOptions,
        began: Instant,
        tried: &mut Vec<usize>,
    ) -> Result<Response, ApiError> {
        let deadline = began + options.timeout.unwrap_or(self.options.timeout);
        let (mut head, body) = request.into_parts();
        headers::for_upstream(&mut head.headers);
        let body = Keeper::new(body);
        self.budget.call_began();
        loop {
            let (Some(index), Some(lent)) = (self.pick(tried), body.lend()) else {
                return Err(ApiError::new(Code::Unavailable, "no service is behind this path"));
            };
            tried.push(index);
            let failure = match self.send(&self.endpoints[index], &head, lent, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let more = tried.len() < self.endpoints.len() && body.lend().is_some();
            if !more || !self.may_repeat(&failure, &head) {
                return Err(failure.into());
            }
        }
    }

    /// The cheaper of two endpoints drawn at random from those that are ready, or else from all; none
    /// that was `tried`.
    fn pick(&self, tried: &[usize]) -> Option<usize> {
        let left = |ready: bool| {
            let ready = move |endpoint: &Endpoint| !ready || endpoint.is_ready();
            let all = self.endpoints.iter().enumerate();
            all.filter(move |(index, endpoint)| ready(endpoint) && !tried.contains(index))
                .map(|(index, _)| index)
        };
        let candidates: Vec<usize> = left(true).collect();
        let candidates = if candidates.is_empty() { left(false).collect() } else { candidates };
        let &[one, ref others @ ..] = candidates.as_slice() else { return None };
        if others.is_empty() {
            return Some(one);
        }
        let first = self.draw(candidates.len());
        // Drawn from those that are left, so that the two are never the same.
        let second = (first + 1 + self.draw(others.len())) % candidates.len();
        let (first, second) = (candidates[first], candidates[second]);
        let now = Instant::now();
        let cost = |index: usize| self.endpoints[index].load.cost(now);
        Some(if cost(first) <= cost(second) { first } else { second })
    }

    /// A number below `end`.
    fn draw(&self, end: usize) -> usize {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a small number, and not below 0"
        )]
        let drawn = (self.entropy.unit() * end as f64) as usize;
        drawn.min(end.saturating_sub(1))
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        head: &Parts,
        body: Body,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        let mut request = Request::new(body);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = address(endpoint, path);
        *request.headers_mut() = head.headers.clone();
        let waiting = endpoint.load.begin();
        let answer = tokio::time::timeout_at(deadline, self.client.request(request)).await;
        match answer {
            Ok(Ok(mut answer)) => {
                drop(waiting);
                headers::strip_hop_by_hop(answer.headers_mut());
                Ok(answer.map(Body::new))
            }
            Ok(Err(error)) if is_too_large(&error) => Err(Failure::TooLarge),
            Ok(Err(error)) => {
                waiting.fail();
                if !error.is_connect() {
                    return Err(Failure::Interrupted(error));
                }
                endpoint.seen(false, "a connection");
                Err(Failure::Unconnected(error))
            }
            Err(_) => Err(Failure::Late),
        }
    }

    fn may_repeat(&self, failure: &Failure, head: &Parts) -> bool {
        match failure {
            Failure::Unconnected(_) => {
                self.unconnected.increment(1);
                true
            }
            Failure::Interrupted(_) => {
                let may =
                    is_repeatable(&head.method, &head.headers) && self.budget.try_retry(self.clock.now());
                self.interrupted.increment(u64::from(may));
                may
            }
            Failure::TooLarge | Failure::Late => false,
        }
    }

    /// Looks after the endpoints until told to stop.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Some(health) = &self.options.health else { return };
        let mut ticks = tokio::time::interval(health.every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let looks = self.endpoints.iter().map(|endpoint| self.look(endpoint, health));
            let _ = stop.run_until_cancelled(futures_util::future::join_all(looks)).await;
        }
    }

    async fn look(&self, endpoint: &Endpoint, health: &HealthCheck) {
        let mut request = Request::new(Body::empty());
        let path = health.path.parse().unwrap_or(PathAndQuery::from_static("/"));
        *request.uri_mut() = address(endpoint, path);
        let answer = tokio::time::timeout(health.timeout, self.client.request(request)).await;
        let ready = matches!(answer, Ok(Ok(answer)) if answer.status().is_success());
        endpoint.seen(ready, &health.path);
    }

    /// What is to be seen of it.
    pub fn state(&self) -> PoolState {
        let now = Instant::now();
        PoolState {
            name: self.options.name.clone(),
            breaker: BreakerState::Closed,
            in_flight: self.endpoints.iter().map(|endpoint| endpoint.load.waiting()).sum(),
            streams: 0,
            endpoints: self.endpoints.iter().map(|endpoint| endpoint.state(now)).collect(),
            names: Vec::new(),
        }
    }
}

fn address(endpoint: &Endpoint, path: PathAndQuery) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(endpoint.authority.clone());
    parts.path_and_query = Some(path);
    // With all three parts there is nothing left that could be wrong.
    Uri::from_parts(parts).unwrap_or_default()
}

/// Whether a request that may have been acted on can be sent again: it means the same twice (RFC 9110
/// §9.2.2), or its sender named it so that it is acted on once.
fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
    method.is_idempotent() || headers.contains_key(IDEMPOTENCY_KEY)
}

/// Whether the request's own body ended the exchange, by being longer than it may.
fn is_too_large(error: &Error) -> bool {
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
        let no_answer = "the service behind this path does not answer";
        match failure {
            Failure::Unconnected(error) => {
                Self::new(Code::Unavailable, no_answer).retry_after(Duration::from_secs(1)).because(error)
            }
            Failure::Interrupted(error) => {
                Self::new(Code::BadGateway, no_answer).retry_after(Duration::from_secs(1)).because(error)
            }
            Failure::TooLarge => {
                Self::new(Code::PayloadTooLarge, "the body is larger than this server reads")
            }
            Failure::Late => Self::new(Code::Timeout, "the service behind this path is too slow"),
        }
    }
}

#[cfg(test)]
mod tests;
