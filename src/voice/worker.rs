//! Takes commands from the queue, has them answered, and makes the answer known.
//!
//! May run twice for one command (the queue promises at least once); the store keeps the first
//! answer, so that the history has each command once.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::Instrument as _;

use crate::analytics::api::Event;
use crate::kit::clock::SharedClock;
use crate::kit::http::context::TraceContext;
use crate::kit::pubsub::PubSub;
use crate::kit::queue::{BadPayload, Failure, Handler, Job};
use crate::kit::telemetry;
use crate::voice::api::{CANCELLED, Command, CommandError, CommandResult, NONE, Status};
use crate::voice::command::{Process, Utterance};
use crate::voice::elsewhere;
use crate::voice::metrics;
use crate::voice::pipeline::Pipeline;
use crate::voice::reporter::Reporter;
use crate::voice::store::CommandStore;

/// Where finished commands are announced, each under the id of its job.
pub type Finished = Arc<dyn PubSub<Command>>;

/// What the worker needs.
#[derive(Debug)]
pub struct Worker {
    /// Answers.
    pub pipeline: Arc<Pipeline>,
    /// Keeps.
    pub store: Arc<dyn CommandStore>,
    /// Announces.
    pub finished: Finished,
    /// Counts.
    pub reporter: Reporter,
    /// The time.
    pub clock: SharedClock,
    /// When this worker began: jobs from before it may have been done already.
    pub since: Timestamp,
    /// Whether the log may hold what people said.
    pub log_utterances: bool,
}

#[async_trait]
impl Handler for Worker {
    async fn handle(&self, job: &Job) -> Result<(), Failure> {
        let span = tracing::error_span!("command", job = %job.id, attempt = job.attempts);
        // The work goes on in the trace in which it was accepted, however much later it is done.
        telemetry::join_trace(&span, job.traceparent.as_deref().and_then(TraceContext::parse));
        self.attempt(job).instrument(span).await
    }

    async fn exhausted(&self, job: &Job, reason: &str) -> Result<(), String> {
        // A payload that can't be read has no text to show, but its owner is told all the same.
        let utterance = job.decode::<Process>().unwrap_or_else(|_| Utterance {
            text: String::new(),
            language: None,
            session_id: None,
            context: serde_json::Value::Null,
            accepted_at: job.created_at,
        });
        tracing::error!(job = %job.id, attempts = job.attempts, reason, "a command was given up");
        metrics::failed("exhausted");
        let error = CommandError {
            code: "failed".to_owned(),
            message: "the command could not be answered; an administrator can have it tried again".to_owned(),
        };
        self.finish(Command { error: Some(error), ..self.finished_now(job, utterance) }).await
    }

    async fn done_elsewhere(&self, job: &Job, value: &str) -> Result<(), String> {
        let utterance = match job.decode::<Process>() {
            Ok(utterance) => utterance,
            Err(bad) => return self.exhausted(job, &bad.to_string()).await,
        };
        let version = self.pipeline.models().current().model.version().to_owned();
        match elsewhere::read(value, &utterance, version, self.clock.now()) {
            Ok(result) => {
                let command = self.finished_now(job, utterance);
                self.finish(Command { result: Some(result), status: Status::Completed, ..command }).await
            }
            Err(wrong) => {
                tracing::error!(job = %job.id, wrong, "another program's worker did not return an answer");
                metrics::failed("elsewhere");
                let message = "a worker of another program answered with what is no answer".to_owned();
                let error = CommandError { code: "failed".to_owned(), message };
                self.finish(Command { error: Some(error), ..self.finished_now(job, utterance) }).await
            }
        }
    }
}

/// Returns the answer to a producer in another language, who reads it from the job.
fn answer_producer(job: &Job, result: Option<&CommandResult>) {
    if let Some(Err(error)) = result.map(|result| job.return_value.set(result)) {
        tracing::warn!(job = %job.id, %error, "an answer cannot be written as JSON");
    }
}

impl Worker {
    async fn attempt(&self, job: &Job) -> Result<(), Failure> {
        if self.may_be_known(job) {
            let known = self.store.get(job.owner, job.id).await;
            let known = known.map_err(|error| Failure::Retry(error.to_string()))?;
            if let Some(known) = known.filter(Command::is_final) {
                answer_producer(job, known.result.as_ref());
                self.finished.publish(&job.id.to_string(), &Arc::new(known)).await;
                return Ok(());
            }
        }
        let utterance = job.decode::<Process>()?;
        let result = self.pipeline.answer(job.owner, &utterance, &job.progress).await;
        if self.log_utterances {
            tracing::info!(said = utterance.text, intent = result.intent, "answered");
        }
        answer_producer(job, Some(&result));
        let command =
            Command { result: Some(result), status: Status::Completed, ..self.finished_now(job, utterance) };
        self.finish(command).await.map_err(Failure::Retry)
    }

    /// Whether the history may have this command already: an attempt that died after it had recorded
    /// its answer, a request repeated under its key, a cancellation that a crash cut short. All
    /// others are spared the look.
    fn may_be_known(&self, job: &Job) -> bool {
        let named_by_its_client = job.id.uuid().get_version_num() == 8;
        job.attempts > 1 || named_by_its_client || job.created_at < self.since
    }

    /// The history's entry for `job`, cancelled by its owner before it began.
    ///
    /// # Errors
    /// [`BadPayload`] when the job's payload can't be read.
    pub fn cancelled(&self, job: &Job) -> Result<Command, BadPayload> {
        let utterance = job.decode::<Process>()?;
        let error = CommandError { code: CANCELLED.to_owned(), message: "cancelled by its owner".to_owned() };
        Ok(Command { error: Some(error), ..self.finished_now(job, utterance) })
    }

    /// Counts and announces a command that is in the history for good.
    pub async fn announce(&self, command: Command) {
        self.reporter.report(self.event(&command));
        let id = command.job_id.to_string();
        self.finished.publish(&id, &Arc::new(command)).await;
    }

    fn finished_now(&self, job: &Job, utterance: Utterance) -> Command {
        Command {
            job_id: job.id,
            user_id: job.owner,
            fingerprint: utterance.fingerprint(),
            session_id: utterance.session_id,
            command: utterance.text,
            status: Status::Failed,
            created_at: utterance.accepted_at,
            completed_at: self.clock.now(),
            result: None,
            error: None,
        }
    }

    async fn finish(&self, command: Command) -> Result<(), String> {
        self.store.record(&command).await.map_err(|error| error.to_string())?;
        self.announce(command).await;
        Ok(())
    }

    fn event(&self, command: &Command) -> Event {
        let result = command.result.as_ref();
        let known = self.pipeline.models().current();
        Event::Command {
            at: command.completed_at,
            user_id: command.user_id,
            source: result.map_or("failed", |result| result.source.as_str()).to_owned(),
            intent: result.map_or(NONE, |result| &result.intent).to_owned(),
            language: result.map_or("und", |result| known.language_label(&result.language)).to_owned(),
            duration_ms: result.map_or(0.0, |result| result.processing_time_ms),
        }
    }
}
