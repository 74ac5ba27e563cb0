//! The voice module's endpoints, one a file.

pub mod history;
pub mod internal;
pub mod jobs;
pub mod languages;
pub mod process;
pub mod reload;
pub mod skills;
pub mod stats;
pub mod status;

use utoipa::openapi::OpenApi;

/// What `openapi.json` says of the public endpoints.
pub fn document() -> OpenApi {
    let mut document = process::routes().to_openapi();
    for endpoints in [
        status::routes().to_openapi(),
        history::routes().to_openapi(),
        stats::routes().to_openapi(),
        languages::routes().to_openapi(),
        skills::routes().to_openapi(),
        reload::routes().to_openapi(),
        jobs::routes().to_openapi(),
    ] {
        document.merge(endpoints);
    }
    document
}
