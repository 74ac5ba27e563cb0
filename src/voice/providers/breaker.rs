//! The circuit breaker around one request.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::{Service, ServiceExt};
use tower_resilience::circuitbreaker::{
    CircuitBreaker, CircuitBreakerError, CircuitBreakerHandle, CircuitBreakerLayer, CircuitState,
    FailureClassifier, SlidingWindowType,
};

use super::attempt::AttemptError;
use super::error::ProviderError;
use super::metrics;
use super::reply::Completion;
use super::settings::BreakerSettings;
use super::transport::{Request, Transport};

/// What the circuit breaker does with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Sends it.
    Closed,
    /// Refuses it; the first one after `open_for` is sent to see whether the server is back.
    Open,
    /// Refuses it, while one request is out to see whether the server is back.
    HalfOpen,
}

impl From<CircuitState> for BreakerState {
    fn from(state: CircuitState) -> Self {
        match state {
            CircuitState::Closed => Self::Closed,
            CircuitState::Open => Self::Open,
            CircuitState::HalfOpen => Self::HalfOpen,
        }
    }
}

/// Sends requests while the server behaves.
pub(super) struct Breaker {
    service: CircuitBreaker<Requests, ServerTrouble>,
    handle: CircuitBreakerHandle<ServerTrouble>,
}

impl Breaker {
    pub(super) fn new(settings: &BreakerSettings, transport: Arc<Transport>) -> Result<Self, ProviderError> {
        let minimum = usize::try_from(settings.minimum_calls).unwrap_or(usize::MAX);
        // One request alone decides in the half-open state: with more, successes that age out of a
        // short window would leave the breaker half-open with no request left to spend.
        let mut builder = CircuitBreakerLayer::builder()
            .name("llm")
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(settings.window)
            .minimum_number_of_calls(minimum)
            .failure_rate_threshold(settings.failure_rate)
            .wait_duration_in_open(settings.open_for)
            .permitted_calls_in_half_open(1)
            .on_state_transition(|from, to| {
                tracing::warn!(?from, ?to, "the language model's circuit breaker changed");
                metrics::breaker(to.into());
            });
        if let Some(slow) = settings.slow_calls {
            builder =
                builder.slow_call_duration_threshold(slow.longer_than).slow_call_rate_threshold(slow.rate);
        }
        let (layer, handle) = builder
            .failure_classifier_type(ServerTrouble)
            .build_with_handle()
            .map_err(|wrong| ProviderError::Configuration(format!("breaker: {wrong}")))?;
        metrics::breaker(BreakerState::Closed);
        Ok(Self { service: layer.layer_fn(Requests(transport)), handle })
    }

    /// Sends one request; `None` when the breaker refuses it.
    pub(super) async fn send(&self, request: Request) -> Option<Result<Completion, AttemptError>> {
        match self.service.clone().oneshot(request).await {
            Ok(completion) => Some(Ok(completion)),
            Err(CircuitBreakerError::Inner(error)) => Some(Err(error)),
            Err(CircuitBreakerError::OpenCircuit) => None,
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        self.handle.state().into()
    }
}

/// The transport as the breaker wants to see it.
#[derive(Clone)]
struct Requests(Arc<Transport>);

impl Service<Request> for Requests {
    type Response = Completion;
    type Error = AttemptError;
    type Future = BoxFuture<'static, Result<Completion, AttemptError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AttemptError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let transport = Arc::clone(&self.0);
        Box::pin(async move { transport.complete(request).await })
    }
}

/// Counts what is the server's fault; a request that it rightly refuses says nothing about it.
#[derive(Debug, Clone, Copy)]
struct ServerTrouble;

impl FailureClassifier<Completion, AttemptError> for ServerTrouble {
    fn classify(&self, result: &Result<Completion, AttemptError>) -> bool {
        result.as_ref().is_err_and(AttemptError::counts_against_server)
    }
}
