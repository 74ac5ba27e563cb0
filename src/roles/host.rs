//! What every role stands in: configuration, clock, telemetry, the server, and the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::analytics::remote::RemoteAnalytics;
use crate::config::{BaseUrl, Config, Server};
#[cfg(any(feature = "voice", feature = "users", feature = "analytics"))]
use crate::kit::auth;
use crate::kit::clock::{SharedClock, SystemClock};
use crate::kit::health::{self, HealthState, Probe};
use crate::kit::http::edge::{Edge, edge};
use crate::kit::http::server::Front;
use crate::kit::http::tls::{Tls, TlsFiles};
use crate::kit::http::{mount, observe, server};
use crate::kit::ids::{Entropy, Ids};
use crate::kit::peer::Peer;
use crate::kit::storage::migration::MigrationStep;
use crate::kit::telemetry::Telemetry;
use crate::kit::{cache, limits, pubsub, redis};
use crate::roles::changes::Changes;
use crate::roles::data_folder::DataFolder;
use crate::roles::stores::Stores;
use crate::roles::{RoleError, docs};
use crate::users::api::Users;
use crate::users::remote::RemoteUsers;
use crate::users::token::TokenRules;
use crate::users::verifier::{Verifier, VerifierOptions};
#[cfg(any(feature = "users", feature = "gateway"))]
use crate::voice::remote::RemoteVoice;

/// Something that the person who started the process should see.
#[derive(Debug)]
pub enum Announcement<'a> {
    /// A step of something that may take long.
    Step {
        /// What is being done.
        what: &'a str,
        /// Steps done.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// The first key was made.
    FirstKey(&'a SecretString),
    /// The process serves, here.
    Listening {
        /// `http` or `https`.
        scheme: &'static str,
        /// The address.
        address: SocketAddr,
    },
}

/// Who shows announcements.
pub type Announcer = Arc<dyn Fn(Announcement<'_>) + Send + Sync>;

/// Where clients come in.
pub(super) struct Entrance {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
}

/// What every role stands in.
pub struct Host {
    config: Config,
    telemetry: Telemetry,
    announcer: Announcer,
    stop: CancellationToken,
    reload: watch::Receiver<()>,
    /// Nothing is in flight any more.
    served: CancellationToken,
    clock: SharedClock,
    ids: Ids,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Host {
    /// A host that runs until `stop`, and reads again what may change while it runs on `reload`.
    pub fn new(
        config: Config,
        telemetry: Telemetry,
        announcer: Announcer,
        stop: CancellationToken,
        reload: watch::Receiver<()>,
    ) -> Self {
        let clock: SharedClock = Arc::new(SystemClock);
        let ids = Ids::new(Arc::clone(&clock), Entropy::system());
        let (served, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self { config, telemetry, announcer, stop, reload, served, clock, ids, tasks }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(super) fn ids(&self) -> &Ids {
        &self.ids
    }

    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Changes whenever what may change while the process runs is to be read again.
    #[cfg(any(feature = "voice", feature = "gateway"))]
    pub(super) fn reload(&self) -> watch::Receiver<()> {
        self.reload.clone()
    }

    pub(super) fn announcer(&self) -> &Announcer {
        &self.announcer
    }

    pub(super) fn announce(&self, announcement: Announcement<'_>) {
        (self.announcer)(announcement);
    }

    /// Opens stores, whose migrations are shown as steps.
    pub(super) async fn with_stores<T>(
        &self,
        folder: &DataFolder,
        open: impl AsyncFnOnce(Stores<'_>) -> Result<T, RoleError>,
    ) -> Result<T, RoleError> {
        let on_migration = |store: &str, step: MigrationStep| {
            let what = format!("migrating {store}: {}", step.name);
            self.announce(Announcement::Step { what: &what, done: step.done, total: step.total });
        };
        let files = |name: &str| folder.file(name);
        let (config, clock) = (&self.config, &self.clock);
        open(Stores { config, clock, files: &files, on_migration: &on_migration }).await
    }

    /// Takes the address before anything slow begins, so that a taken port, or a certificate that is of no
    /// use, is known at once.
    pub(super) async fn bind(&self) -> Result<Entrance, RoleError> {
        let server = &self.config.server;
        let tls = if server.is_encrypted() {
            let (certificate, key) = (server.tls_certificate.clone(), server.tls_key.clone());
            Some(Arc::new(Tls::open(TlsFiles { certificate, key })?))
        } else {
            None
        };
        let listener = TcpListener::bind(server.listen).await;
        let listener = listener.map_err(|error| RoleError::Listen(server.listen, error))?;
        Ok(Entrance { listener, tls })
    }

    /// What stands before HTTP on each connection; a certificate is read again when it changes.
    fn front(&self, tls: Option<Arc<Tls>>) -> Front {
        let server = &self.config.server;
        let acceptor = tls.as_ref().map(|tls| tls.acceptor());
        if let Some(tls) = tls {
            let files = vec![server.tls_certificate.clone(), server.tls_key.clone()];
            let (reload, stop) = (self.reload.clone(), self.stop.clone());
            self.tasks.spawn(async move {
                let mut changes = Changes::of(files, reload, stop).await;
                while changes.next().await.is_some() {
                    match tls.reload() {
                        Ok(()) => tracing::info!("the certificate was read again"),
                        Err(error) => tracing::error!(%error, "the certificate stays as it was"),
                    }
                }
            });
        }
        let proxies = server.proxy_protocol.then(|| server.trusted_proxies.clone().into());
        Front { proxies, tls: acceptor }
    }

    /// A module's endpoints, mounted with this host's limits.
    pub(super) fn mount(&self, endpoints: Router) -> Router {
        mount(endpoints, self.config.server.max_body_bytes)
    }

    /// Contract calls, for peers that hold the service key alone.
    #[cfg(any(feature = "voice", feature = "users", feature = "analytics"))]
    pub(super) fn internal(&self, calls: Router) -> Router {
        let key = Arc::new(self.config.peers.service_key.as_secret().clone());
        calls.layer(axum::middleware::from_fn_with_state(key, auth::service_key))
    }

    /// The users role that the configuration names as this one's peer.
    #[cfg(any(feature = "voice", feature = "analytics"))]
    pub(super) fn remote_users(&self) -> Result<RemoteUsers, RoleError> {
        self.users_at(std::slice::from_ref(&self.config.peers.users_url))
    }

    /// The users role at these addresses, whichever of them answers.
    pub(super) fn users_at(&self, urls: &[BaseUrl]) -> Result<RemoteUsers, RoleError> {
        let peers = urls.iter().map(|url| self.peer("users", url));
        Ok(RemoteUsers::new(peers.collect::<Result<_, _>>()?))
    }

    /// Whoever tells callers apart by what `users` says; kept up to date until the process stops.
    pub(super) fn authenticator(&self, users: Arc<dyn Users>) -> Arc<Verifier> {
        let config = &self.config.users;
        let options = VerifierOptions {
            rules: token_rules(&self.config),
            cache_entries: config.key_cache_entries,
            cache_ttl: config.key_cache_ttl.get(),
            patience: config.trust_max_age.get(),
        };
        let verifier = Arc::new(Verifier::new(users, Arc::clone(&self.clock), options));
        // Requests in flight need it after the stop signal, too: it stops when they are done.
        self.tasks.spawn(Arc::clone(&verifier).follow(self.served.clone()));
        verifier
    }

    /// The analytics role at an address.
    #[cfg(any(feature = "voice", feature = "gateway"))]
    pub(super) fn analytics_at(&self, url: &BaseUrl) -> Result<RemoteAnalytics, RoleError> {
        Ok(RemoteAnalytics::new(self.peer("analytics", url)?))
    }

    /// The voice role at an address.
    #[cfg(any(feature = "users", feature = "gateway"))]
    pub(super) fn voice_at(&self, url: &BaseUrl) -> Result<RemoteVoice, RoleError> {
        Ok(RemoteVoice::new(self.peer("voice", url)?))
    }

    fn peer(&self, name: &'static str, url: &BaseUrl) -> Result<Peer, RoleError> {
        let peers = &self.config.peers;
        Ok(Peer::new(name, url.as_str(), peers.service_key.as_secret().clone(), peers.timeout.get())?)
    }

    /// Serves `routes` beside health, metrics and documentation until told to stop, then until the
    /// requests in flight are done. What they need has to live on until this returns.
    pub(super) async fn serve(&self, entrance: Entrance, routes: Router, probe: Arc<dyn Probe>) {
        let Entrance { listener, tls } = entrance;
        let front = self.front(tls);
        observe::describe();
        redis::metrics::describe();
        cache::metrics::describe();
        pubsub::metrics::describe();
        limits::metrics::describe();
        let stopping = Arc::new(AtomicBool::new(false));
        let metrics = self.telemetry.router(Arc::clone(&probe));
        let health = health::router(HealthState { probe, stopping: Arc::clone(&stopping) });
        let own = self.mount(health.merge(metrics).merge(docs::router()));
        // The role's routes answer whatever the host itself has no route for.
        let edge_state = Arc::new(Edge {
            ids: self.ids.clone(),
            timeout: self.config.server.request_timeout.get(),
            trusted_proxies: self.config.server.trusted_proxies.clone(),
            series: observe::Series::default(),
        });
        let everything = own
            .reset_fallback()
            .fallback_service(routes)
            .layer(axum::middleware::from_fn_with_state(edge_state, edge));

        let server = &self.config.server;
        let limits = server::ServerLimits {
            connections: server.max_connections,
            header_timeout: server.header_timeout.get(),
            grace: half_of_grace(server),
        };
        let upkeep = CancellationToken::new();
        self.tasks.spawn(self.telemetry.upkeep(upkeep.clone()));
        if let Ok(address) = listener.local_addr() {
            let scheme = if front.tls.is_some() { "https" } else { "http" };
            self.announce(Announcement::Listening { scheme, address });
        }
        let (stop, close, delay) = (self.stop.clone(), CancellationToken::new(), server.shutdown_delay.get());
        let closing = close.clone();
        self.tasks.spawn(async move {
            stop.cancelled().await;
            stopping.store(true, Ordering::Relaxed);
            tracing::info!("stopping: finishing what is in flight");
            // A balancer needs a moment to see that this one is not ready, and to send no more.
            tokio::time::sleep(delay).await;
            closing.cancel();
        });
        server::serve(listener, front, everything, limits, close).await;
        upkeep.cancel();
        self.served.cancel();
    }

    /// Waits for the tasks that were told to stop, and sends the last traces.
    pub(super) async fn finish(self) {
        self.tasks.close();
        self.tasks.wait().await;
        let telemetry = self.telemetry;
        // The exporter blocks while it sends.
        let _ = tokio::task::spawn_blocking(move || telemetry.shutdown()).await;
        tracing::info!("stopped");
    }
}

/// Whose access tokens are good, and for whom; the same in every role of an installation.
pub(super) fn token_rules(config: &Config) -> TokenRules {
    TokenRules { issuer: config.users.issuer.clone(), audience: config.users.audience.clone() }
}

/// The grace period is for requests first and for jobs then, half for each, so that the whole is
/// what the operator was promised.
pub(super) fn half_of_grace(server: &Server) -> Duration {
    server.shutdown_grace.get() / 2
}
