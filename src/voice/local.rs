//! The voice module itself: its parts, put together.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::analytics::api::Analytics;
use crate::kit::clock::SharedClock;
use crate::kit::health::{Check, Health, Probe};
use crate::kit::ids::Ids;
use crate::kit::queue::{ConsumeOptions, Queue, QueueError};
use crate::voice::QUEUE;
use crate::voice::command::CommandLimits;
use crate::voice::http;
use crate::voice::learning::Learning;
use crate::voice::metrics;
use crate::voice::pipeline::Pipeline;
use crate::voice::providers::{self, BreakerState};
use crate::voice::reporter::{Delivery, Reporter};
use crate::voice::store::CommandStore;
use crate::voice::worker::{Finished, Worker};

/// What the module is made of.
#[derive(Debug)]
pub struct VoiceParts {
    /// Where commands wait.
    pub queue: Arc<dyn Queue>,
    /// Where they are kept when done.
    pub store: Arc<dyn CommandStore>,
    /// What answers them,
    pub pipeline: Pipeline,
    /// by this model.
    pub learning: Arc<Learning>,
    /// Where their end is announced.
    pub finished: Finished,
    /// Where they are counted.
    pub analytics: Arc<dyn Analytics>,
    /// The time.
    pub clock: SharedClock,
    /// Names.
    pub ids: Ids,
    /// How it behaves.
    pub settings: VoiceSettings,
}

/// How the module behaves.
#[derive(Debug, Clone)]
pub struct VoiceSettings {
    /// How large a command may be.
    pub limits: CommandLimits,
    /// The longest `Prefer: wait`.
    pub max_wait: Duration,
    /// How commands are taken from the queue.
    pub consume: ConsumeOptions,
    /// Events that may wait for analytics.
    pub event_buffer: usize,
    /// How long events are gathered.
    pub event_pause: Duration,
    /// Whether the log may hold what people said.
    pub log_utterances: bool,
}

/// The voice module in this process.
#[derive(Debug)]
pub struct LocalVoice {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) store: Arc<dyn CommandStore>,
    pipeline: Arc<Pipeline>,
    learning: Arc<Learning>,
    worker: Arc<Worker>,
    consume: ConsumeOptions,
    accept: Arc<http::process::Accept>,
}

impl LocalVoice {
    /// Puts the module together. The [`Delivery`] has to be run beside it, and outlive it.
    pub fn new(parts: VoiceParts) -> (Self, Delivery) {
        metrics::describe();
        providers::describe();
        let VoiceParts { queue, store, pipeline, learning, finished, analytics, clock, ids, settings } =
            parts;
        let (reporter, delivery) =
            Reporter::new(analytics, ids.clone(), settings.event_buffer, settings.event_pause);
        let pipeline = Arc::new(pipeline);
        let worker = Arc::new(Worker {
            pipeline: Arc::clone(&pipeline),
            store: Arc::clone(&store),
            finished: Arc::clone(&finished),
            reporter,
            since: clock.now(),
            clock: Arc::clone(&clock),
            log_utterances: settings.log_utterances,
        });
        let accept = Arc::new(http::process::Accept {
            queue: Arc::clone(&queue),
            store: Arc::clone(&store),
            finished,
            ids,
            clock,
            limits: settings.limits,
            max_wait: settings.max_wait,
        });
        let local = Self { queue, store, pipeline, learning, worker, consume: settings.consume, accept };
        (local, delivery)
    }

    /// The public endpoints.
    pub fn router(&self) -> Router {
        let (queue, store) = (Arc::clone(&self.queue), Arc::clone(&self.store));
        let lookup = http::status::Lookup { queue: Arc::clone(&queue), store: Arc::clone(&store) };
        let jobs = http::jobs::Jobs { queue, store: Arc::clone(&store), worker: Arc::clone(&self.worker) };
        OpenApiRouter::new()
            .merge(http::process::routes().with_state(Arc::clone(&self.accept)))
            .merge(http::status::routes().with_state(lookup))
            .merge(http::history::routes().with_state(Arc::clone(&store)))
            .merge(http::stats::routes().with_state(store))
            .merge(http::languages::routes().with_state(Arc::clone(self.learning.models())))
            .merge(http::skills::routes().with_state(Arc::clone(self.learning.models())))
            .merge(http::reload::routes().with_state(Arc::clone(&self.learning)))
            .merge(http::jobs::routes().with_state(jobs))
            .into()
    }

    /// The contract over HTTP, for other roles alone.
    pub fn internal_router(self: &Arc<Self>) -> Router {
        http::internal::routes(Arc::clone(self))
    }

    /// Answers commands until `shutdown`, then hands back what is not begun.
    ///
    /// # Errors
    /// [`QueueError`] when the queue is gone for good.
    pub async fn work(&self, shutdown: CancellationToken) -> Result<(), QueueError> {
        let handler = Arc::clone(&self.worker);
        self.queue.consume(QUEUE, handler, self.consume.clone(), shutdown).await
    }

    /// Reads the skills again in this process alone; what is wrong with them is logged, and the model in use stays.
    pub async fn reload_skills(&self) {
        match self.learning.models().reload().await {
            Ok(changed) => tracing::info!(changed, "skills read again"),
            Err(error) => tracing::error!(%error, "the skills are not read; the model in use stays"),
        }
    }

    /// Asks the language model's server which of the configured models it has, and logs what it says.
    pub async fn check_llm(&self) {
        let Some(llm) = self.pipeline.llm() else { return };
        match llm.provider.check_models().await {
            Ok(checks) => tracing::info!(?checks, "language models checked"),
            Err(error) => tracing::warn!(%error, "the language models could not be checked"),
        }
    }

    async fn queue_check(&self) -> Check {
        match self.queue.depth(QUEUE).await {
            Ok(depth) => Check::up_with(format!(
                "{} waiting, {} active, {} delayed, {} dead",
                depth.waiting, depth.active, depth.delayed, depth.failed
            )),
            Err(error) => Check::down(error.to_string()),
        }
    }
}

#[async_trait]
impl Probe for LocalVoice {
    async fn health(&self) -> Health {
        let store = match self.store.check().await {
            Ok(()) => Check::up(),
            Err(error) => Check::down(error.to_string()),
        };
        let model = Check::up_with(format!("version {}", self.learning.models().current().model.version()));
        let llm = self.pipeline.llm().map(|llm| match llm.provider.breaker_state() {
            BreakerState::Closed => Check::up(),
            BreakerState::HalfOpen => Check::degraded("the breaker is half open: one request tries"),
            BreakerState::Open => Check::degraded("the breaker is open: the trained model answers"),
        });
        let checks = [
            ("store", Some(store)),
            ("queue", Some(self.queue_check().await)),
            ("model", Some(model)),
            ("llm", llm),
        ];
        Health::of(checks.into_iter().filter_map(|(name, check)| Some((name.to_owned(), check?))))
    }
}
