//! `/api/voice/skills`: what the model in use knows, and having it learn anew.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Code, FieldError, Problem};
use crate::kit::http::extract::Path;
use crate::voice::models::{Models, ReloadError};

/// The endpoints.
pub fn routes() -> OpenApiRouter<Arc<Models>> {
    OpenApiRouter::new().routes(routes!(skills)).routes(routes!(reload)).routes(routes!(suggestions))
}

/// What the model in use knows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Skills {
    /// The version of the model: the same data gives the same version.
    #[schema(example = "e7b212616f20b52b")]
    model_version: String,
    /// BCP 47 tags.
    #[schema(example = json!(["en"]))]
    languages: Vec<String>,
    /// In alphabetical order.
    intents: Vec<Skill>,
}

/// One intent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Skill {
    /// Its name.
    #[schema(example = "get_assignments")]
    name: String,
    /// The languages in which it can be said.
    languages: Vec<String>,
    /// Distinct sentences and templates that someone wrote.
    #[schema(example = 48)]
    examples: usize,
    /// Entity types annotated in them.
    #[schema(example = json!(["subject"]))]
    entities: Vec<String>,
    /// Some of the sentences.
    samples: Vec<String>,
}

/// List what can be said
///
/// The intents of the model in use, with their languages and entities.
#[utoipa::path(
    get, path = "/api/voice/skills", tag = "voice", operation_id = "skills",
    responses(
        (status = 200, description = "What the model in use knows", body = Skills),
        (status = "4XX", description = "Not permitted", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:read"]), ("bearer" = ["voice:read"])),
)]
async fn skills(
    State(models): State<Arc<Models>>,
    principal: Principal,
) -> Result<axum::Json<Skills>, ApiError> {
    principal.require(Scope::VoiceRead)?;
    let known = models.current();
    let skill = |intent: crate::nlu::IntentSummary| Skill {
        name: intent.name,
        languages: intent.languages,
        examples: intent.examples,
        entities: intent.entities,
        samples: intent.samples,
    };
    Ok(axum::Json(Skills {
        model_version: known.model.version().to_owned(),
        languages: known.model.languages().to_vec(),
        intents: known.model.intents().into_iter().map(skill).collect(),
    }))
}

/// What a reload brought.
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
/// stays. The signal SIGHUP does the same.
#[utoipa::path(
    post, path = "/api/voice/skills/reload", tag = "voice", operation_id = "reloadSkills",
    responses(
        (status = 200, description = "The skills are in use", body = Reloaded),
        (status = "4XX", description = "Not permitted, or the files can't be read: `errors` has a line for each problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:admin"]), ("bearer" = ["voice:admin"])),
)]
async fn reload(
    State(models): State<Arc<Models>>,
    principal: Principal,
) -> Result<axum::Json<Reloaded>, ApiError> {
    principal.require(Scope::VoiceAdmin)?;
    let changed = models.reload().await.map_err(|error| match error {
        ReloadError::Skills(problems) => {
            let line = |line: &str| FieldError { field: "skills".to_owned(), message: line.to_owned() };
            ApiError::invalid_fields(problems.lines().map(line).collect())
        }
        ReloadError::Busy => ApiError::new(Code::Conflict, error.to_string()),
        ReloadError::Broken(_) => ApiError::internal(error),
    })?;
    Ok(axum::Json(Reloaded { changed, model_version: models.current().model.version().to_owned() }))
}

/// What could be said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestions {
    /// The BCP 47 tag.
    #[schema(example = "en")]
    language: String,
    /// Sentences of as many intents as possible.
    #[schema(example = json!(["show me my grades"]))]
    suggestions: Vec<String>,
}

/// Sentences in one answer.
const SUGGESTED: usize = 20;

/// Suggest what to say
///
/// Sentences that the model in use understands, in one language.
#[utoipa::path(
    get, path = "/api/voice/suggestions/{language}", tag = "voice", operation_id = "suggestions",
    params(("language" = String, Path, description = "A BCP 47 tag that `languages` lists", example = "en")),
    responses(
        (status = 200, description = "Sentences", body = Suggestions),
        (status = "4XX", description = "The model does not know the language", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:read"]), ("bearer" = ["voice:read"])),
)]
async fn suggestions(
    State(models): State<Arc<Models>>,
    principal: Principal,
    Path(language): Path<String>,
) -> Result<axum::Json<Suggestions>, ApiError> {
    principal.require(Scope::VoiceRead)?;
    let known = models.current();
    let suggestions = known.model.suggestions(&language, SUGGESTED);
    if suggestions.is_empty() {
        return Err(ApiError::not_found("language in the model; `GET /api/voice/languages` lists them"));
    }
    let suggestions = suggestions.into_iter().map(str::to_owned).collect();
    Ok(axum::Json(Suggestions { language, suggestions }))
}
