//! Everything in one process: the gateway over the modules' own routers, with no socket between.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;

use crate::gateway::Gateway;
use crate::gateway::upstream::Upstream;
use crate::kit::auth;
use crate::roles::data_folder::DataFolder;
use crate::roles::gateway::Peers;
use crate::roles::host::Host;
use crate::roles::shared::Shared;
use crate::roles::{RoleError, analytics, routes, users, voice};

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
    let module = |endpoints: axum::Router| {
        let endpoints = endpoints.layer(from_fn_with_state(Arc::clone(&authenticator), auth::authenticate));
        Upstream::Local(host.mount(endpoints))
    };
    let gateway = Gateway {
        routes: routes(
            &module(working.voice.router()),
            &Upstream::Local(host.mount(accounts.endpoints(&personal))),
            &module(analytics.router()),
        ),
        authenticator: Arc::clone(&authenticator),
        max_body_bytes: host.config().server.max_body_bytes as u64,
    };
    let peers = Peers {
        voice: working.voice.clone(),
        users: Arc::clone(&accounts.probe),
        analytics,
        beside: shared.probe().map(|redis| ("redis", redis)).into_iter().collect(),
    };
    host.serve(listener, gateway.router(), Arc::new(peers)).await;
    working.close().await;
    shared.close().await;
    accounts.stop();
    host.finish().await;
    futures_util::join!(accounts.close(), counters.close());
    Ok(())
}
