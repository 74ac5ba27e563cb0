//! The analytics contract, as other roles call it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;

use crate::analytics::api::{Analytics as _, Batch, RECORD};
use crate::analytics::local::LocalAnalytics;
use crate::kit::error::ApiError;
use crate::kit::http::extract::Json;

/// The contract calls.
pub fn routes(analytics: Arc<LocalAnalytics>) -> Router {
    Router::new().route(RECORD, post(record)).with_state(analytics)
}

async fn record(
    State(analytics): State<Arc<LocalAnalytics>>,
    Json(batch): Json<Batch>,
) -> Result<StatusCode, ApiError> {
    analytics.record(batch).await.map(|()| StatusCode::NO_CONTENT)
}
