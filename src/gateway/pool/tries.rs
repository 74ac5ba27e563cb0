//! A request's tries: at whom, how often, and what of that counts against whom.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::connections::{Broken, Wire};
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::fleet::choose;
use super::load::Ended;
use super::outgoing::Sending;
use super::{CallOptions, Pool};
use crate::kit::peer::DEADLINE;

/// An answer whose body is still to come.
pub(super) struct Begun {
    pub(super) response: Response<Incoming>,
    pub(super) wire: Option<Box<Wire>>,
    pub(super) endpoint: Arc<Endpoint>,
}

/// By when an answer has to begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    /// Whether it is the configuration's, and not shorter because the caller wants it so: then whoever
    /// misses it has failed.
    pub(super) fair: bool,
}

/// How far a request has come.
#[derive(Debug, Default)]
pub(super) struct Journey {
    pub(super) asked: Option<Arc<Endpoint>>,
    pub(super) tries: u32,
}

impl Journey {
    fn asks(&mut self, endpoint: &Arc<Endpoint>) {
        self.asked = Some(Arc::clone(endpoint));
        self.tries += 1;
    }
}

impl Pool {
    /// Tries one endpoint after another while that may help and cannot do harm.
    pub(super) async fn tries(
        &self,
        sending: &mut Sending,
        options: &CallOptions,
        deadline: Deadline,
        journey: &mut Journey,
    ) -> Result<Begun, Failure> {
        let endpoints = self.fleet.endpoints();
        let mut tried = Vec::new();
        let mut hedge = options.hedge_after;
        loop {
            let index = choose(&endpoints, &tried, options.sticky, &self.entropy).ok_or(Failure::Nobody)?;
            let endpoint = &endpoints[index];
            journey.asks(endpoint);
            let last = tried.len() + 1 >= endpoints.len();
            let result = match hedge.take() {
                Some(after) if !last => {
                    self.hedged(&endpoints, index, after, sending, deadline, journey, &mut tried).await
                }
                _ => self.once(endpoint, sending, last, deadline).await,
            };
            tried.push(index);
            if tried.len() >= endpoints.len() || !self.may_repeat(&result, sending) {
                if let Ok(begun) = &result {
                    journey.asked = Some(Arc::clone(&begun.endpoint));
                }
                return result;
            }
        }
    }

    /// Asks the endpoint at `first`, and after a while another one as well, which is then noted in
    /// `tried`. The first answer counts; the other one's connection is closed.
    #[allow(clippy::too_many_arguments, reason = "a part of `tries`, which is long enough")]
    async fn hedged(
        &self,
        endpoints: &[Arc<Endpoint>],
        first: usize,
        after: Duration,
        sending: &mut Sending,
        deadline: Deadline,
        journey: &mut Journey,
        tried: &mut Vec<usize>,
    ) -> Result<Begun, Failure> {
        let Some(mut twin) = sending.twin() else {
            return self.once(&endpoints[first], sending, false, deadline).await;
        };
        let mut one = pin!(self.once(&endpoints[first], sending, false, deadline));
        if let Ok(result) = tokio::time::timeout(after, &mut one).await {
            return result;
        }
        let second = choose(endpoints, &[first], None, &self.entropy)
            .filter(|index| endpoints[*index].is_available(Instant::now()));
        let Some(second) = second.filter(|_| self.budget.try_retry(self.clock.now())) else {
            return one.await;
        };
        self.counters.hedged.increment(1);
        tried.push(second);
        journey.asks(&endpoints[second]);
        let two = pin!(self.once(&endpoints[second], &mut twin, true, deadline));
        let (sooner, later) = match select(one, two).await {
            Either::Left((one, two)) => (one, Either::Left(two)),
            Either::Right((two, one)) => (two, Either::Right(one)),
        };
        if is_of_use(&sooner) {
            return sooner;
        }
        let later = match later {
            Either::Left(two) => two.await,
            Either::Right(one) => one.await,
        };
        if later.is_ok() { later } else { sooner }
    }

    /// Asks `endpoint`; what comes of it counts for or against it.
    async fn once(
        &self,
        endpoint: &Arc<Endpoint>,
        sending: &mut Sending,
        last: bool,
        deadline: Deadline,
    ) -> Result<Begun, Failure> {
        let waiting = self.fleet.begin(endpoint, deadline.fair.then_some(deadline.at));
        let result = self.exchange(endpoint, sending, last, deadline).await;
        waiting.end(match &result {
            Ok(begun) if begun.response.status().is_server_error() => Ended::Failed,
            Ok(_) => Ended::Answered,
            Err(failure) if failure.is_of_the_upstream() => Ended::Failed,
            Err(_) => Ended::GivenUp,
        });
        result
    }

    async fn exchange(
        &self,
        endpoint: &Arc<Endpoint>,
        sending: &mut Sending,
        last: bool,
        deadline: Deadline,
    ) -> Result<Begun, Failure> {
        // A connection that goes over to another protocol does not come back.
        let mut fresh = sending.upgrades();
        loop {
            let kept = if fresh { None } else { endpoint.connections.reuse() };
            let reused = kept.is_some();
            let wire = match kept {
                Some(wire) => wire,
                None => self.connect(endpoint).await?,
            };
            let mut request = sending.take(last && !reused).ok_or(Failure::Nobody)?;
            let headers = request.headers_mut();
            headers.insert(header::HOST, endpoint.header.clone());
            let left = deadline.at.saturating_duration_since(Instant::now()).as_millis();
            headers.insert(DEADLINE, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
            match wire.exchange(request).await {
                Ok((response, _)) if is_switched(&response) && !sending.upgrades() => {
                    return Err(Failure::Switched);
                }
                Ok((response, wire)) => {
                    return Ok(Begun { response, wire, endpoint: Arc::clone(endpoint) });
                }
                Err(Broken::Unsent(request, error)) => {
                    sending.put_back(*request);
                    if !reused {
                        return Err(Failure::Unconnected(io::Error::other(error)));
                    }
                }
                // It was about to close as the request came (RFC 9112 §9.3.1): nobody's failure, and a
                // reason to distrust the others that are as old.
                Err(Broken::Sent(error)) if reused && !error.is_parse() && sending.is_repeatable() => {}
                Err(Broken::Sent(error)) => return Err(Failure::sent(error)),
            }
            fresh = true;
        }
    }

    /// A new connection to `endpoint`.
    pub(super) async fn connect(&self, endpoint: &Endpoint) -> Result<Box<Wire>, Failure> {
        let opened = tokio::time::timeout(self.options.connect_timeout, endpoint.connections.open()).await;
        let error = match opened {
            Ok(Ok(wire)) => return Ok(wire),
            Ok(Err(error)) => error,
            Err(_) => io::Error::from(io::ErrorKind::TimedOut),
        };
        // Who looks after it will see when it is back.
        if self.options.health.is_some() {
            endpoint.seen(false, "a connection");
        }
        Err(Failure::Unconnected(error))
    }

    /// Whether it is worth another try, and allowed.
    fn may_repeat(&self, result: &Result<Begun, Failure>, sending: &Sending) -> bool {
        let again = || sending.is_repeatable() && self.budget.try_retry(self.clock.now());
        let (may, counter) = match result {
            Err(Failure::Unconnected(_)) => (sending.is_whole(), &self.counters.unconnected),
            Err(Failure::Interrupted(_) | Failure::Switched) => (again(), &self.counters.interrupted),
            Ok(begun) if !is_of_use_status(begun.response.status()) => (again(), &self.counters.refused),
            Ok(_) | Err(_) => return false,
        };
        counter.increment(u64::from(may));
        may
    }
}

fn is_switched(response: &Response<Incoming>) -> bool {
    response.status() == StatusCode::SWITCHING_PROTOCOLS
}

/// Whether the client is better served with it than with what another endpoint might say.
fn is_of_use(result: &Result<Begun, Failure>) -> bool {
    result.as_ref().is_ok_and(|begun| is_of_use_status(begun.response.status()))
}

fn is_of_use_status(status: StatusCode) -> bool {
    !matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
