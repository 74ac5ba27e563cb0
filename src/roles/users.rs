//! The users role: accounts and keys, for the gateway and the other services.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;

use crate::kit::auth::{self, Authenticator};
use crate::roles::data_folder::DataFolder;
use crate::roles::host::{Announcement, Host};
use crate::roles::{RoleError, sqlite};
use crate::users::local::LocalUsers;
use crate::users::store::UserStore;
use crate::users::store::sqlite::SqliteUsers;

/// The module and its store.
pub(super) struct Opened {
    pub(super) users: Arc<LocalUsers>,
    pub(super) store: Arc<dyn UserStore>,
}

/// The users module on its embedded store, with a first key if there was none.
pub(super) async fn open(host: &Host, folder: &DataFolder) -> Result<Opened, RoleError> {
    let config = host.config();
    let options = sqlite::options(&config.storage, folder.file("users.db"));
    let store = SqliteUsers::open(&options, host.clock(), &sqlite::show_migrations(host, "users")).await?;
    let store: Arc<dyn UserStore> = Arc::new(store);
    let users = Arc::new(LocalUsers::new(
        Arc::clone(&store),
        Arc::clone(host.clock()),
        host.ids().clone(),
        config.users.key_cache_entries,
        config.users.key_cache_ttl.get(),
    ));
    if let Some(key) = users.bootstrap(|key| folder.keep_api_key(key)).await? {
        host.announce(Announcement::FirstKey(&key));
    }
    Ok(Opened { users, store })
}

/// Serves the users module alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let folder = DataFolder::open(&host.config().server.data_dir)?;
    let Opened { users, store } = open(&host, &folder).await?;
    let authenticator: Arc<dyn Authenticator> = users.clone();
    let public = users.router().layer(from_fn_with_state(authenticator, auth::authenticate));
    let internal = host.internal(users.internal_router());
    host.serve(listener, host.mount(public.merge(internal)), users).await;
    host.finish().await;
    store.close().await;
    Ok(())
}
