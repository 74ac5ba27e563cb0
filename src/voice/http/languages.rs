//! `GET /api/voice/languages`: what the loaded model understands.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Problem};
use crate::voice::models::Models;

/// The endpoint.
pub fn routes() -> OpenApiRouter<Arc<Models>> {
    OpenApiRouter::new().routes(routes!(languages))
}

/// What the loaded model understands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Languages {
    /// One entry a language.
    languages: Vec<Language>,
    /// The version of the model.
    #[schema(example = "5f0c1d9a7b3e")]
    model_version: String,
}

/// A language with training data.
#[derive(Debug, Serialize, ToSchema)]
pub struct Language {
    /// The BCP 47 tag.
    #[schema(example = "en")]
    code: String,
    /// The intents that can be said in it.
    #[schema(example = json!(["get_assignments", "greeting"]))]
    intents: Vec<String>,
}

/// List the languages
///
/// Those that the loaded model has training data for, and what can be said in each.
#[utoipa::path(
    get, path = "/api/voice/languages", tag = "voice", operation_id = "languages",
    responses(
        (status = 200, description = "The languages", body = Languages),
        (status = "4XX", description = "No list", body = Problem, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["voice:read"]), ("bearer" = ["voice:read"])),
)]
async fn languages(
    State(models): State<Arc<Models>>,
    principal: Principal,
) -> Result<axum::Json<Languages>, ApiError> {
    principal.require(Scope::VoiceRead)?;
    let known = models.current();
    let model = &known.model;
    let mut by_language: BTreeMap<String, Vec<String>> =
        model.languages().iter().map(|code| (code.clone(), Vec::new())).collect();
    for intent in model.intents() {
        for language in &intent.languages {
            by_language.entry(language.clone()).or_default().push(intent.name.clone());
        }
    }
    let languages = by_language.into_iter().map(|(code, intents)| Language { code, intents }).collect();
    Ok(axum::Json(Languages { languages, model_version: model.version().to_owned() }))
}
