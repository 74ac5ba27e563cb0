//! The users role: accounts and credentials, for the gateway and the other services.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Span};
use crate::kit::auth::{self, Authenticator};
use crate::roles::data_folder::DataFolder;
use crate::roles::host::{Announcement, Host};
use crate::roles::{RoleError, sqlite};
use crate::users::local::{LocalUsers, Options};
use crate::users::passkeys::RelyingParty;
use crate::users::password::Cost;
use crate::users::seal::Seal;
use crate::users::sessions::SessionOptions;
use crate::users::signing::SigningOptions;
use crate::users::store::UserStore;
use crate::users::store::sqlite::SqliteUsers;

/// The module, who tells callers apart with it, and its store.
pub(super) struct Opened {
    pub(super) users: Arc<LocalUsers>,
    pub(super) authenticator: Arc<dyn Authenticator>,
    store: Arc<dyn UserStore>,
    stop: CancellationToken,
}

/// The users module on its embedded store, with a first key if there was none.
pub(super) async fn open(host: &Host, folder: &DataFolder) -> Result<Opened, RoleError> {
    let config = host.config();
    let options = sqlite::options(&config.storage, folder.file("users.db"));
    let store = SqliteUsers::open(&options, host.clock(), &sqlite::show_migrations(host, "users")).await?;
    let store: Arc<dyn UserStore> = Arc::new(store);
    let seal = seal(host, folder)?;
    let (clock, ids) = (Arc::clone(host.clock()), host.ids().clone());
    let options = options_of(config, relying_party(config)?);
    let users = LocalUsers::new(Arc::clone(&store), seal, clock, ids, options)
        .map_err(|error| RoleError::Passwords(error.to_string()))?;
    users.prepare().await.map_err(|error| RoleError::Users(describe(&error)))?;
    if let Some(key) = users.bootstrap(|key| folder.keep_api_key(key)).await? {
        host.announce(Announcement::FirstKey(&key));
    }
    let users = Arc::new(users);
    let stop = CancellationToken::new();
    host.tasks().spawn(users.as_ref().clone().upkeep(stop.clone()));
    let authenticator = host.authenticator(users.clone());
    Ok(Opened { users, authenticator, store, stop })
}

impl Opened {
    /// All public endpoints: those behind a credential, and those by which one gets one.
    pub(super) fn endpoints(&self) -> Router {
        let guard = from_fn_with_state(Arc::clone(&self.authenticator), auth::authenticate);
        self.users.router().layer(guard).merge(self.users.open_router())
    }

    /// Tells the tasks to stop; they write what they have noted.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Closes the store; after the tasks.
    pub(super) async fn close(&self) {
        self.store.close().await;
    }
}

/// The error with its cause, for the person at the command line.
fn describe(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error} ({cause})"))
}

fn seal(host: &Host, folder: &DataFolder) -> Result<Seal, RoleError> {
    let entropy = host.ids().entropy();
    let configured = &host.config().users.seal_key;
    let secret = if configured.is_set() {
        configured.expose().as_bytes().to_vec()
    } else {
        folder.seal_key(|| entropy.bytes())?
    };
    Ok(Seal::new(secret, entropy.clone()))
}

fn relying_party(config: &Config) -> Result<RelyingParty, RoleError> {
    let passkeys = &config.users.passkeys;
    RelyingParty::new(&passkeys.domain, &passkeys.origin)
        .map_err(|error| RoleError::Passkeys(error.to_string()))
}

fn options_of(config: &Config, relying_party: RelyingParty) -> Options {
    let users = &config.users;
    let span = |span: Span| SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX);
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Options {
        signing: SigningOptions {
            rules: super::host::token_rules(config),
            lifetime: span(users.access_token_ttl),
            rotate_after: span(users.signing_key_ttl),
        },
        sessions: SessionOptions {
            lifetime: span(users.session_ttl),
            longest: span(users.session_max),
            grace: span(users.refresh_grace),
        },
        password_cost: Cost {
            memory_kib: users.password.memory_kib,
            passes: users.password.passes,
            lanes: users.password.lanes,
        },
        password_threads: if users.password.threads == 0 { processors() } else { users.password.threads },
        password_queue: users.password.queue,
        relying_party,
    }
}

/// Serves the users module alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let folder = DataFolder::open(&host.config().server.data_dir)?;
    let opened = open(&host, &folder).await?;
    let internal = host.internal(opened.users.internal_router());
    let routes = host.mount(opened.endpoints().merge(internal));
    host.serve(listener, routes, opened.users.clone()).await;
    opened.stop();
    host.finish().await;
    opened.close().await;
    Ok(())
}
