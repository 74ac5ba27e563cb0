//! The users role: accounts and credentials, for the gateway and the other services.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::middleware::from_fn_with_state;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, Span};
use crate::kit::auth::{self, Authenticator};
use crate::kit::clock::SharedClock;
use crate::kit::error::Code;
use crate::kit::health::{Check, Health, Leaning, Probe};
use crate::kit::ids::{Entropy, Ids};
use crate::roles::RoleError;
use crate::roles::data_folder::DataFolder;
use crate::roles::host::{Announcement, Announcer, Host};
use crate::roles::shared::Shared;
use crate::users::local::access::mail::{self, Links, Mail, MailOptions, Postman};
use crate::users::local::access::passkeys::RelyingParty;
use crate::users::local::access::password::Cost;
use crate::users::local::access::registration::{Mode, RegistrationOptions};
use crate::users::local::access::sessions::SessionOptions;
use crate::users::local::access::signing::SigningOptions;
use crate::users::local::administration::personal::Personal;
use crate::users::local::metrics;
use crate::users::local::seal::Seal;
use crate::users::local::{LocalUsers, Options};
use crate::users::store::UserStore;
use crate::voice::api::Voice;

/// The module, who tells callers apart with it, and its store.
pub(super) struct Opened {
    pub(super) users: Arc<LocalUsers>,
    pub(super) authenticator: Arc<dyn Authenticator>,
    /// Whether it can do its work.
    pub(super) probe: Arc<dyn Probe>,
    store: Arc<dyn UserStore>,
    stop: CancellationToken,
}

/// The users module on its store, with a first key if there was none.
pub(super) async fn open(
    host: &Host,
    folder: &Arc<DataFolder>,
    shared: &Shared,
) -> Result<Opened, RoleError> {
    let config = host.config();
    let store = host.with_stores(folder, async |stores| stores.accounts().await).await?;
    let entropy = host.ids().entropy();
    let seal = seal(config, entropy, || folder.seal_key(|| entropy.bytes()))?;
    let (clock, ids) = (Arc::clone(host.clock()), host.ids().clone());
    let (mail, postman) = post(config, &clock, &ids)?;
    let options = options_of(config, mail, relying_party(config)?);
    let limiters = shared.limiters(Arc::clone(&clock));
    let users = LocalUsers::new(Arc::clone(&store), seal, clock, ids, &limiters, options)
        .map_err(|error| RoleError::Passwords(error.to_string()))?;
    let users = Arc::new(users);
    let stop = CancellationToken::new();
    let beginning = Beginning {
        users: Arc::clone(&users),
        folder: Arc::clone(folder),
        announcer: Arc::clone(host.announcer()),
        done: AtomicBool::new(false),
    };
    let beginning = Arc::new(beginning);
    match beginning.attempt().await {
        Err(error) if may_pass(&error) => {
            host.tasks().spawn(Arc::clone(&beginning).go_on(stop.clone()));
        }
        attempt => attempt?,
    }
    metrics::describe();
    host.tasks().spawn(users.as_ref().clone().upkeep(stop.clone()));
    host.tasks().spawn(postman.run(stop.clone()));
    let authenticator = host.authenticator(users.clone());
    let on: Vec<(_, Arc<dyn Probe>)> = vec![("credentials", authenticator.clone())];
    let probe = Arc::new(Leaning { role: beginning, on });
    Ok(Opened { users, authenticator, probe, store, stop })
}

/// What has to be in the store before anybody can get in: roles, a key to sign with, a first account.
struct Beginning {
    users: Arc<LocalUsers>,
    folder: Arc<DataFolder>,
    announcer: Announcer,
    done: AtomicBool,
}

impl std::fmt::Debug for Beginning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beginning").field("done", &self.done).finish_non_exhaustive()
    }
}

impl Beginning {
    async fn attempt(&self) -> Result<(), RoleError> {
        self.users.prepare().await.map_err(|error| match error.code() {
            Code::Unavailable => RoleError::NotYet(describe(&error)),
            _ => RoleError::Users(describe(&error)),
        })?;
        if let Some(key) = self.users.bootstrap(|key| self.folder.keep_api_key(key)).await? {
            (self.announcer)(Announcement::FirstKey(&key));
        }
        self.done.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Tries until the store has been there once.
    async fn go_on(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(1))).await.is_some() {
            match self.attempt().await {
                Ok(()) => return,
                Err(error) if may_pass(&error) => {}
                Err(error) => tracing::error!(%error, "accounts cannot be begun"),
            }
        }
    }
}

#[async_trait]
impl Probe for Beginning {
    async fn health(&self) -> Health {
        let health = self.users.health().await;
        if self.done.load(Ordering::Relaxed) {
            return health;
        }
        let waits = Check::down("there are no roles and no first account yet: the store has not been there");
        Health::of(health.checks.into_iter().chain([("accounts".to_owned(), waits)]))
    }
}

/// Whether the store may only be away for now.
fn may_pass(error: &RoleError) -> bool {
    match error {
        RoleError::NotYet(_) => true,
        RoleError::Storage(error) => error.is_transient(),
        _ => false,
    }
}

impl Opened {
    /// Has `voice` hand out and forget what it keeps of people; without it, whoever asks for that is
    /// told so.
    pub(super) fn with_voice(&self, host: &Host, voice: Option<Arc<dyn Voice>>) -> Arc<Personal> {
        let personal = self.users.personal(voice);
        host.tasks().spawn(Arc::clone(&personal).run(self.stop.clone()));
        personal
    }

    /// All public endpoints: those behind a credential, and those by which one gets one.
    pub(super) fn endpoints(&self, personal: &Arc<Personal>) -> Router {
        let guard = from_fn_with_state(Arc::clone(&self.authenticator), auth::authenticate);
        self.users.router().merge(personal.router()).layer(guard).merge(self.users.open_router())
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
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error} ({cause})"))
}

/// The installation's own secret: the configured one, or the one that `folder` holds or makes.
pub(super) fn seal(
    config: &Config,
    entropy: &Entropy,
    folder: impl FnOnce() -> Result<Vec<u8>, RoleError>,
) -> Result<Seal, RoleError> {
    let configured = &config.users.seal_key;
    let secret = if configured.is_set() { configured.expose().as_bytes().to_vec() } else { folder()? };
    Ok(Seal::new(secret, entropy.clone()))
}

/// The two ends of the queue for messages.
pub(super) fn post(config: &Config, clock: &SharedClock, ids: &Ids) -> Result<(Mail, Postman), RoleError> {
    let mail = &config.users.mail;
    let options = MailOptions {
        smtp_url: mail.smtp_url.as_secret().clone(),
        from: mail.from.clone(),
        links: Links {
            verify: mail.verify_url.clone(),
            reset: mail.reset_url.clone(),
            invite: mail.invite_url.clone(),
        },
    };
    mail::open(&options, Arc::clone(clock), ids.clone()).map_err(|error| RoleError::Mail(error.to_string()))
}

pub(super) fn relying_party(config: &Config) -> Result<RelyingParty, RoleError> {
    let passkeys = &config.users.passkeys;
    RelyingParty::new(&passkeys.domain, &passkeys.origin)
        .map_err(|error| RoleError::Passkeys(error.to_string()))
}

pub(super) fn options_of(config: &Config, mail: Mail, relying_party: RelyingParty) -> Options {
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
        registration: RegistrationOptions {
            mode: match users.registration {
                config::Registration::Open => Mode::Open,
                config::Registration::Invitation => Mode::Invitation,
                config::Registration::Closed => Mode::Closed,
            },
            default_role: users.default_role.clone(),
            unverified_for: span(users.unverified_ttl),
        },
        mail,
        relying_party,
    }
}

/// Serves the users module alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    if host.config().server.believes_no_proxy_elsewhere() {
        tracing::warn!(
            "behind a gateway on another machine everybody would seem to come from there, and share its limits \
             on logging in: add the gateway's network to server.trusted_proxies"
        );
    }
    let folder = Arc::new(DataFolder::open(&host.config().server.data_dir)?);
    let shared = Shared::open(&host.config().redis).await?;
    let opened = open(&host, &folder, &shared).await?;
    let internal = host.internal(opened.users.internal_router());
    let voice_url = &host.config().peers.voice_url;
    let voice = voice_url.is_set().then(|| host.voice_at(voice_url)).transpose()?;
    let personal = opened.with_voice(&host, voice.map(|voice| Arc::new(voice) as Arc<dyn Voice>));
    let routes = host.mount(opened.endpoints(&personal).merge(internal));
    let on = shared.probe().map(|redis| ("redis", redis)).into_iter().collect();
    let probe = Leaning { role: Arc::clone(&opened.probe), on };
    host.serve(listener, routes, Arc::new(probe)).await;
    opened.stop();
    host.finish().await;
    opened.close().await;
    shared.close().await;
    Ok(())
}
