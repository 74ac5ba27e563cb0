//! The voice contract, as other roles call it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;

use crate::kit::error::ApiError;
use crate::kit::http::extract::Json;
use crate::voice::api::{ERASE, EXPORT, EraseRequest, ExportPage, ExportRequest, Voice as _};
use crate::voice::local::LocalVoice;

/// The contract calls.
pub fn routes(voice: Arc<LocalVoice>) -> Router {
    Router::new().route(EXPORT, post(export)).route(ERASE, post(erase)).with_state(voice)
}

async fn export(
    State(voice): State<Arc<LocalVoice>>,
    Json(request): Json<ExportRequest>,
) -> Result<axum::Json<ExportPage>, ApiError> {
    voice.export(request.user, request.after).await.map(axum::Json)
}

async fn erase(
    State(voice): State<Arc<LocalVoice>>,
    Json(request): Json<EraseRequest>,
) -> Result<StatusCode, ApiError> {
    voice.erase(request.user).await.map(|()| StatusCode::NO_CONTENT)
}
