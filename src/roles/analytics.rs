//! The analytics role: counts what the other services report.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;

use crate::analytics::local::LocalAnalytics;
use crate::analytics::store::CounterStore;
use crate::kit::auth::{self, Authenticator};
use crate::kit::health::Leaning;
use crate::roles::RoleError;
use crate::roles::data_folder::DataFolder;
use crate::roles::host::Host;

/// The module and its store.
pub(super) struct Opened {
    pub(super) analytics: Arc<LocalAnalytics>,
    pub(super) store: Arc<dyn CounterStore>,
}

/// The analytics module on its store.
pub(super) async fn open(host: &Host, folder: &DataFolder) -> Result<Opened, RoleError> {
    let store = host.with_stores(folder, async |stores| stores.counters().await).await?;
    let analytics = Arc::new(LocalAnalytics::new(Arc::clone(&store), Arc::clone(host.clock())));
    Ok(Opened { analytics, store })
}

/// Serves the analytics module alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let folder = DataFolder::open(&host.config().server.data_dir)?;
    let Opened { analytics, store } = open(&host, &folder).await?;
    let users = Arc::new(host.remote_users()?);
    let authenticator = host.authenticator(users.clone());
    let guard = from_fn_with_state(authenticator.clone() as Arc<dyn Authenticator>, auth::authenticate);
    let public = analytics.router().layer(guard);
    let internal = host.internal(analytics.internal_router());
    let probe = Leaning { role: analytics, on: vec![("users", users), ("credentials", authenticator)] };
    host.serve(listener, host.mount(public.merge(internal)), Arc::new(probe)).await;
    host.finish().await;
    store.close().await;
    Ok(())
}
