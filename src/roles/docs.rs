//! The documentation of the API: one OpenAPI document of all modules in this binary, and a page.

use axum::Router;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::kit::health::{self, HealthState};

/// Where the document is served.
pub const DOCUMENT: &str = "/api/openapi.json";

/// The document.
pub fn document() -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Voicera")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Spoken and typed commands, understood. Errors are problem documents (RFC 9457); `/api/v1/…` is `/api/…`, pinned.",
        ))
        .license(Some(license))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))))
        .security_scheme(
            "bearer",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        )
        .build();
    let tag = |name: &str, text: &str| TagBuilder::new().name(name).description(Some(text)).build();
    let mut document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .components(Some(components))
        .tags(Some([
            tag("voice", "Commands, their answers, and their history"),
            tag("users", "Who one is"),
            tag("analytics", "Figures of the whole installation"),
            tag("operations", "Whether it works"),
        ]))
        .build();
    for module in modules() {
        document.merge(module);
    }
    document.merge(
        OpenApiRouter::<HealthState>::new()
            .routes(routes!(health::health))
            .routes(routes!(health::live))
            .routes(routes!(health::ready))
            .to_openapi(),
    );
    document
}

fn modules() -> Vec<OpenApi> {
    vec![
        #[cfg(feature = "voice")]
        crate::voice::http::document(),
        #[cfg(feature = "users")]
        crate::users::http::document(),
        #[cfg(feature = "analytics")]
        crate::analytics::http::document(),
        #[cfg(feature = "gateway")]
        crate::gateway::http::document(),
    ]
}

/// The document as it is committed: pretty, with a newline at its end.
///
/// # Errors
/// If the document can't be said in JSON.
pub fn document_json() -> Result<String, serde_json::Error> {
    document().to_pretty_json().map(|json| json + "\n")
}

/// `/docs` and the document behind it.
pub(super) fn router() -> Router {
    SwaggerUi::new("/docs").url(DOCUMENT, document()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::auth::Scope;

    /// The permissions that an operation needs stand with it, in the words of the table of roles.
    #[test]
    fn every_permission_in_the_document_is_one_that_a_role_can_have() {
        let document = serde_json::to_value(document()).unwrap();
        let operations =
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        let mut named = std::collections::BTreeSet::new();
        for (_, operation) in operations {
            for alternative in operation["security"].as_array().into_iter().flatten() {
                for scopes in alternative.as_object().unwrap().values() {
                    for scope in scopes.as_array().unwrap() {
                        named.insert(scope.as_str().unwrap().parse::<Scope>().unwrap());
                    }
                }
            }
        }
        #[cfg(all(feature = "voice", feature = "users", feature = "analytics"))]
        assert_eq!(named, Scope::ALL.iter().copied().collect(), "a permission that nothing needs");
    }
}
