//! Everything in one process: the gateway over the modules' own routers, with no socket between.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;

use crate::gateway::upstream::Upstream;
use crate::kit::auth;
use crate::roles::data_folder::DataFolder;
use crate::roles::gateway::Peers;
use crate::roles::host::Host;
use crate::roles::routing::Module;
use crate::roles::shared::Shared;
use crate::roles::{RoleError, analytics, gateway, users, voice};

/// Serves all modules.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let folder = Arc::new(DataFolder::open(&host.config().server.data_dir)?);
    let shared = Shared::open(&host.config().redis).await?;
    let accounts = users::open(&host, &folder, &shared).await?;
    let analytics::Opened { analytics, store: counters } = analytics::open(&host, &folder).await?;
    let working = voice::open(&host, &folder, &shared, analytics.clone()).await?;
    let personal = accounts.with_voice(&host, Some(working.voice.clone()));

    let authenticator = Arc::clone(&accounts.authenticator);
    let module =
        |name: &str, endpoints: axum::Router| Module::Here(Upstream::local(name, host.mount(endpoints)));
    let guarded = |name: &str, endpoints: axum::Router| {
        module(name, endpoints.layer(from_fn_with_state(Arc::clone(&authenticator), auth::authenticate)))
    };
    let modules = BTreeMap::from([
        ("voice", guarded("voice", working.voice.router())),
        ("users", module("users", accounts.endpoints(&personal))),
        ("analytics", guarded("analytics", analytics.router())),
    ]);
    let (gateway, stop) = gateway::open(&host, &shared, modules, Arc::clone(&authenticator))?;
    let peers = Peers {
        voice: working.voice.clone(),
        users: Arc::clone(&accounts.probe),
        analytics,
        beside: shared.probe().map(|redis| ("redis", redis)).into_iter().collect(),
    };
    host.serve(listener, gateway.router(), Arc::new(peers)).await;
    stop.cancel();
    working.close().await;
    shared.close().await;
    accounts.stop();
    host.finish().await;
    futures_util::join!(accounts.close(), counters.close());
    Ok(())
}
