//! The users module's endpoints, one a file.

pub mod internal;
pub mod jwks;
pub mod login;
pub mod logout;
pub mod me;
pub mod passkey_login;
pub mod passkeys;
pub mod refresh;
pub mod second_factor;
pub mod sessions;
pub mod totp;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::users::local::LocalUsers;

/// By which one gets a credential: they answer without one.
fn open_routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new()
        .merge(jwks::routes())
        .merge(login::routes())
        .merge(second_factor::routes())
        .merge(passkey_login::routes())
        .merge(refresh::routes())
}

/// For which one needs a credential.
fn guarded_routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new()
        .merge(me::routes())
        .merge(sessions::routes())
        .merge(logout::routes())
        .merge(totp::routes())
        .merge(passkeys::routes())
}

/// The endpoints that answer without a credential.
pub(super) fn open(users: &LocalUsers) -> Router {
    open_routes().with_state(users.clone()).into()
}

/// The endpoints behind a credential.
pub(super) fn guarded(users: &LocalUsers) -> Router {
    guarded_routes().with_state(users.clone()).into()
}

/// What `openapi.json` says of these endpoints.
pub fn document() -> OpenApi {
    open_routes().merge(guarded_routes()).to_openapi()
}
