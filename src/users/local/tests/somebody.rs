//! Somebody with an account and a session, for the tests of the rooms.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::kit::auth::{Presented, Principal, Reach};
use crate::kit::clock::ManualClock;
use crate::kit::http::page::{From as Start, Page};
use crate::kit::ids::{SessionId, UserId};
use crate::users::account::{Email, Kind, Status};
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::local::LocalUsers;
use crate::users::local::access::password::Password;
use crate::users::local::tests::stage::{Stage, stage};
use crate::users::store::{AuditQuery, Change, ChangeAccount, NewAccount, UserStore, Within};

pub(in crate::users) use crate::users::local::tests::stage::{ORIGIN, PASSWORD};

#[path = "../../../../tests/support/passkey.rs"]
pub(in crate::users) mod software;

pub(in crate::users) const EMAIL: &str = "ada@example.org";

/// The module on a clock that stands still, and its store.
pub(in crate::users) struct Somebody {
    pub(in crate::users) users: LocalUsers,
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) clock: ManualClock,
    _stage: Stage,
}

impl Somebody {
    pub(in crate::users) async fn set() -> Self {
        let stage = stage().await;
        let (users, clock) = (stage.users.clone(), stage.time.clone());
        Self { store: Arc::clone(&users.store), users, clock, _stage: stage }
    }

    /// Somebody's account.
    pub(in crate::users) async fn account(&self, email: &str, password: Option<&str>) -> UserId {
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
    pub(in crate::users) async fn somebody(
        &self,
        email: &str,
        password: Option<&str>,
        method: &str,
    ) -> Principal {
        let id = self.account(email, password).await;
        self.session_of(id, method).await
    }

    /// A session of somebody's.
    pub(in crate::users) async fn session_of(&self, user: UserId, method: &str) -> Principal {
        let account = self.store.account(user, &Within::Everyone).await.unwrap().unwrap();
        let tokens = self.users.sessions.open(account, method).await.unwrap();
        principal(user, tokens.session)
    }

    pub(in crate::users) async fn set_status(&self, user: UserId, status: Status) {
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
    pub(in crate::users) fn client(&self, who: Option<Principal>) -> Client {
        let router = if who.is_some() { self.users.router() } else { self.users.open_router() };
        Client(router, who)
    }

    pub(in crate::users) fn now(&self) -> Timestamp {
        use crate::kit::clock::Clock as _;
        self.clock.now()
    }

    pub(in crate::users) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// What the trail says of somebody, latest first.
    pub(in crate::users) async fn trail(&self, user: UserId) -> Vec<Entry> {
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
    pub(in crate::users) async fn has_trail(&self, user: UserId, action: Action, outcome: Outcome) -> bool {
        self.trail(user).await.iter().any(|entry| entry.action == action && entry.outcome == outcome)
    }
}

/// Sends requests to the endpoints.
pub(in crate::users) struct Client(Router, Option<Principal>);

impl Client {
    pub(in crate::users) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
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

    pub(in crate::users) async fn post(&self, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.send(Method::POST, path, body).await
    }
}

pub(in crate::users) fn principal(user: UserId, session: SessionId) -> Principal {
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
