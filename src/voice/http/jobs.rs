//! `/api/voice/jobs`: cancelling one's own, and what an administrator does about dead ones.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Code, Problem};
use crate::kit::http::extract::{Path, Query};
use crate::kit::http::page;
use crate::kit::ids::{JobId, UserId};
use crate::kit::queue::{Cancel, Job, JobCursor, JobFilter, JobState, Queue};
use crate::voice::QUEUE;
use crate::voice::api::CANCELLED;
use crate::voice::metrics;
use crate::voice::store::CommandStore;
use crate::voice::worker::Worker;

/// What the endpoints need.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// The jobs.
    pub queue: Arc<dyn Queue>,
    /// Tells a command that is done from one that never was.
    pub store: Arc<dyn CommandStore>,
    /// Records a cancellation.
    pub worker: Arc<Worker>,
}

/// The endpoints.
pub fn routes() -> OpenApiRouter<Jobs> {
    OpenApiRouter::new()
        .routes(routes!(cancel))
        .routes(routes!(list))
        .routes(routes!(retry))
        .routes(routes!(retry_all))
}

/// Cancel a command
///
/// One's own, as long as it has not begun. It stays in the history as failed, `cancelled`.
#[utoipa::path(
    delete, path = "/api/voice/jobs/{jobId}", tag = "voice", operation_id = "cancelJob",
    params(("jobId" = JobId, Path, description = "The id that `process` gave")),
    responses(
        (status = 204, description = "Cancelled"),
        (status = 404, description = "No such command of this caller's", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It has begun, or is done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:process"]), ("bearer" = ["voice:process"])),
)]
async fn cancel(
    State(jobs): State<Jobs>,
    principal: Principal,
    Path(id): Path<JobId>,
) -> Result<StatusCode, ApiError> {
    principal.require(Scope::VoiceProcess)?;
    // A task of its own: a client that goes away must not cut it short.
    let cancelled = tokio::spawn(async move { jobs.cancel(principal.user_id, id).await });
    cancelled.await.map_err(ApiError::internal)?.map(|()| StatusCode::NO_CONTENT)
}

impl Jobs {
    /// Cancels `owner`'s command `id`.
    ///
    /// The history has the cancellation before the queue loses the job, so a crash in between leaves
    /// it in one of them at least: the job of a command that is cancelled is dropped unanswered. If
    /// the job begins in this very moment its answer takes the place of the cancellation.
    async fn cancel(&self, owner: UserId, id: JobId) -> Result<(), ApiError> {
        let begun = || ApiError::new(Code::Conflict, "the command is being answered right now");
        let Some(job) = self.queue.get(id, Some(owner)).await? else {
            let done = self.store.get(owner, id).await?.is_some();
            return Err(if done {
                ApiError::new(Code::Conflict, "the command is done")
            } else {
                ApiError::not_found("command")
            });
        };
        match job.state {
            JobState::Waiting | JobState::Delayed => {}
            JobState::Active => return Err(begun()),
            JobState::Failed => return Err(ApiError::new(Code::Conflict, "the command was given up")),
        }
        let command = self.worker.cancelled(&job).map_err(ApiError::internal)?;
        self.store.record(&command).await?;
        match self.queue.cancel(id, Some(owner)).await? {
            Cancel::Removed(_) => {
                metrics::failed(CANCELLED);
                self.worker.announce(command).await;
                Ok(())
            }
            _ => Err(begun()),
        }
    }
}

/// A job, as an administrator sees it: what was said stays its owner's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    /// The job.
    job_id: JobId,
    /// What it is.
    #[schema(example = "voice.process")]
    kind: String,
    /// How it stands.
    #[schema(value_type = String, example = "failed")]
    state: JobState,
    /// Whose it is.
    owner: UserId,
    /// Attempts begun.
    attempts: u32,
    /// Attempts it has.
    max_attempts: u32,
    /// When it was accepted.
    created_at: Timestamp,
    /// From when it may run.
    run_at: Timestamp,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            job_id: job.id,
            kind: job.kind,
            state: job.state,
            owner: job.owner,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            created_at: job.created_at,
            run_at: job.run_at,
            last_error: job.last_error,
        }
    }
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobList {
    /// Oldest first.
    jobs: Vec<JobView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    next_cursor: Option<JobCursor>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only jobs in this state: `waiting`, `active`, `delayed` or `failed`.
    #[param(value_type = Option<String>, example = "failed")]
    state: Option<JobState>,
    /// Entries on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<JobCursor>,
}

/// List jobs
///
/// Everybody's, for administrators (scope `voice:admin`).
#[utoipa::path(
    get, path = "/api/voice/jobs", tag = "voice", operation_id = "listJobs",
    params(ListQuery),
    responses(
        (status = 200, description = "A page", body = JobList),
        (status = "4XX", description = "No page", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:admin"]), ("bearer" = ["voice:admin"])),
)]
async fn list(
    State(jobs): State<Jobs>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<JobList>, ApiError> {
    principal.require(Scope::VoiceAdmin)?;
    let limit = page::Page::parse(query.limit, None, None)?.limit as usize;
    let filter = JobFilter { state: query.state, after: query.cursor, limit, ..JobFilter::of(QUEUE) };
    let found = jobs.queue.list(filter).await?;
    let jobs = found.jobs.into_iter().map(JobView::from).collect();
    Ok(axum::Json(JobList { jobs, next_cursor: found.next }))
}

/// How many jobs will be tried again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Retried {
    /// Dead jobs that have all their attempts again.
    #[schema(example = 1)]
    retried: u64,
}

/// Try a dead job again
///
/// It has all its attempts again, from now on (scope `voice:admin`).
#[utoipa::path(
    post, path = "/api/voice/jobs/{jobId}/retry", tag = "voice", operation_id = "retryJob",
    params(("jobId" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "Will be tried", body = Retried),
        (status = "4XX", description = "No dead job of that id", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:admin"]), ("bearer" = ["voice:admin"])),
)]
async fn retry(
    State(jobs): State<Jobs>,
    principal: Principal,
    Path(id): Path<JobId>,
) -> Result<axum::Json<Retried>, ApiError> {
    principal.require(Scope::VoiceAdmin)?;
    if jobs.queue.retry(id).await? {
        return Ok(axum::Json(Retried { retried: 1 }));
    }
    Err(ApiError::not_found("dead job"))
}

/// Try all dead jobs again
///
/// For administrators (scope `voice:admin`), after what killed them was mended.
#[utoipa::path(
    post, path = "/api/voice/jobs/retry", tag = "voice", operation_id = "retryAllJobs",
    responses(
        (status = 200, description = "Will be tried", body = Retried),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:admin"]), ("bearer" = ["voice:admin"])),
)]
async fn retry_all(State(jobs): State<Jobs>, principal: Principal) -> Result<axum::Json<Retried>, ApiError> {
    principal.require(Scope::VoiceAdmin)?;
    Ok(axum::Json(Retried { retried: jobs.queue.retry_all(QUEUE).await? }))
}
