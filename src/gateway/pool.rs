//! Several addresses that answer alike, as one upstream.
//!
//! - A request goes to the cheaper of two endpoints drawn at random, by what each costs: nearly as good as
//!   asking for the cheapest, without everybody running to the same one. Where it is to stick to something,
//!   the same number meets the same endpoint.
//! - An endpoint that does not take connections, whose health check says so, or that keeps failing is left
//!   out for a while. When none is left all are tried: a wrong look must not turn everybody away.
//! - What failed is tried at another endpoint if that cannot do harm: a connection that was never made
//!   carried nothing; anything else is repeated only where repeating is part of the request's meaning, its
//!   body has not been read, and the retry budget allows it.
//! - An upstream that fails as a whole is left alone by a breaker, and gets no more at once than it may.

mod answer;
mod breaker;
mod connections;
mod discovery;
mod ejection;
mod endpoint;
mod failure;
mod fleet;
mod load;
mod options;
mod outgoing;
mod places;
mod state;
mod tries;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use http::uri::PathAndQuery;
use http::{Method, StatusCode, header};
use metrics::Counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use endpoint::BadAddress;
pub use options::{BreakerOptions, CallOptions, Discovery, Ejection, HealthCheck, PoolOptions};
pub use state::{BreakerState, EndpointState, NameState, PoolState};

use crate::gateway::headers;
use crate::kit::clock::SharedClock;
use crate::kit::error::ApiError;
use crate::kit::ids::Entropy;
use crate::kit::peer;
use crate::kit::retry::RetryBudget;
use answer::{Answer, Source};
use breaker::Breaker;
use discovery::{Names, Resolve};
use endpoint::{Base, Endpoint};
use failure::Failure;
use fleet::Fleet;
use outgoing::{Outgoing, Sending};
use places::{Place, Places};
use tries::{Begun, Deadline, Journey};
use upgrade::{Tunnels, Wish};

const READY: &str = "voicera_gateway_endpoint_ready";
const EJECTIONS: &str = "voicera_gateway_ejections_total";
const BREAKER_OPEN: &str = "voicera_gateway_breaker_open";
const RETRIES: &str = "voicera_gateway_retries_total";
const HEDGES: &str = "voicera_gateway_hedges_total";
const SHED: &str = "voicera_gateway_shed_total";

/// Between two looks for connections that have been idle for long.
const PRUNE: Duration = Duration::from_secs(1);

/// Names for the recorder; call once it is installed.
pub fn describe() {
    metrics::describe_gauge!(READY, "Whether an endpoint takes requests");
    metrics::describe_counter!(EJECTIONS, "Endpoints that were left out for having failed");
    metrics::describe_gauge!(BREAKER_OPEN, "Whether an upstream is left alone");
    metrics::describe_counter!(RETRIES, "Requests that were sent to another endpoint, by what went wrong");
    metrics::describe_counter!(HEDGES, "Requests that were sent to another endpoint as well");
    metrics::describe_counter!(SHED, "Requests that were refused because too many were in flight");
}

/// Endpoints that answer alike.
#[derive(Debug)]
pub struct Pool {
    name: Arc<str>,
    options: PoolOptions,
    fleet: Arc<Fleet>,
    names: Option<Names>,
    breaker: Breaker,
    budget: RetryBudget,
    in_flight: Places,
    streams: Places,
    tunnels: Tunnels,
    clock: SharedClock,
    entropy: Entropy,
    counters: Counters,
}

#[derive(Debug)]
struct Counters {
    unconnected: Counter,
    interrupted: Counter,
    refused: Counter,
    hedged: Counter,
    shed: Counter,
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

impl Pool {
    /// The upstream that `options` describe.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn new(options: PoolOptions, clock: SharedClock, entropy: Entropy) -> Result<Self, BadAddress> {
        Self::with_resolver(options, clock, entropy, discovery::system())
    }

    fn with_resolver(
        options: PoolOptions,
        clock: SharedClock,
        entropy: Entropy,
        resolve: Resolve,
    ) -> Result<Self, BadAddress> {
        let bases: Vec<Base> =
            options.addresses.iter().map(|base| Base::parse(base)).collect::<Result<_, _>>()?;
        if let Some(health) = &options.health
            && !(health.path.starts_with('/') && health.path.parse::<PathAndQuery>().is_ok())
        {
            return Err(BadAddress::Path(health.path.clone()));
        }
        let name: Arc<str> = options.name.as_str().into();
        let upstream = || name.to_string();
        let retries =
            |reason: &'static str| metrics::counter!(RETRIES, "upstream" => upstream(), "reason" => reason);
        Ok(Self {
            fleet: Arc::new(Fleet::new(&name, &bases, options.ejection)),
            names: match options.discovery {
                Discovery::Fixed => None,
                Discovery::Dns { .. } => Some(Names::new(bases, resolve)),
            },
            breaker: Breaker::new(&name, options.breaker),
            budget: RetryBudget::new(options.retry_ratio, clock.now()),
            in_flight: Places::new(options.max_in_flight),
            streams: Places::new(options.max_streams),
            tunnels: Tunnels::default(),
            clock,
            entropy,
            counters: Counters {
                unconnected: retries("unconnected"),
                interrupted: retries("interrupted"),
                refused: retries("refused"),
                hedged: metrics::counter!(HEDGES, "upstream" => upstream()),
                shed: metrics::counter!(SHED, "upstream" => upstream()),
            },
            name,
            options,
        })
    }

    /// What it was made of.
    pub fn options(&self) -> &PoolOptions {
        &self.options
    }

    /// Has `request` answered by one of the endpoints. A problem document says why by none: 503 when there
    /// is no connection to any, the breaker is open or too much is in flight; 502 when a connection broke
    /// or what came back was no HTTP; 504 when it took too long. A body that breaks off ends in an error.
    /// [`Answered`] is in the answer's extensions.
    pub async fn call(&self, request: Request, options: &CallOptions) -> Response {
        let began = Instant::now();
        let mut journey = Journey::default();
        let answer = self.admit(request, options, began, &mut journey).await;
        let mut answer = answer.unwrap_or_else(|failure| ApiError::from(failure).into_response());
        answer.extensions_mut().insert(Answered {
            upstream: Arc::clone(&self.name),
            endpoint: journey.asked.map(|endpoint| Arc::clone(&endpoint.address)),
            tries: journey.tries,
            took: began.elapsed(),
        });
        answer
    }

    /// Lets a request in if there is room, and the upstream is not left alone.
    async fn admit(
        &self,
        request: Request,
        options: &CallOptions,
        began: Instant,
        journey: &mut Journey,
    ) -> Result<Response, Failure> {
        if request.method() == Method::CONNECT {
            return Err(Failure::Tunnel);
        }
        let place = self.place(&self.in_flight)?;
        let admission = self.breaker.admit(began).map_err(Failure::Open)?;
        self.budget.call_began();
        let limit = options.timeout.unwrap_or(self.options.timeout);
        let wanted = peer::wanted_by(request.headers()).filter(|wanted| *wanted < limit);
        let deadline = Deadline { at: began + wanted.unwrap_or(limit), fair: wanted.is_none() };
        let answer = self.answer(request, options, deadline, place, journey);
        let answer = tokio::time::timeout_at(deadline.at, answer).await.unwrap_or(Err(Failure::Late));
        let succeeded = match &answer {
            Ok(answer) => Some(!answer.status().is_server_error() || is_put_off(answer)),
            Err(Failure::Late) if !deadline.fair => None,
            Err(failure) => failure.is_of_the_upstream().then_some(false),
        };
        if let Some(succeeded) = succeeded {
            admission.settle(succeeded, Instant::now());
        }
        answer
    }

    async fn answer(
        &self,
        mut request: Request,
        options: &CallOptions,
        deadline: Deadline,
        place: Place,
        journey: &mut Journey,
    ) -> Result<Response, Failure> {
        let wish = Wish::read(&mut request);
        let (mut head, body) = request.into_parts();
        headers::for_upstream(&mut head);
        let method = head.method.clone();
        let Some(wish) = wish else {
            let mut sending = Sending::new(head, body);
            let begun = self.tries(&mut sending, options, deadline, journey).await?;
            return self.pass_on(begun, &method, place);
        };
        headers::ask_for(&mut head.headers, wish.protocol.clone());
        let mut sending = Sending::new(head, body).upgrading();
        let begun = self.tries(&mut sending, options, deadline, journey).await?;
        if begun.response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return self.switch(begun, wish);
        }
        self.pass_on(begun, &method, place)
    }

    /// An answer as it goes to the client.
    fn pass_on(&self, begun: Begun, method: &Method, place: Place) -> Result<Response, Failure> {
        let Begun { response, wire, endpoint } = begun;
        let (head, incoming) = response.into_parts();
        let mut answer = Response::new(());
        *answer.status_mut() = head.status;
        *answer.headers_mut() = head.headers;
        headers::for_client(answer.headers_mut());
        let stays_open = answer::stays_open(answer.headers());
        let (place, idle) = if stays_open {
            (self.place(&self.streams)?, self.options.stream_idle_timeout)
        } else {
            (place, self.options.idle_timeout)
        };
        let source = Source { wire, endpoint, fleet: Arc::clone(&self.fleet), _place: place, idle };
        Ok(answer.map(|()| Answer::body(incoming, source, method, head.status)))
    }

    /// Joins a client to an endpoint that has gone over to the protocol that it wished for.
    fn switch(&self, begun: Begun, wish: Wish) -> Result<Response, Failure> {
        let place = self.place(&self.streams)?;
        let (head, _) = begun.response.into_parts();
        let (stream, read) = begun.wire.ok_or(Failure::Switched)?.into_stream();
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = head.status;
        *answer.headers_mut() = head.headers;
        headers::for_client(answer.headers_mut());
        headers::ask_for(answer.headers_mut(), wish.protocol.clone());
        self.tunnels.open(wish, stream, read, self.options.stream_idle_timeout, place);
        Ok(answer)
    }

    fn place(&self, places: &Places) -> Result<Place, Failure> {
        places.take().ok_or_else(|| {
            self.counters.shed.increment(1);
            Failure::Full
        })
    }

    /// Looks after the endpoints until told to stop: asks how they are, where they are, and closes
    /// connections that nobody uses. Requests are answered before and after, too.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let looks = async { futures_util::join!(self.watch_health(), self.watch_names(), self.prune()) };
        let _ = stop.run_until_cancelled(looks).await;
    }

    /// Ends the connections that were upgraded, which nothing else ends, and waits until they have ended.
    pub async fn close(&self) {
        self.tunnels.close().await;
    }

    async fn watch_health(&self) {
        let Some(health) = &self.options.health else { return };
        let path = health.path.parse().unwrap_or(PathAndQuery::from_static("/"));
        let mut ticks = ticks(health.every);
        loop {
            ticks.tick().await;
            let endpoints = self.fleet.endpoints();
            join_all(endpoints.iter().map(|endpoint| self.look(endpoint, &path, health.timeout))).await;
        }
    }

    async fn look(&self, endpoint: &Endpoint, path: &PathAndQuery, timeout: Duration) {
        let mut request = http::Request::new(Outgoing::Empty);
        *request.uri_mut() = path.clone().into();
        request.headers_mut().insert(header::HOST, endpoint.header.clone());
        let asked = async {
            // Never on a connection that may be about to close: that would say nothing of the endpoint.
            let wire = endpoint.connections.open().await.ok()?;
            let (answer, wire) = wire.exchange(request).await.ok()?;
            if let Some(wire) = wire {
                endpoint.connections.give_back(wire);
            }
            Some(answer.status())
        };
        let status = tokio::time::timeout(timeout, asked).await.ok().flatten();
        let ready = status.is_some_and(|status| status.is_success());
        if endpoint.seen(ready, path.as_str()) && ready {
            self.breaker.ask_now(Instant::now());
        }
    }

    async fn watch_names(&self) {
        let (Some(names), Discovery::Dns { every }) = (&self.names, self.options.discovery) else { return };
        let mut ticks = ticks(every);
        loop {
            ticks.tick().await;
            let places = names.look_up(self.clock.now()).await;
            self.fleet.become_at(&places);
        }
    }

    async fn prune(&self) {
        let mut ticks = ticks(PRUNE);
        loop {
            let now = ticks.tick().await;
            for endpoint in self.fleet.endpoints().iter() {
                endpoint.connections.prune(now);
            }
        }
    }

    /// What is to be seen of it.
    pub fn state(&self) -> PoolState {
        let (now, clock) = (Instant::now(), self.clock.now());
        let endpoint = |endpoint: &Arc<Endpoint>| EndpointState {
            address: endpoint.address.to_string(),
            ready: endpoint.is_ready(),
            ejected_until: endpoint.record.out_for(now).and_then(|left| clock.checked_add(left).ok()),
            ewma_ms: endpoint.load.seconds(now) * 1e3,
            in_flight: endpoint.load.waiting(),
            consecutive_failures: endpoint.record.failures(),
        };
        PoolState {
            name: self.options.name.clone(),
            breaker: self.breaker.state(now),
            in_flight: self.in_flight.taken(),
            streams: self.streams.taken(),
            endpoints: self.fleet.endpoints().iter().map(endpoint).collect(),
            names: self.names.as_ref().map(Names::state).unwrap_or_default(),
        }
    }
}

/// Whether an endpoint at work says that it has too much to do.
fn is_put_off(answer: &Response) -> bool {
    answer.status() == StatusCode::SERVICE_UNAVAILABLE && answer.headers().contains_key(header::RETRY_AFTER)
}

fn ticks(every: Duration) -> tokio::time::Interval {
    // An interval of nothing would be a defect of whoever checked the configuration; it is not worth a panic.
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests;
