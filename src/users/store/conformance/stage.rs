//! What the cases are played with: a store with the built-in roles and nobody in it, and people for it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::kit::http::page::Page;
use crate::kit::ids::UserId;
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::roles::{self, ADMIN};
use crate::users::store::{
    Added, AuditQuery, Change, ChangeAccount, Changed, EraseAccount, Hash, NewAccount, NewSession, UserStore,
    Within,
};

/// Where a store is, and how to look into it past its traits.
#[async_trait]
pub(crate) trait Place: Send + Sync + 'static {
    /// Opens the store, which is empty the first time.
    async fn open(&self) -> Arc<dyn UserStore>;

    /// A place of the same kind with nothing in it.
    async fn another(&self) -> Box<dyn Place>;

    /// Everything that is kept, table by table, each row as text; bytes in lower-case hexadecimal.
    async fn tables(&self) -> Vec<(String, String)>;
}

/// A store and its place.
pub(crate) struct World {
    pub(super) store: Arc<dyn UserStore>,
    /// The same one, as another process has it.
    beside: Arc<dyn UserStore>,
    pub(super) place: Box<dyn Place>,
    numbers: AtomicU64,
    turns: AtomicU64,
}

/// When every case begins: far enough ahead that no server ends by its own clock what has not expired
/// by the test's.
pub(super) fn start() -> Timestamp {
    "2100-01-04T08:00:00Z".parse().unwrap()
}

/// So many seconds later.
pub(super) fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// Something that stands for the SHA-256 of a secret.
pub(super) fn hash(number: u64) -> Hash {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    hash
}

/// Bytes as [`Place::tables`] shows them.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

/// Runs `work` so many times, all begun together.
pub(super) async fn at_once<T, F>(times: usize, work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(times));
    let begin = |number| {
        let (gate, work) = (Arc::clone(&gate), work(number));
        tokio::spawn(async move {
            gate.wait().await;
            work.await
        })
    };
    let tasks: Vec<_> = (0..times).map(begin).collect();
    let mut done = Vec::with_capacity(times);
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

impl World {
    /// A world at `place`.
    pub(crate) async fn at(place: impl Place) -> Self {
        Self::with_ids_from(1, Box::new(place)).await
    }

    /// A world of the same kind elsewhere, in which nobody is yet; what it makes has ids of its own.
    pub(super) async fn another(&self) -> Self {
        Self::with_ids_from(1_000_000, self.place.another().await).await
    }

    async fn with_ids_from(first: u64, place: Box<dyn Place>) -> Self {
        let store = place.open().await;
        let beside = place.open().await;
        store.seed_roles(roles::built_in(), start()).await.unwrap();
        Self { store, beside, place, numbers: AtomicU64::new(first), turns: AtomicU64::new(0) }
    }

    /// Closes the store.
    pub(crate) async fn close(&self) {
        self.store.close().await;
        self.beside.close().await;
    }

    /// The store, for a task of its own: every other one is another process.
    pub(super) fn shared(&self) -> Arc<dyn UserStore> {
        let here = self.turns.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        Arc::clone(if here { &self.store } else { &self.beside })
    }

    /// A number that there was not yet.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A fresh id; ids grow.
    pub(super) fn id<T: From<Uuid>>(&self) -> T {
        Uuid::from_u128(u128::from(self.number()) | 0x0190_0000_0000_7000_8000_0000_0000_0000).into()
    }

    /// An entry for the trail.
    pub(super) fn entry(&self, action: Action) -> Entry {
        Entry {
            id: self.id(),
            at: start(),
            actor: None,
            credential: None,
            action,
            target: None,
            institution: None,
            outcome: Outcome::Done,
            address: None,
            device: None,
            request_id: None,
            detail: Map::new(),
        }
    }

    /// A student with a password and an address, to be added.
    pub(super) fn student(&self, name: &str) -> NewAccount {
        let id: UserId = self.id();
        let local = if name.is_ascii() {
            name.replace(|sign: char| !sign.is_alphanumeric(), "")
        } else {
            String::new()
        };
        let local = if local.is_empty() { format!("s{}", self.number()) } else { local };
        NewAccount {
            id,
            kind: Kind::Person,
            name: name.to_owned(),
            email: Some(email(&format!("{local}@example.org"))),
            email_verified: true,
            password: Some("$argon2id$a hash".to_owned()),
            status: Status::Active,
            role: "student".to_owned(),
            institution: None,
            at: start(),
            trail: self.entry(Action::Register).on(id, None),
        }
    }

    /// The same of an institution.
    pub(super) fn pupil(&self, name: &str, institution: &str) -> NewAccount {
        NewAccount { institution: Some(institution.to_owned()), ..self.student(name) }
    }

    /// Adds an account.
    pub(super) async fn add(&self, account: NewAccount) -> Account {
        let id = account.id;
        assert_eq!(self.store.add_account(account).await.unwrap(), Added::Done);
        self.now_is(id).await.unwrap()
    }

    /// A student who is there.
    pub(super) async fn somebody(&self, name: &str) -> Account {
        self.add(self.student(name)).await
    }

    /// An administrator who is there.
    pub(super) async fn administrator(&self, name: &str) -> Account {
        self.add(NewAccount { role: ADMIN.to_owned(), ..self.student(name) }).await
    }

    /// The account as it is now.
    pub(super) async fn now_is(&self, id: UserId) -> Option<Account> {
        self.store.account(id, &Within::Everyone).await.unwrap()
    }

    /// A change to the account of `id`, a minute after the start.
    pub(super) fn change(&self, id: UserId, change: Change, action: Action) -> ChangeAccount {
        ChangeAccount {
            id,
            within: Within::Everyone,
            if_version: None,
            change,
            at: at(60),
            trail: self.entry(action).on(id, None),
        }
    }

    /// Changes an account, which has to be possible.
    pub(super) async fn changed(&self, id: UserId, change: Change, action: Action) -> Account {
        let change = self.change(id, change, action);
        match self.store.change_account(change).await.unwrap() {
            Changed::Done(account) => *account,
            other => panic!("not changed: {other:?}"),
        }
    }

    /// The account's erasure.
    pub(super) fn erasure(&self, id: UserId) -> EraseAccount {
        EraseAccount {
            id,
            within: Within::Everyone,
            if_version: None,
            due_at: at(60),
            at: at(60),
            trail: self.entry(Action::Erase).on(id, None),
        }
    }

    /// A session of the account with the refresh token `number`, good for an hour.
    pub(super) fn session(&self, account: &Account, number: u64) -> NewSession {
        NewSession {
            id: self.id(),
            user: account.id,
            epoch: account.epoch,
            device: Some("a browser".to_owned()),
            address: Some("192.0.2.7".to_owned()),
            network: Some("192.0.2.0/24".to_owned()),
            method: "password".to_owned(),
            refresh: hash(number),
            at: start(),
            expires_at: at(3600),
            trail: self.entry(Action::Login).on(account.id, None),
        }
    }

    /// Opens a session, which has to be possible.
    pub(super) async fn open(&self, session: NewSession) -> NewSession {
        assert!(self.store.open_session(session.clone()).await.unwrap());
        session
    }

    /// All of the trail, latest first.
    pub(super) async fn trail(&self) -> Vec<Entry> {
        self.store.audit(every_entry()).await.unwrap().entries
    }

    /// How many entries the trail has.
    pub(super) async fn trail_is(&self) -> usize {
        self.trail().await.len()
    }

    /// What was revoked after `position`: subjects, with the epoch where there is one.
    pub(super) async fn revoked_after(&self, position: u64) -> Vec<(Uuid, Option<u64>)> {
        let (revoked, _) = self.store.revocations(position, 10_000).await.unwrap();
        revoked.iter().map(|one| (one.subject, one.epoch)).collect()
    }

    /// The position of the revocations now.
    pub(super) async fn position(&self) -> u64 {
        self.store.revocations(0, 10_000).await.unwrap().1
    }
}

/// Everything in the trail, as far as it goes on one page.
pub(super) fn every_entry() -> AuditQuery {
    AuditQuery {
        within: Within::Everyone,
        actor: None,
        target: None,
        action: None,
        outcome: None,
        from: None,
        to: None,
        page: page(200, None),
    }
}

/// A page from the beginning, or after a cursor.
pub(super) fn page(limit: u32, after: Option<&str>) -> Page {
    Page::parse(Some(limit), None, after).unwrap()
}
