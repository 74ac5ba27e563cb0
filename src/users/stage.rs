//! Somebody with an account and a session, for the tests of the rooms.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::kit::auth::{Presented, Principal, Reach};
use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::http::page::{From as Start, Page};
use crate::kit::ids::{Entropy, Ids, SessionId, UserId};
use crate::kit::storage::sqlite::Options as Storage;
use crate::users::account::{Email, Kind, Status};
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::local::{LocalUsers, Options};
use crate::users::passkeys::RelyingParty;
use crate::users::password::{Cost, Password};
use crate::users::seal::Seal;
use crate::users::sessions::SessionOptions;
use crate::users::signing::SigningOptions;
use crate::users::store::sqlite::SqliteUsers;
use crate::users::store::{AuditQuery, Change, ChangeAccount, NewAccount, UserStore, Within};
use crate::users::token::TokenRules;

#[path = "../../tests/support/passkey.rs"]
pub(super) mod software;

pub(super) const EMAIL: &str = "ada@example.org";
pub(super) const PASSWORD: &str = "correct horse battery staple";
pub(super) const ORIGIN: &str = "https://app.example.org";

/// The module on a clock that stands still, and its store.
pub(super) struct Stage {
    pub(super) users: LocalUsers,
    pub(super) store: Arc<dyn UserStore>,
    pub(super) clock: ManualClock,
    _folder: TempDir,
}

impl Stage {
    pub(super) async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let shared: SharedClock = Arc::new(clock.clone());
        let storage = Storage::new(folder.path().join("users.db"));
        let store: Arc<dyn UserStore> =
            Arc::new(SqliteUsers::open(&storage, &shared, &|_| ()).await.unwrap());
        let entropy = Entropy::seeded(1);
        let ids = Ids::new(Arc::clone(&shared), entropy.clone());
        let options = Options {
            signing: SigningOptions {
                rules: TokenRules { issuer: "voicera".to_owned(), audience: "voicera".to_owned() },
                lifetime: SignedDuration::from_mins(15),
                rotate_after: SignedDuration::from_hours(24),
            },
            sessions: SessionOptions {
                lifetime: SignedDuration::from_hours(24),
                longest: SignedDuration::from_hours(48),
                grace: SignedDuration::from_secs(30),
            },
            password_cost: Cost { memory_kib: 64, passes: 1, lanes: 1 },
            password_threads: 1,
            password_queue: 100,
            relying_party: RelyingParty::new("example.org", ORIGIN).unwrap(),
        };
        let seal = Seal::new(vec![7; 32], entropy);
        let users = LocalUsers::new(Arc::clone(&store), seal, shared, ids, options).unwrap();
        users.prepare().await.unwrap();
        Self { users, store, clock, _folder: folder }
    }

    /// Somebody's account.
    pub(super) async fn account(&self, email: &str, password: Option<&str>) -> UserId {
        let id = self.users.ids.fresh();
        let password = match password {
            Some(text) => Some(self.users.sessions.passwords.hash(&Password::typed(text)).await.unwrap()),
            None => None,
        };
        let account = NewAccount {
            id,
            kind: Kind::Person,
            name: "Ada".to_owned(),
            email: Some(Email::parse(email).unwrap()),
            email_verified: true,
            password,
            status: Status::Active,
            role: "student".to_owned(),
            institution: None,
            at: self.now(),
            trail: self.users.scribe.entry(Action::Create),
        };
        self.store.add_account(account).await.unwrap();
        id
    }

    /// The same, logged in by `method`.
    pub(super) async fn somebody(&self, email: &str, password: Option<&str>, method: &str) -> Principal {
        let id = self.account(email, password).await;
        self.session_of(id, method).await
    }

    /// A session of somebody's.
    pub(super) async fn session_of(&self, user: UserId, method: &str) -> Principal {
        let account = self.store.account(user, &Within::Everyone).await.unwrap().unwrap();
        let tokens = self.users.sessions.open(account, method).await.unwrap();
        principal(user, tokens.session)
    }

    pub(super) async fn set_status(&self, user: UserId, status: Status) {
        let change = ChangeAccount {
            id: user,
            within: Within::Everyone,
            if_version: None,
            change: Change::Status(status),
            at: self.now(),
            trail: self.users.scribe.entry(Action::SetStatus),
        };
        self.store.change_account(change).await.unwrap();
    }

    /// A client that has logged in as somebody, or has not.
    pub(super) fn client(&self, who: Option<Principal>) -> Client {
        let router = if who.is_some() { self.users.router() } else { self.users.open_router() };
        Client(router, who)
    }

    pub(super) fn now(&self) -> Timestamp {
        use crate::kit::clock::Clock as _;
        self.clock.now()
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// What the trail says of somebody, latest first.
    pub(super) async fn trail(&self, user: UserId) -> Vec<Entry> {
        let query = AuditQuery {
            within: Within::Everyone,
            actor: None,
            target: Some(user),
            action: None,
            outcome: None,
            from: None,
            to: None,
            page: Page { limit: 200, from: Start::Offset(0) },
        };
        self.store.audit(query).await.unwrap().entries
    }

    /// Whether the trail says so.
    pub(super) async fn has_trail(&self, user: UserId, action: Action, outcome: Outcome) -> bool {
        self.trail(user).await.iter().any(|entry| entry.action == action && entry.outcome == outcome)
    }
}

/// Sends requests to the endpoints.
pub(super) struct Client(Router, Option<Principal>);

impl Client {
    pub(super) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(who) = &self.1 {
            request = request.extension(who.clone());
        }
        let request = match body {
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        };
        let reply = self.0.clone().oneshot(request.unwrap()).await.unwrap();
        let status = reply.status();
        let body = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(super) async fn post(&self, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.send(Method::POST, path, body).await
    }
}

pub(super) fn principal(user: UserId, session: SessionId) -> Principal {
    Principal {
        user_id: user,
        name: "Ada".to_owned(),
        role: "student".to_owned(),
        reach: Reach::Own,
        institution: None,
        credential: Presented::Session(session),
        scopes: std::collections::BTreeSet::new(),
    }
}
