//! The gateway's own endpoints: what it knows of those behind it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::gateway::Gateway;
use crate::gateway::pool::PoolState;
use crate::gateway::upstream::Upstream;
use crate::kit::auth::{Principal, Scope};
use crate::kit::error::{ApiError, Problem};

/// What `openapi.json` says of these endpoints.
pub fn document() -> OpenApi {
    routes().to_openapi()
}

/// The endpoints, under both names of the current version.
pub(super) fn router() -> Router<Arc<Gateway>> {
    Router::from(routes()).route("/api/v1/gateway/upstreams", get(upstreams))
}

fn routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::new().routes(routes!(upstreams))
}

/// Everybody behind the gateway.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Upstreams {
    /// Each upstream that a route leads to, by name.
    upstreams: Vec<UpstreamState>,
}

/// Somebody behind the gateway.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum UpstreamState {
    /// A module of the same process.
    Module {
        /// Its name.
        #[schema(example = "voice")]
        name: String,
    },
    /// Servers at other addresses.
    Servers(PoolState),
}

/// List the gateway's upstreams
///
/// With what this process of the gateway knows of each endpoint: whether it takes requests, how fast it answers,
/// how many wait for it, and whether the breaker lets anybody through.
#[utoipa::path(
    get, path = "/api/gateway/upstreams", tag = "operations", operation_id = "listUpstreams",
    security(("apiKey" = ["gateway:read"]), ("bearer" = ["gateway:read"])),
    responses(
        (status = 200, description = "The upstreams", body = Upstreams),
        (status = "4XX", description = "No credential, or one that does not reach this far", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn upstreams(
    State(gateway): State<Arc<Gateway>>,
    principal: Principal,
) -> Result<axum::Json<Upstreams>, ApiError> {
    principal.require(Scope::GatewayRead)?;
    let table = gateway.table();
    let mut upstreams: Vec<&Upstream> = table.routes().iter().map(|route| &route.upstream).collect();
    upstreams.sort_by_key(|upstream| upstream.name());
    upstreams.dedup_by_key(|upstream| upstream.name());
    let state = |upstream: &Upstream| match upstream {
        Upstream::Local(name, _) => UpstreamState::Module { name: name.to_string() },
        Upstream::Remote(pool) => UpstreamState::Servers(pool.state()),
    };
    Ok(axum::Json(Upstreams { upstreams: upstreams.into_iter().map(state).collect() }))
}
