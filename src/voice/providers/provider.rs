//! The provider: one question, from the first request to the answer or the reason for none.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Answer;
use super::attempt::{AttemptError, Verdict};
use super::breaker::{Breaker, BreakerState};
use super::check::{self, ModelCheck};
use super::error::ProviderError;
use super::metrics;
use super::models::{Dialect, Models};
use super::prompt;
use super::question::Question;
use super::reply::Completion;
use super::retry;
use super::settings::ProviderSettings;
use super::transport::{Request, Transport};
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::retry::RetryBudget;

/// A request ends this long before the call's deadline, so that the breaker hears of a hung server
/// before the call is given up.
const MARGIN: Duration = Duration::from_millis(5);

/// A request with less time than this could only fail, and would be held against the server.
const LEAST_TIME: Duration = Duration::from_millis(20);

/// One OpenAI-compatible server. Shared by reference between workers; keeps connections, the breaker,
/// the retry budget and what it learnt about the models.
pub struct Provider {
    settings: ProviderSettings,
    models: Models,
    budget: RetryBudget,
    breaker: Breaker,
    transport: Arc<Transport>,
    clock: SharedClock,
    entropy: Entropy,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("base_url", &self.settings.base_url)
            .field("models", &self.settings.models)
            .field("breaker", &self.breaker.state())
            .finish_non_exhaustive()
    }
}

/// How far a call has come.
struct Progress {
    deadline: Instant,
    /// Requests sent.
    attempts: u32,
    /// Requests sent that ended in something other than "not this model" or "not in this dialect".
    failures: u32,
    /// What went wrong last.
    last: Option<ProviderError>,
}

/// What one model made of the question.
enum Turn {
    Answered(Completion),
    /// Ask the next model.
    Next,
}

impl Provider {
    /// Prepares the connections; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ProviderError::Configuration`] with everything that [`ProviderSettings::problems`] lists, or
    /// when the HTTP client cannot start.
    pub fn new(
        settings: ProviderSettings,
        clock: SharedClock,
        entropy: Entropy,
    ) -> Result<Self, ProviderError> {
        let problems = settings.problems();
        if !problems.is_empty() {
            let list: Vec<_> = problems.iter().map(|(key, fix)| format!("{key}: {fix}")).collect();
            return Err(ProviderError::Configuration(list.join("; ")));
        }
        let transport = Arc::new(Transport::new(&settings, Arc::clone(&clock))?);
        Ok(Self {
            models: Models::new(settings.models.clone(), settings.schema_mode),
            budget: RetryBudget::new(settings.retry_budget_ratio, clock.now()),
            breaker: Breaker::new(&settings.breaker, Arc::clone(&transport))?,
            transport,
            settings,
            clock,
            entropy,
        })
    }

    /// Asks what an utterance means, within `deadline` or the settings' own, whichever is shorter.
    /// May be dropped at any time.
    ///
    /// # Errors
    ///
    /// Every [`ProviderError`], each as its documentation says.
    #[tracing::instrument(
        name = "llm",
        skip_all,
        fields(model = tracing::field::Empty, attempts = tracing::field::Empty)
    )]
    pub async fn understand(
        &self,
        question: &Question<'_>,
        deadline: Duration,
    ) -> Result<Answer, ProviderError> {
        let deadline = Instant::now() + deadline.min(self.settings.deadline);
        let answer = tokio::time::timeout_at(deadline, self.ask(question, deadline));
        let result = answer.await.unwrap_or(Err(ProviderError::Deadline));
        match &result {
            Ok(answer) => {
                let span = tracing::Span::current();
                span.record("model", &answer.model).record("attempts", answer.attempts);
            }
            Err(error) => tracing::debug!(outcome = error.code(), %error, "no answer"),
        }
        result
    }

    /// Looks the configured models up in the server's list; meant for the start, when a key is set.
    /// Changes nothing: a server need not list all that it serves.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] when there is no list to be had; that does not mean that no model works.
    pub async fn check_models(&self) -> Result<Vec<ModelCheck>, ProviderError> {
        let list = self.transport.models(self.settings.attempt_timeout).await?;
        check::check(self.models.names(), &list)
    }

    /// The circuit breaker's state. It stays `Open` until the first call after `open_for`.
    pub fn breaker_state(&self) -> BreakerState {
        self.breaker.state()
    }

    async fn ask(&self, question: &Question<'_>, deadline: Instant) -> Result<Answer, ProviderError> {
        self.budget.call_began();
        let mut progress = Progress { deadline, attempts: 0, failures: 0, last: None };
        for index in self.models.alive(self.clock.now()) {
            if progress.failures >= self.settings.max_attempts {
                break;
            }
            if let Turn::Answered(completion) = self.ask_model(index, question, &mut progress).await? {
                let model = &self.models.names()[index];
                return Ok(Answer::checked(completion, question, model, progress.attempts));
            }
        }
        Err(progress.last.unwrap_or(ProviderError::NoModel))
    }

    /// Asks one model, again where that helps.
    async fn ask_model(
        &self,
        index: usize,
        question: &Question<'_>,
        progress: &mut Progress,
    ) -> Result<Turn, ProviderError> {
        let model = &self.models.names()[index];
        loop {
            let dialect = self.models.dialect(index, self.clock.now());
            let error = match self.send(model, dialect, question, progress).await? {
                Ok(completion) => return Ok(Turn::Answered(completion)),
                Err(error) => error,
            };
            if self.adapt(index, dialect, &error) {
                continue;
            }
            match error.verdict() {
                Verdict::ModelGone => {
                    tracing::warn!(%model, %error, "the model is gone: asking the next one for a while");
                    self.models.gone(index, self.clock.now());
                    // A failure that an earlier model gave says more than "no model".
                    progress.last.get_or_insert(ProviderError::NoModel);
                    return Ok(Turn::Next);
                }
                Verdict::NextModel => {
                    tracing::debug!(%model, %error, "unusable: asking the next model");
                    progress.failures += 1;
                    progress.last = Some(error.into());
                    return Ok(Turn::Next);
                }
                Verdict::Retry(reason) => self.wait_to_retry(reason, error, progress).await?,
                Verdict::Fail => return Err(fatal(error)),
            }
        }
    }

    /// Sends one request within the time that is left.
    async fn send(
        &self,
        model: &str,
        dialect: Dialect,
        question: &Question<'_>,
        progress: &mut Progress,
    ) -> Result<Result<Completion, AttemptError>, ProviderError> {
        let now = Instant::now();
        let left = progress.deadline.saturating_duration_since(now);
        if left < LEAST_TIME {
            return Err(ProviderError::Deadline);
        }
        let limit = self.settings.attempt_timeout.min(left.saturating_sub(MARGIN));
        let body = prompt::body(question, model, dialect, &self.settings);
        let request = Request {
            model: model.to_owned(),
            body,
            utterance: question.text.to_owned(),
            limit,
            until: now + limit,
        };
        let Some(result) = self.breaker.send(request).await else {
            metrics::call(model, ProviderError::BreakerOpen.code(), None);
            // After a failure of this very call, that failure is the better reason.
            return Err(progress.last.take().unwrap_or(ProviderError::BreakerOpen));
        };
        progress.attempts += 1;
        match result {
            // It was not the attempt's own limit that ended it, but the call's.
            Err(AttemptError::Timeout(limit)) if limit < self.settings.attempt_timeout => {
                Err(ProviderError::Deadline)
            }
            result => Ok(result),
        }
    }

    /// Learns from a refusal how the model wants to be asked; `false` when that is not the trouble.
    fn adapt(&self, index: usize, dialect: Dialect, error: &AttemptError) -> bool {
        let AttemptError::Status(refusal) = error else { return false };
        let Some(lesser) = dialect.after(refusal, self.models.mode()) else { return false };
        tracing::info!(model = %self.models.names()[index], ?lesser, "asking without what the server rejects");
        self.models.speaks(index, lesser, self.clock.now());
        true
    }

    /// Waits until the request may be sent again.
    ///
    /// # Errors
    ///
    /// The failure itself when it may not, or when waiting would pass the deadline.
    async fn wait_to_retry(
        &self,
        reason: &'static str,
        error: AttemptError,
        progress: &mut Progress,
    ) -> Result<(), ProviderError> {
        progress.failures += 1;
        let asked = error.retry_after();
        let failure = ProviderError::from(error);
        let pause = asked.unwrap_or(Duration::ZERO).max(retry::pause(progress.failures, &self.entropy));
        let left = progress.deadline.saturating_duration_since(Instant::now());
        let fits = pause + LEAST_TIME < left;
        if progress.failures >= self.settings.max_attempts
            || !fits
            || !self.budget.try_retry(self.clock.now())
        {
            return Err(failure);
        }
        progress.last = Some(failure);
        metrics::retry(reason);
        tracing::debug!(reason, pause_ms = pause.as_millis(), "asking again");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// The error for a failure that nothing helps against.
fn fatal(error: AttemptError) -> ProviderError {
    match &error {
        AttemptError::Status(refusal) if refusal.rejects_format() => ProviderError::Configuration(format!(
            "{}; the server takes less than schema_mode asks for, `auto` finds out what it takes",
            refusal.text()
        )),
        _ => error.into(),
    }
}
