//! The voice role: answers commands.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::analytics::api::Analytics;
use crate::config::{Config, Llm as LlmConfig, Mode as ConfiguredMode};
use crate::kit::auth::{self, Authenticator};
use crate::kit::health::{Leaning, Probe};
use crate::kit::queue::{self, ConsumeOptions, Queue};
use crate::roles::data_folder::DataFolder;
use crate::roles::host::{Host, half_of_grace};
use crate::roles::shared::Shared;
use crate::roles::{RoleError, skills};
use crate::voice::cache::AnswerCache;
use crate::voice::command::CommandLimits;
use crate::voice::learning::{self, Learning, News};
use crate::voice::local::{LocalVoice, VoiceParts, VoiceSettings};
use crate::voice::models::Models;
use crate::voice::pipeline::{Llm, Mode, Pipeline, PipelineParts};
use crate::voice::providers::{BreakerSettings, Provider, ProviderSettings};
use crate::voice::store::CommandStore;

/// The module at work, and what has to be stopped and closed after it.
pub(super) struct Working {
    pub(super) voice: Arc<LocalVoice>,
    queue: Arc<dyn Queue>,
    store: Arc<dyn CommandStore>,
    stop_work: CancellationToken,
    worker: JoinHandle<()>,
    stop_delivery: CancellationToken,
    delivery: JoinHandle<()>,
}

/// The voice module on its stores, answering what was left over from the last run.
pub(super) async fn open(
    host: &Host,
    folder: &DataFolder,
    shared: &Shared,
    analytics: Arc<dyn Analytics>,
) -> Result<Working, RoleError> {
    let config = host.config();
    // Before the files are read for the first time: what is learnt elsewhere meanwhile is heard.
    let news: News = shared.messages("skills");
    let heard = learning::listen(&news).await;
    let skills = skills::Skills::of(host, folder);
    let model = skills.load().await?;
    let models = Arc::new(Models::new(model, skills.into_loader()));
    let learning = Arc::new(Learning::new(Arc::clone(&models), news, host.ids()));
    queue::metrics::describe();
    let entropy = host.ids().entropy().clone();
    let (store, queue) = host
        .with_stores(folder, async |stores| Ok((stores.commands().await?, stores.queue(entropy).await?)))
        .await?;

    let pipeline = Pipeline::new(PipelineParts {
        models,
        llm: llm(host, &config.llm)?,
        cache: config
            .voice
            .cache
            .enabled
            .then(|| AnswerCache::new(shared.answers(config, host.ids().entropy()))),
        mode: match config.voice.understanding.mode {
            ConfiguredMode::LocalFirst => Mode::LocalFirst,
            ConfiguredMode::LlmFirst => Mode::LlmFirst,
            ConfiguredMode::LocalOnly => Mode::LocalOnly,
        },
        #[allow(clippy::cast_possible_truncation, reason = "a threshold between 0 and 1")]
        threshold: config.voice.understanding.threshold_override().map(|threshold| threshold as f32),
        default_language: config.voice.default_language.clone(),
        timezone: config.voice.time_zone(),
        clock: Arc::clone(host.clock()),
        entropy: host.ids().entropy().clone(),
    });
    let (voice, delivery) = LocalVoice::new(VoiceParts {
        queue: Arc::clone(&queue),
        store: Arc::clone(&store),
        pipeline,
        learning: Arc::clone(&learning),
        finished: shared.messages("finished"),
        analytics,
        clock: Arc::clone(host.clock()),
        ids: host.ids().clone(),
        settings: settings(config),
    });
    let voice = Arc::new(voice);

    let (stop_work, stop_delivery) = (CancellationToken::new(), CancellationToken::new());
    let worker = host.tasks().spawn(work(Arc::clone(&voice), stop_work.clone()));
    let delivery = host.tasks().spawn(delivery.run(stop_delivery.clone()));
    let checked = Arc::clone(&voice);
    let check = stop_work.clone();
    host.tasks().spawn(async move { check.run_until_cancelled(checked.check_llm()).await });
    let stop = stop_work.clone();
    host.tasks().spawn(async move { learning.follow(heard, stop).await });
    let (learner, mut reload, stop) = (Arc::clone(&voice), host.reload(), stop_work.clone());
    host.tasks().spawn(async move {
        while let Some(Ok(())) = stop.run_until_cancelled(reload.changed()).await {
            // Not waited for at the end: a training that nobody needs any more may take long.
            let _ = stop.run_until_cancelled(learner.reload_skills()).await;
        }
    });
    Ok(Working { voice, queue, store, stop_work, worker, stop_delivery, delivery })
}

impl Working {
    /// Ends the work in the order that loses nothing: the worker, then what it reported, then the files.
    pub(super) async fn close(self) {
        self.stop_work.cancel();
        let _ = self.worker.await;
        self.stop_delivery.cancel();
        let _ = self.delivery.await;
        self.queue.close().await;
        self.store.close().await;
    }
}

async fn work(voice: Arc<LocalVoice>, stop: CancellationToken) {
    if let Err(error) = voice.work(stop).await {
        tracing::error!(%error, "the worker has ended");
    }
}

/// Serves the voice module alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let folder = DataFolder::open(&host.config().server.data_dir)?;
    let analytics = Arc::new(host.analytics_at(&host.config().peers.analytics_url)?);
    let shared = Shared::open(&host.config().redis).await?;
    let working = open(&host, &folder, &shared, analytics).await?;
    let users = Arc::new(host.remote_users()?);
    let authenticator = host.authenticator(users.clone());
    let guard = from_fn_with_state(authenticator.clone() as Arc<dyn Authenticator>, auth::authenticate);
    let public = working.voice.router().layer(guard);
    // Analytics may be away: events wait for it.
    let mut on: Vec<(_, Arc<dyn Probe>)> = vec![("users", users), ("credentials", authenticator)];
    on.extend(shared.probe().map(|redis| ("redis", redis)));
    let probe = Leaning { role: working.voice.clone(), on };
    let internal = host.internal(working.voice.internal_router());
    host.serve(listener, host.mount(public.merge(internal)), Arc::new(probe)).await;
    working.close().await;
    shared.close().await;
    host.finish().await;
    Ok(())
}

fn settings(config: &Config) -> VoiceSettings {
    VoiceSettings {
        limits: CommandLimits {
            text_chars: config.voice.max_text_chars,
            context_bytes: config.voice.max_context_bytes,
        },
        max_wait: config.voice.max_wait.get(),
        consume: ConsumeOptions {
            concurrency: config.voice.queue.concurrency,
            lease: config.voice.queue.lease.get(),
            grace: half_of_grace(&config.server),
        },
        event_buffer: config.analytics.buffer,
        event_pause: config.analytics.flush_interval.get(),
        log_utterances: config.telemetry.log_utterances,
    }
}

/// The language model, when one is configured.
fn llm(host: &Host, config: &LlmConfig) -> Result<Option<Llm>, RoleError> {
    if !config.enabled() || host.config().voice.understanding.mode == ConfiguredMode::LocalOnly {
        return Ok(None);
    }
    let settings = ProviderSettings {
        base_url: config.base_url.as_str().to_owned(),
        api_key: config.api_key.is_set().then(|| config.api_key.as_secret().clone()),
        models: config.models.clone(),
        deadline: config.deadline.get(),
        attempt_timeout: config.attempt_timeout.get(),
        max_attempts: config.max_attempts,
        retry_budget_ratio: config.retry_budget,
        max_output_tokens: config.max_output_tokens,
        #[allow(clippy::cast_possible_truncation, reason = "a temperature between 0 and 2")]
        temperature: config.temperature as f32,
        breaker: BreakerSettings {
            failure_rate: config.breaker.failure_rate,
            window: config.breaker.window.get(),
            minimum_calls: u32::try_from(config.breaker.minimum_calls).unwrap_or(u32::MAX),
            open_for: config.breaker.open_for.get(),
            slow_calls: None,
        },
        ..ProviderSettings::default()
    };
    let provider = Provider::new(settings, Arc::clone(host.clock()), host.ids().entropy().clone())
        .map_err(|error| RoleError::Llm(error.to_string()))?;
    Ok(Some(Llm { provider, deadline: config.deadline.get() }))
}
