//! The users contract, as other roles call it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;

use crate::kit::auth::{Authenticator as _, Credential, Principal};
use crate::kit::error::ApiError;
use crate::kit::http::extract::Json;
use crate::users::api::{AUTHENTICATE, AuthenticateRequest};
use crate::users::local::LocalUsers;

/// The contract calls.
pub fn routes(users: Arc<LocalUsers>) -> Router {
    Router::new().route(AUTHENTICATE, post(authenticate)).with_state(users)
}

async fn authenticate(
    State(users): State<Arc<LocalUsers>>,
    Json(request): Json<AuthenticateRequest>,
) -> Result<axum::Json<Principal>, ApiError> {
    users.authenticate(&Credential::new(request.credential)).await.map(axum::Json)
}
