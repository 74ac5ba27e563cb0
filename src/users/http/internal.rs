//! The users contract, as other roles call it.

use axum::Router;
use axum::extract::State;
use axum::routing::post;

use crate::kit::auth::Credential;
use crate::kit::error::ApiError;
use crate::kit::http::extract::Json;
use crate::users::api::{
    IDENTIFY, IdentifyRequest, Identity, PREFERENCES, Preferences, PreferencesRequest, TRUST, Trust,
    TrustRequest, Users as _,
};
use crate::users::local::LocalUsers;

/// The contract calls.
pub fn routes(users: LocalUsers) -> Router {
    Router::new()
        .route(IDENTIFY, post(identify))
        .route(TRUST, post(trust))
        .route(PREFERENCES, post(preferences))
        .with_state(users)
}

async fn identify(
    State(users): State<LocalUsers>,
    Json(request): Json<IdentifyRequest>,
) -> Result<axum::Json<Identity>, ApiError> {
    users.identify(&Credential::new(request.key)).await.map(axum::Json)
}

async fn trust(
    State(users): State<LocalUsers>,
    Json(request): Json<TrustRequest>,
) -> Result<axum::Json<Trust>, ApiError> {
    users.trust(request.position).await.map(axum::Json)
}

async fn preferences(
    State(users): State<LocalUsers>,
    Json(request): Json<PreferencesRequest>,
) -> Result<axum::Json<Preferences>, ApiError> {
    users.preferences(request.user).await.map(axum::Json)
}
