//! The analytics role: counts what the other services report.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;

use crate::analytics::local::LocalAnalytics;
use crate::analytics::store::CounterStore;
use crate::analytics::store::sqlite::SqliteCounters;
use crate::kit::auth;
use crate::kit::health::Leaning;
use crate::roles::data_folder::DataFolder;
use crate::roles::host::Host;
use crate::roles::{RoleError, sqlite};

/// The module and its store.
pub(super) struct Opened {
    pub(super) analytics: Arc<LocalAnalytics>,
    pub(super) store: Arc<dyn CounterStore>,
}

/// The analytics module on its embedded store.
pub(super) async fn open(host: &Host, folder: &DataFolder) -> Result<Opened, RoleError> {
    let options = sqlite::options(&host.config().storage, folder.file("analytics.db"));
    let on_migration = sqlite::show_migrations(host, "analytics");
    let store = SqliteCounters::open(&options, host.clock(), &on_migration).await?;
    let store: Arc<dyn CounterStore> = Arc::new(store);
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
    let public = analytics.router().layer(from_fn_with_state(authenticator, auth::authenticate));
    let internal = host.internal(analytics.internal_router());
    let probe = Leaning { role: analytics, on: vec![("users", users)] };
    host.serve(listener, host.mount(public.merge(internal)), Arc::new(probe)).await;
    host.finish().await;
    store.close().await;
    Ok(())
}
