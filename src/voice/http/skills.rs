//! `/api/voice/skills` and `/api/voice/suggestions`: what the model in use knows.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Problem};
use crate::kit::http::extract::Path;
use crate::voice::models::Models;

/// The endpoints.
pub fn routes() -> OpenApiRouter<Arc<Models>> {
    OpenApiRouter::new().routes(routes!(skills)).routes(routes!(suggestions))
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
