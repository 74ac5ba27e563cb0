//! For tests: a users module that is spoken to over HTTP, with its letters and its clock at hand.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tower::ServiceExt as _;

use crate::kit::auth::{Presented, Principal};
use crate::kit::clock::ManualClock;
use crate::kit::http::client::Client;
use crate::kit::http::context::{self, RequestContext};
use crate::kit::http::page::{From, LARGEST_LIMIT, Page};
use crate::kit::ids::SessionId;
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::audit::{Action, Entry};
use crate::users::local::LocalUsers;
use crate::users::local::access::mail::{About, Letter};
use crate::users::local::access::password::Password;
use crate::users::local::access::registration::Mode;
use crate::users::local::tests::stage::{Stage, stage_with};
use crate::users::store::{AuditQuery, NewAccount, Within};

pub(in crate::users) const PASSWORD: &str = "correct horse battery";

/// The module, and what a test needs of its surroundings.
pub(in crate::users) struct Desk {
    pub(in crate::users) users: LocalUsers,
    pub(in crate::users) clock: ManualClock,
    pub(in crate::users) letters: mpsc::Receiver<Letter>,
    /// Where requests come from.
    pub(in crate::users) address: String,
    _folder: TempDir,
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::users) struct Reply {
    pub(in crate::users) status: StatusCode,
    pub(in crate::users) headers: HeaderMap,
    pub(in crate::users) body: String,
}

impl Reply {
    /// This, if it has that status.
    #[track_caller]
    pub(in crate::users) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    pub(in crate::users) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The fields that were refused.
    pub(in crate::users) fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

impl Desk {
    pub(in crate::users) async fn open(mode: Mode) -> Self {
        let Stage { users, time, letters, folder } = stage_with(mode).await;
        Self { users, clock: time, letters, address: "203.0.113.7".to_owned(), _folder: folder }
    }

    /// Sends a request that anybody can send.
    pub(in crate::users) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.users.open_router(), Method::POST, path, body, None).await
    }

    /// Sends a request of `who`.
    pub(in crate::users) async fn send_as(
        &self,
        who: &Principal,
        method: Method,
        path: &str,
        body: Value,
    ) -> Reply {
        self.send(self.users.router(), method, path, body, Some(who.clone())).await
    }

    async fn send(
        &self,
        router: Router,
        method: Method,
        path: &str,
        body: Value,
        who: Option<Principal>,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(context::REQUEST_ID, "test")
            .body(Body::from(body.to_string()))
            .unwrap();
        if let Some(who) = who {
            request.extensions_mut().insert(who);
        }
        let client = Client { address: Some(self.address.parse().unwrap()), device: None };
        let context = RequestContext::read(path, request.headers(), client, &self.users.ids);
        let answer = context::scope(Arc::new(context), router.oneshot(request)).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// An account with [`PASSWORD`].
    pub(in crate::users) async fn account(&self, email: &str, role: &str, status: Status) -> Account {
        self.account_of(email, role, status, None).await
    }

    /// The same in an institution.
    pub(in crate::users) async fn account_of(
        &self,
        email: &str,
        role: &str,
        status: Status,
        institution: Option<&str>,
    ) -> Account {
        let users = &self.users;
        let account = NewAccount {
            id: users.ids.fresh(),
            kind: Kind::Person,
            name: "Ada Lovelace".to_owned(),
            email: Some(Email::parse(email).unwrap()),
            email_verified: status != Status::Pending,
            password: Some(users.passwords.hash(&Password::typed(PASSWORD)).await.unwrap()),
            status,
            role: role.to_owned(),
            institution: institution.map(str::to_owned),
            at: users.clock.now(),
            trail: users.scribe.entry(Action::Create),
        };
        users.store.add_account(account).await.unwrap();
        self.known(email).await.unwrap()
    }

    /// The account of an address, as it is now.
    pub(in crate::users) async fn known(&self, email: &str) -> Option<Account> {
        let login = self.users.store.by_email(&Email::parse(email).unwrap()).await.unwrap();
        login.map(|login| login.account)
    }

    /// The owner of `account`, as the role permits it, in a session that `session` names.
    pub(in crate::users) async fn principal(&self, account: &Account, session: Presented) -> Principal {
        let roles = self.users.store.roles().await.unwrap();
        let role = roles.into_iter().find(|role| role.name == account.role).unwrap();
        Principal {
            user_id: account.id,
            name: account.name.clone(),
            role: role.name,
            reach: role.reach,
            institution: account.institution.clone(),
            credential: session,
            scopes: role.permissions,
        }
    }

    /// The owner of `account`, in a session that is not opened.
    pub(in crate::users) async fn owner(&self, account: &Account) -> Principal {
        let session: SessionId = self.users.ids.fresh();
        self.principal(account, Presented::Session(session)).await
    }

    /// The whole trail, latest first.
    pub(in crate::users) async fn trail(&self) -> Vec<Entry> {
        let query = AuditQuery {
            within: Within::Everyone,
            actor: None,
            target: None,
            action: None,
            outcome: None,
            from: None,
            to: None,
            page: Page { limit: LARGEST_LIMIT, from: From::Offset(0) },
        };
        self.users.store.audit(query).await.unwrap().entries
    }

    /// Whether somebody can log in.
    pub(in crate::users) async fn log_in(&self, email: &str, password: &str) -> Reply {
        self.post("/api/auth/login", serde_json::json!({ "email": email, "password": password })).await
    }

    /// The next letter: to whom, what about, and its token.
    pub(in crate::users) fn letter(&mut self) -> Option<(String, &'static str, String)> {
        let letter = self.letters.try_recv().ok()?;
        let (about, token) = match letter.about {
            About::Verify(token) => ("verify", token.expose_secret().to_owned()),
            About::Reset(token) => ("reset", token.expose_secret().to_owned()),
            About::Invite(token) => ("invite", token.expose_secret().to_owned()),
            About::Registered => ("registered", String::new()),
            About::PasswordChanged => ("changed", String::new()),
            About::SecondFactorReset => ("second factor reset", String::new()),
        };
        Some((letter.to.as_str().to_owned(), about, token))
    }

    /// The token of the next letter, which is about `about` and the last one.
    #[track_caller]
    pub(in crate::users) fn token(&mut self, about: &str) -> String {
        let (_, found, token) = self.letter().expect("a letter");
        assert_eq!(found, about);
        assert_eq!(self.letter(), None, "one letter");
        token
    }
}
