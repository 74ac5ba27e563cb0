//! `GET /api/voice/status/{jobId}`: how a command stands.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Path;
use crate::kit::ids::JobId;
use crate::kit::queue::{JobState, Queue};
use crate::voice::api::{CommandError, CommandResult, Status};
use crate::voice::store::CommandStore;

/// Where to look.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Commands that are not done.
    pub queue: Arc<dyn Queue>,
    /// Commands that are.
    pub store: Arc<dyn CommandStore>,
}

/// The endpoint.
pub fn routes() -> OpenApiRouter<Lookup> {
    OpenApiRouter::new().routes(routes!(status))
}

/// How a command stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// The command.
    job_id: JobId,
    /// How it stands.
    status: Status,
    /// In percent.
    #[schema(example = 100)]
    progress: u8,
    /// The answer, once there is one.
    result: Option<CommandResult>,
    /// Why there will be none.
    error: Option<CommandError>,
    /// When it was accepted.
    created_at: Timestamp,
}

/// Ask how a command stands
///
/// Only the caller's own commands are found.
#[utoipa::path(
    get, path = "/api/voice/status/{jobId}", tag = "voice", operation_id = "status",
    params(("jobId" = JobId, Path, description = "The id that `process` gave")),
    responses(
        (status = 200, description = "How it stands", body = JobStatus),
        (status = "4XX", description = "No such command of this caller's", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:read"]), ("bearer" = ["voice:read"])),
)]
async fn status(
    State(lookup): State<Lookup>,
    principal: Principal,
    Path(job_id): Path<JobId>,
) -> Result<axum::Json<JobStatus>, ApiError> {
    principal.require(Scope::VoiceRead)?;
    // The queue first: a command moves from there to the history, and is in one of the two. For a
    // moment it is in both: then it is answered, and whoever waited for that was told so.
    let job = lookup.queue.get(job_id, Some(principal.user_id)).await?;
    let done = lookup.store.get(principal.user_id, job_id).await?;
    let answered = done.as_ref().is_some_and(|command| command.status == Status::Completed);
    if let Some(job) = job.filter(|_| !answered) {
        let status = match job.state {
            JobState::Waiting => Status::Waiting,
            JobState::Active => Status::Active,
            JobState::Delayed => Status::Delayed,
            JobState::Failed => Status::Failed,
        };
        let error = (status == Status::Failed).then(|| CommandError {
            code: "failed".to_owned(),
            message: "the command could not be answered; an administrator can have it tried again".to_owned(),
        });
        return Ok(axum::Json(JobStatus {
            job_id,
            status,
            progress: job.progress.get(),
            result: None,
            error,
            created_at: job.created_at,
        }));
    }
    let command = done.ok_or_else(|| ApiError::not_found("command"))?;
    Ok(axum::Json(JobStatus {
        job_id,
        status: command.status,
        progress: 100,
        result: command.result,
        error: command.error,
        created_at: command.created_at,
    }))
}
