//! The users module's endpoints, one a file.

pub mod accounts;
pub mod audit;
mod ceremony;
pub mod internal;
pub mod invitations;
pub mod jwks;
pub mod keys;
pub mod login;
pub mod logout;
pub mod me;
pub mod passkey_login;
pub mod passkeys;
pub mod password;
pub mod personal;
pub mod refresh;
pub mod register;
pub mod reset;
pub mod roles;
pub mod second_factor;
mod sent;
pub mod sessions;
pub mod totp;
pub mod verify;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::users::local::LocalUsers;

/// By which one gets a credential: they answer without one.
fn open_routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new()
        .merge(jwks::routes())
        .merge(login::routes())
        .merge(refresh::routes())
        .merge(register::routes())
        .merge(verify::routes())
        .merge(reset::routes())
        .merge(second_factor::routes())
        .merge(passkey_login::routes())
}

/// For which one needs a credential.
fn guarded_routes() -> OpenApiRouter<LocalUsers> {
    OpenApiRouter::new()
        .merge(me::routes())
        .merge(sessions::routes())
        .merge(logout::routes())
        .merge(accounts::routes())
        .merge(roles::routes())
        .merge(keys::routes())
        .merge(audit::routes())
        .merge(password::routes())
        .merge(invitations::routes())
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
    let mut document = open_routes().merge(guarded_routes()).to_openapi();
    document.merge(personal::routes().to_openapi());
    document
}
