//! A users module with people in it, and an endpoint to ask.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use futures_util::future::join_all;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use voicera::kit::auth::{self, Authenticator};
use voicera::kit::clock::{SharedClock, SystemClock};
use voicera::kit::http::edge::{Edge, edge};
use voicera::kit::http::server::{Front, ServerLimits, serve};
use voicera::kit::http::{mount, observe};
use voicera::kit::ids::{Entropy, Ids};
use voicera::kit::limits::Limiters;
use voicera::kit::storage::StorageError;
use voicera::kit::storage::sqlite::Options as FileOptions;
use voicera::users::account::{Email, Kind, Status};
use voicera::users::api::Users;
use voicera::users::audit::{Action, Scribe};
use voicera::users::local::access::mail::{self, MailOptions};
use voicera::users::local::access::passkeys::RelyingParty;
use voicera::users::local::access::password::{Cost, Password, Passwords};
use voicera::users::local::access::registration::{Mode, RegistrationOptions};
use voicera::users::local::access::sessions::{LoggedIn, SessionOptions, Sessions};
use voicera::users::local::access::signing::SigningOptions;
use voicera::users::local::seal::Seal;
use voicera::users::local::{LocalUsers, Options};
use voicera::users::store::sqlite::SqliteUsers;
use voicera::users::store::{AccountStore as _, NewAccount, UserStore};
use voicera::users::token::TokenRules;
use voicera::users::verifier::{Verifier, VerifierOptions};

use crate::Fault;

pub const ADA: &str = "ada@example.org";
pub const PASSWORD: &str = "correct horse battery staple";
/// As shipped.
pub const COST: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };

pub struct Stage {
    users: LocalUsers,
    store: Arc<SqliteUsers>,
    clock: SharedClock,
    ids: Ids,
    stop: CancellationToken,
    _folder: TempDir,
}

fn rules() -> TokenRules {
    TokenRules { issuer: "voicera".to_owned(), audience: "voicera".to_owned() }
}

impl Stage {
    /// A module with Ada and `others` further people.
    pub async fn build(others: usize) -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let clock: SharedClock = Arc::new(SystemClock);
        let file = FileOptions::new(folder.path().join("users.db"));
        let store = Arc::new(SqliteUsers::open(&file, &clock, &|_| ()).await?);
        let ids = Ids::new(Arc::clone(&clock), Entropy::system());
        let seal = Seal::new(vec![7; 32], ids.entropy().clone());
        let mail = MailOptions { from: "Voicera <voicera@localhost>".to_owned(), ..MailOptions::default() };
        let (mail, _) = mail::open(&mail, Arc::clone(&clock), ids.clone())?;
        let options = Options {
            signing: SigningOptions {
                rules: rules(),
                lifetime: SignedDuration::from_mins(15),
                rotate_after: SignedDuration::from_hours(720),
            },
            sessions: SessionOptions {
                lifetime: SignedDuration::from_hours(720),
                longest: SignedDuration::from_hours(2160),
                grace: SignedDuration::from_secs(30),
            },
            password_cost: COST,
            password_threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            password_queue: 1000,
            registration: RegistrationOptions {
                mode: Mode::Open,
                default_role: "student".to_owned(),
                unverified_for: SignedDuration::from_hours(7 * 24),
            },
            mail,
            relying_party: RelyingParty::new("localhost", "http://localhost:3000")?,
        };
        let limiters = Limiters::in_process(Arc::clone(&clock));
        let users =
            LocalUsers::new(store.clone(), seal, Arc::clone(&clock), ids.clone(), &limiters, options)?;
        users.prepare().await?;
        let stop = CancellationToken::new();
        let stage = Self { users, store, clock, ids, stop, _folder: folder };
        let passwords = Passwords::new(COST, 1, 10, stage.entropy())?;
        let kept = passwords.hash(&Password::typed(PASSWORD)).await?;
        stage.add(ADA, &kept).await?;
        for number in 0..others {
            stage.add(&Self::known(number), &kept).await?;
        }
        Ok(stage)
    }

    /// The address of somebody who is there.
    pub fn known(number: usize) -> String {
        format!("known-{number}@example.org")
    }

    /// The address of nobody.
    pub fn unknown(number: usize) -> String {
        format!("other-{number}@example.org")
    }

    async fn add(&self, email: &str, password: &str) -> Result<(), Fault> {
        let scribe = Scribe::new(Arc::clone(&self.clock), self.ids.clone());
        let id = self.ids.fresh();
        let account = NewAccount {
            id,
            kind: Kind::Person,
            name: "Somebody".to_owned(),
            email: Some(Email::parse(email)?),
            email_verified: true,
            password: Some(password.to_owned()),
            status: Status::Active,
            role: "student".to_owned(),
            institution: None,
            at: self.clock.now(),
            trail: scribe.entry(Action::Create).on(id, None),
        };
        self.store.add_account(account).await?;
        Ok(())
    }

    pub fn entropy(&self) -> Entropy {
        self.ids.entropy().clone()
    }

    pub fn sessions(&self) -> &Sessions {
        self.users.sessions()
    }

    /// An access token of Ada's.
    pub async fn token(&self) -> Result<String, Fault> {
        match self.sessions().log_in(ADA, PASSWORD, None).await? {
            LoggedIn::Yes(tokens) => Ok(tokens.access.expose_secret().to_owned()),
            LoggedIn::SecondFactor(_) => Err("a second factor is asked for".into()),
        }
    }

    /// The first key.
    pub async fn key(&self) -> Result<String, Fault> {
        let key = self.users.bootstrap::<StorageError>(|_| Ok(())).await?.ok_or("there is a key already")?;
        Ok(key.expose_secret().to_owned())
    }

    /// Whoever tells callers apart, and remembers so many.
    pub fn verifier(&self, cache_entries: u64) -> Verifier {
        let users: Arc<dyn Users> = Arc::new(self.users.clone());
        let options = VerifierOptions {
            rules: rules(),
            cache_entries,
            cache_ttl: Duration::from_secs(10),
            patience: Duration::from_hours(1),
        };
        Verifier::new(users, Arc::clone(&self.clock), options)
    }

    /// Serves `endpoint` as every role serves its own.
    pub async fn serve(&self, endpoint: Router) -> Result<SocketAddr, Fault> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Edge {
            ids: self.ids.clone(),
            timeout: Duration::from_mins(1),
            trusted_proxies: Vec::new(),
            series: observe::Series::default(),
        });
        let app = mount(endpoint, 1 << 20).layer(from_fn_with_state(state, edge));
        let limits = ServerLimits {
            connections: 1000,
            header_timeout: Duration::from_secs(10),
            grace: Duration::from_secs(1),
        };
        tokio::spawn(serve(listener, Front::default(), app, limits, self.stop.clone()));
        Ok(address)
    }

    pub async fn close(&self) {
        self.stop.cancel();
        self.store.close().await;
    }
}

/// An endpoint that does nothing, for everybody or behind a credential.
pub fn endpoint(guard: Option<Arc<dyn Authenticator>>) -> Router {
    let endpoint = Router::new().route("/", get(async || "ok"));
    match guard {
        Some(guard) => endpoint.layer(from_fn_with_state(guard, auth::authenticate)),
        None => endpoint,
    }
}

/// How often `work` is done in a second by so many who keep at it.
#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub async fn rate<T, E, F>(time: Duration, workers: usize, work: impl Fn() -> F) -> Result<f64, E>
where
    F: Future<Output = Result<T, E>>,
{
    let begun = Instant::now();
    let counts = join_all((0..workers).map(|_| async {
        let mut count = 0_usize;
        while begun.elapsed() < time {
            work().await?;
            count += 1;
        }
        Ok(count)
    }));
    let total: usize = counts.await.into_iter().collect::<Result<Vec<_>, E>>()?.into_iter().sum();
    Ok(total as f64 / begun.elapsed().as_secs_f64())
}
