//! The users module's endpoints, one a file.

pub mod internal;
pub mod me;

use utoipa::openapi::OpenApi;

/// What `openapi.json` says of these endpoints.
pub fn document() -> OpenApi {
    me::routes().to_openapi()
}
