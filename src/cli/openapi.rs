//! `voicera openapi`: the document of the API, as it is committed.

use clap::Args;

use crate::cli::{Failure, print};
use crate::roles::docs;

/// Print the OpenAPI 3.1 document of the API
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  voicera openapi > openapi.json")]
pub(super) struct OpenapiArgs {}

pub(super) fn run() -> Result<(), Failure> {
    let document = docs::document_json().map_err(|error| Failure::Failed(error.to_string()))?;
    print(&document)
}
