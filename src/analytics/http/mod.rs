//! The analytics module's endpoints, one a file.

pub mod internal;
pub mod real_time;

use utoipa::openapi::OpenApi;

/// What `openapi.json` says of these endpoints.
pub fn document() -> OpenApi {
    real_time::routes().to_openapi()
}
