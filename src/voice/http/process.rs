//! `POST /api/voice/process`: a command comes in.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Json;
use crate::kit::http::{context, prefer};
use crate::kit::ids::{Ids, JobId, UserId};
use crate::kit::pubsub::{Heard, Subscription};
use crate::kit::queue::{Enqueued, Job, NewJob, Queue};
use crate::voice::QUEUE;
use crate::voice::api::{Command, CommandError, CommandResult, Status};
use crate::voice::command::{self, CommandLimits, Process, Utterance};
use crate::voice::store::CommandStore;
use crate::voice::worker::Finished;

/// What accepting a command takes.
#[derive(Debug, Clone)]
pub struct Accept {
    /// Where it waits.
    pub queue: Arc<dyn Queue>,
    /// Where it is when it is done.
    pub store: Arc<dyn CommandStore>,
    /// Where its end is announced.
    pub finished: Finished,
    /// Names it.
    pub ids: Ids,
    /// Dates it.
    pub clock: SharedClock,
    /// How large it may be.
    pub limits: CommandLimits,
    /// The longest that a client may wait for it.
    pub max_wait: Duration,
}

/// The endpoint.
pub fn routes() -> OpenApiRouter<Arc<Accept>> {
    OpenApiRouter::new().routes(routes!(process))
}

/// A command, as a client sends it. Further members are ignored: the user comes from the credential.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessRequest {
    /// What was said: 1 to 2000 characters, unless configured otherwise.
    #[schema(example = "when is my next assignment due")]
    command: String,
    /// What the client knows about the moment: a JSON object, up to 16 KiB.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"page": "dashboard"}))]
    context: Value,
    /// The client's name for the conversation, up to 128 bytes.
    #[schema(example = "s-42")]
    session_id: Option<String>,
    /// The language it is in, as a BCP 47 tag; found out when absent.
    #[schema(example = "en")]
    language: Option<String>,
}

/// A command that was accepted and, if the client waited long enough, its answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessReply {
    /// Ask `GET /api/voice/status/{jobId}` for it.
    job_id: JobId,
    /// How it stands.
    status: Status,
    /// The reply in words once there is one, otherwise what happened.
    #[schema(example = "accepted")]
    message: String,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<CommandResult>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CommandError>,
}

/// Send a command
///
/// The command is on disk when this answers. Without `Prefer: wait` the answer is `202` with the
/// address to poll; with `Prefer: wait=N` it is the result, if there is one within N seconds.
/// A repeated request with the same `Idempotency-Key` is the same command.
#[utoipa::path(
    post, path = "/api/voice/process", tag = "voice", operation_id = "process",
    request_body = ProcessRequest,
    params(
        ("prefer" = Option<String>, Header, description = "`wait=N`: answer with the result, if there is one within N seconds (RFC 7240)", example = "wait=10"),
        ("idempotency-key" = Option<String>, Header, description = "1 to 255 characters that name this command: sent again, it is not done again"),
    ),
    responses(
        (status = 200, description = "Answered: within the time that the client would wait, or before a request with a key was repeated", body = ProcessReply),
        (status = 202, description = "Accepted; `location` says where to ask", body = ProcessReply),
        (status = "4XX", description = "Not accepted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too much is waiting; `retry-after` says when to come back", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:process"]), ("bearer" = ["voice:process"])),
)]
async fn process(
    State(accept): State<Arc<Accept>>,
    principal: Principal,
    headers: HeaderMap,
    Json(request): Json<ProcessRequest>,
) -> Result<Response, ApiError> {
    principal.require(Scope::VoiceProcess)?;
    command::check(
        accept.limits,
        &request.command,
        request.language.as_deref(),
        request.session_id.as_deref(),
        &request.context,
    )?;
    let owner = principal.user_id;
    let key = prefer::idempotency_key(&headers)?;
    let wait = prefer::wait(&headers, accept.max_wait);
    let id: JobId = key.map_or_else(|| accept.ids.fresh(), |key| prefer::idempotent_id(owner, key));
    let utterance = Utterance {
        text: request.command,
        language: request.language,
        session_id: request.session_id,
        context: request.context,
        accepted_at: accept.clock.now(),
    };

    // Listening starts before the job can run, wherever it will: its end can't be missed.
    let listening = match wait {
        Some(wait) => Some((wait, accept.finished.subscribe(&id.to_string()).await)),
        None => None,
    };
    if key.is_some()
        && let Some(known) = accept.earlier(owner, id, &utterance).await?
    {
        return Ok(done(&known, wait));
    }
    let fresh = accept.queue.enqueue(job(owner, id, &utterance)?).await? == Enqueued::Created;
    // With a key, the other request may have been done just between the look and the queue: its
    // answer stands, and the worker drops what was enqueued again.
    if (key.is_some() || !fresh)
        && let Some(known) = accept.earlier(owner, id, &utterance).await?
    {
        return Ok(done(&known, wait));
    }
    if let Some((wait, finished)) = listening
        && let Some(command) = accept.end_of(owner, id, finished, wait).await
    {
        return Ok(done(&command, Some(wait)));
    }
    Ok(accepted(id))
}

impl Accept {
    /// The command that an earlier request with the same key brought, if it is done.
    ///
    /// # Errors
    /// 422 if that one asked something else: a key names one request
    /// (draft-ietf-httpapi-idempotency-key-header §2.7).
    async fn earlier(
        &self,
        owner: UserId,
        id: JobId,
        utterance: &Utterance,
    ) -> Result<Option<Arc<Command>>, ApiError> {
        let fingerprint = utterance.fingerprint();
        let waiting = self.queue.get(id, Some(owner)).await?;
        let waiting =
            waiting.and_then(|job: Job| job.decode::<Process>().ok()).map(|other| other.fingerprint());
        let done = self.store.get(owner, id).await?;
        let mut earlier = waiting.into_iter().chain(done.as_ref().map(|command| command.fingerprint));
        if earlier.any(|earlier| earlier != fingerprint) {
            return Err(ApiError::invalid("Idempotency-Key", "was used before, for another request"));
        }
        Ok(done.map(Arc::new))
    }

    /// The command as it ends within `wait`. It is heard of, or it is in the store: there is the truth,
    /// and there it is looked up when something may have been missed, and once more at the end.
    async fn end_of(
        &self,
        owner: UserId,
        id: JobId,
        mut finished: Subscription<Command>,
        wait: Duration,
    ) -> Option<Arc<Command>> {
        let deadline = Instant::now() + wait;
        loop {
            match timeout_at(deadline, finished.next()).await {
                Ok(Heard::Message(command)) => return Some(command),
                Ok(Heard::Missed) => {
                    if let Some(command) = self.look(owner, id).await {
                        return Some(command);
                    }
                }
                Err(_) => return self.look(owner, id).await,
            }
        }
    }

    async fn look(&self, owner: UserId, id: JobId) -> Option<Arc<Command>> {
        let known = self.store.get(owner, id).await;
        // It is accepted all the same: its client asks again.
        known
            .inspect_err(|error| tracing::warn!(%error, "a command that was waited for is not looked up"))
            .ok()
            .flatten()
            .map(Arc::new)
    }
}

fn job(owner: UserId, id: JobId, utterance: &Utterance) -> Result<NewJob, ApiError> {
    let mut job = NewJob::of::<Process>(id, QUEUE, owner, utterance).map_err(ApiError::internal)?;
    job.traceparent = context::current().map(|context| context.trace.to_string());
    Ok(job)
}

fn accepted(id: JobId) -> Response {
    let reply = ProcessReply {
        job_id: id,
        status: Status::Waiting,
        message: "accepted".to_owned(),
        result: None,
        error: None,
    };
    let mut response = (StatusCode::ACCEPTED, axum::Json(reply)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/voice/status/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn done(command: &Command, waited: Option<Duration>) -> Response {
    let message = match (&command.result, &command.error) {
        (Some(CommandResult { reply: Some(reply), .. }), _) => reply.clone(),
        (None, Some(error)) => error.message.clone(),
        _ => "completed".to_owned(),
    };
    let reply = ProcessReply {
        job_id: command.job_id,
        status: command.status,
        message,
        result: command.result.clone(),
        error: command.error.clone(),
    };
    let mut response = axum::Json(reply).into_response();
    if let Some(waited) = waited
        && let Ok(applied) = HeaderValue::try_from(format!("wait={}", waited.as_secs()))
    {
        response.headers_mut().insert(prefer::PREFERENCE_APPLIED, applied);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::clock::SystemClock;
    use crate::kit::ids::Entropy;
    use crate::kit::pubsub::PubSub as _;
    use crate::kit::pubsub::memory::MemoryPubSub;
    use crate::kit::queue::QueueOptions;
    use crate::kit::queue::sqlite::SqliteQueue;
    use crate::kit::storage::sqlite::Options;
    use crate::voice::store::sqlite::SqliteCommands;

    #[tokio::test]
    async fn a_command_of_whose_end_nothing_was_heard_is_found_in_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| Options::new(folder.path().join(name));
        let (clock, entropy): (SharedClock, _) = (Arc::new(SystemClock), Entropy::seeded(1));
        let store = Arc::new(SqliteCommands::open(&file("voice.db"), &clock, &|_| ()).await.unwrap());
        let options = QueueOptions::default();
        let queue = file("queue.db");
        let queue = SqliteQueue::open(&queue, options, clock.clone(), entropy.clone(), &|_| ()).await;
        let told = MemoryPubSub::default();
        let ids = Ids::new(clock.clone(), entropy);
        let command = Command {
            job_id: ids.fresh(),
            user_id: ids.fresh(),
            session_id: None,
            command: "hello".to_owned(),
            status: Status::Failed,
            created_at: clock.now(),
            completed_at: clock.now(),
            result: None,
            error: None,
            fingerprint: [0; 32],
        };
        store.record(&command).await.unwrap();
        let accept = Accept {
            queue: Arc::new(queue.unwrap()),
            store,
            finished: Arc::new(told.clone()),
            ids: ids.clone(),
            clock,
            limits: CommandLimits { text_chars: 1, context_bytes: 1 },
            max_wait: Duration::ZERO,
        };
        let wait = Duration::from_millis(10);
        let unheard = told.subscribe("topic").await;
        let found = accept.end_of(command.user_id, command.job_id, unheard, wait).await;
        assert_eq!(found.unwrap().job_id, command.job_id);
        let unheard = told.subscribe("topic").await;
        assert_eq!(accept.end_of(command.user_id, ids.fresh(), unheard, wait).await, None);
    }
}
