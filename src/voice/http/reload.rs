//! `POST /api/voice/skills/reload`: has the skills learnt anew.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Code, FieldError, Problem};
use crate::voice::learning::Learning;
use crate::voice::models::ReloadError;

/// The endpoint.
pub fn routes() -> OpenApiRouter<Arc<Learning>> {
    OpenApiRouter::new().routes(routes!(reload))
}

/// What it brought in the process that was asked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reloaded {
    /// Whether another model is in use now.
    changed: bool,
    /// The version of the model in use.
    #[schema(example = "e7b212616f20b52b")]
    model_version: String,
}

/// Learn the skills anew
///
/// Reads the skill files again, trains if they have changed, and puts the new model to use; commands
/// are answered all the while (scope `voice:admin`). With files that can't be read the model in use
/// stays. When this has gone well here, every other process that answers commands does the same with its
/// own files, and reports to its log.
#[utoipa::path(
    post, path = "/api/voice/skills/reload", tag = "voice", operation_id = "reloadSkills",
    responses(
        (status = 200, description = "The skills are in use", body = Reloaded),
        (status = "4XX", description = "Not permitted, or the files can't be read: `errors` has a line for each problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:admin"]), ("bearer" = ["voice:admin"])),
)]
async fn reload(
    State(learning): State<Arc<Learning>>,
    principal: Principal,
) -> Result<axum::Json<Reloaded>, ApiError> {
    principal.require(Scope::VoiceAdmin)?;
    let changed = learning.learn().await.map_err(|error| match error {
        ReloadError::Skills(problems) => {
            let line = |line: &str| FieldError { field: "skills".to_owned(), message: line.to_owned() };
            ApiError::invalid_fields(problems.lines().map(line).collect())
        }
        ReloadError::Busy => ApiError::new(Code::Conflict, error.to_string()),
        ReloadError::Broken(_) => ApiError::internal(error),
    })?;
    Ok(axum::Json(Reloaded {
        changed,
        model_version: learning.models().current().model.version().to_owned(),
    }))
}
