use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ::http::{HeaderMap, Method, Request, StatusCode, header};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::kit::auth::Presented;
use crate::kit::health::{Health, Probe};
use crate::kit::http::precondition::etag;
use crate::users::account::Status;
use crate::users::audit::Outcome;
use crate::users::local::administration::keyring::{Ends, WantedKey};
use crate::users::local::tests::people::{People, with_key};
use crate::users::local::tests::stage::PASSWORD;
use crate::voice::api::{Command, Status as Standing};

/// A voice module that keeps five commands of everybody, and may be away.
#[derive(Debug, Default)]
struct Script {
    away: AtomicBool,
    erased: Mutex<Vec<UserId>>,
}

impl Script {
    fn answers(&self) -> Result<(), ApiError> {
        let away = self.away.load(Ordering::Relaxed);
        (!away).then_some(()).ok_or_else(|| ApiError::new(Code::Unavailable, "away"))
    }

    fn erased(&self) -> Vec<UserId> {
        self.erased.lock().unwrap().clone()
    }
}

#[async_trait]
impl Voice for Script {
    async fn export(&self, user: UserId, after: Option<String>) -> Result<ExportPage, ApiError> {
        self.answers()?;
        let first: u128 = after.map_or(0, |place| place.parse().unwrap());
        let command = |number| Command {
            job_id: uuid::Uuid::from_u128(number).into(),
            user_id: user,
            session_id: None,
            command: format!("number {number}"),
            status: Standing::Failed,
            created_at: Timestamp::UNIX_EPOCH,
            completed_at: Timestamp::UNIX_EPOCH,
            result: None,
            error: None,
            fingerprint: [0; 32],
        };
        let commands = (first..5).take(2).map(command).collect();
        Ok(ExportPage { commands, next: (first + 2 < 5).then(|| (first + 2).to_string()) })
    }

    async fn erase(&self, user: UserId) -> Result<(), ApiError> {
        self.answers()?;
        self.erased.lock().unwrap().push(user);
        Ok(())
    }
}

#[async_trait]
impl Probe for Script {
    async fn health(&self) -> Health {
        Health::of([])
    }
}

async fn people() -> (People, Arc<Personal>, Arc<Script>) {
    let people = People::gather().await;
    let voice = Arc::new(Script::default());
    let personal = people.users.personal(Some(voice.clone()));
    (people, personal, voice)
}

fn code<T: std::fmt::Debug>(outcome: Result<T, ApiError>) -> Code {
    outcome.unwrap_err().code()
}

/// The owner of an account, logged in a moment ago.
async fn just_in(people: &People, account: &Account) -> Principal {
    let tokens = people.users.sessions.open(account.clone(), "password").await.unwrap();
    Principal { credential: Presented::Session(tokens.session), ..people.principal(account).await }
}

/// What the endpoint answers to `who`.
async fn asked(personal: &Arc<Personal>, who: &Principal, method: Method, path: &str) -> (StatusCode, Value) {
    asked_with(personal, who, method, path, Value::Null).await
}

async fn asked_with(
    personal: &Arc<Personal>,
    who: &Principal,
    method: Method,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let mut request = match body {
        Value::Null => request.body(Body::empty()),
        body => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
    }
    .unwrap();
    request.extensions_mut().insert(who.clone());
    let response = personal.router().oneshot(request).await.unwrap();
    let (status, body) = (response.status(), to_bytes(response.into_body(), usize::MAX).await.unwrap());
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_person_gets_all_that_is_kept_in_one_document() {
    let (people, personal, _) = people().await;
    let account = people.account("ada", "teacher", Some("school")).await;
    let ada = just_in(&people, &account).await;
    let key = WantedKey { id: None, name: "mine".to_owned(), scopes: None, ends: Ends::Never };
    let made = people.users.keyring.make(&ada, ada.user_id, key).await.unwrap();

    let path = format!("/api/users/{}/export", ada.user_id);
    let (status, data) = asked(&personal, &ada, Method::GET, &path).await;
    assert_eq!(status, 200);
    assert_eq!(data["account"]["email"], "ada@example.org");
    assert_eq!(data["sessions"][0]["method"], "password");
    assert_eq!(data["keys"][0]["name"], "mine");
    assert_eq!(data["passkeys"], json!([]));
    let actions = data["audit"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap());
    assert_eq!(
        actions.collect::<std::collections::BTreeSet<_>>(),
        ["account.create", "key.create", "session.login"].into()
    );
    let said = data["commands"].as_array().unwrap().iter().map(|command| command["command"].clone());
    assert_eq!(said.collect::<Vec<_>>(), ["number 0", "number 1", "number 2", "number 3", "number 4"]);
    let secret = secrecy::ExposeSecret::expose_secret(&made.secret).to_owned();
    assert!(!data.to_string().contains(&secret));
    assert_eq!(people.trail(Action::Export, Outcome::Done).await.len(), 1);
}

#[tokio::test]
async fn the_trail_is_whole_however_long_and_says_nothing_of_where_others_were() {
    let (people, personal, _) = people().await;
    let account = people.account("ada", "admin", None).await;
    let other = people.account("bob", "student", None).await.id;
    let ada = just_in(&people, &account).await;
    let mut last = None;
    for number in 0_u64..450 {
        people.clock.advance(SignedDuration::from_secs(1));
        let (by, on) = match number % 3 {
            0 => (&ada, account.id),
            1 => (&ada, other),
            _ => (&people.root, account.id),
        };
        let mut entry = people.users.scribe.entry(Action::Update).by(by).on(on, None).with("number", number);
        entry.address = Some("203.0.113.7".to_owned());
        last = Some(entry.at);
        people.store.append(entry).await.unwrap();
    }
    let path = format!("/api/users/{}/export", account.id);
    let (status, data) = asked(&personal, &ada, Method::GET, &path).await;
    assert_eq!(status, 200);
    let entries = data["audit"].as_array().unwrap();
    let told: Vec<_> = entries.iter().filter_map(|entry| entry["detail"]["number"].as_u64()).collect();
    assert_eq!(told, (0..450).rev().collect::<Vec<_>>());
    assert_eq!(entries[0]["at"], json!(last.unwrap()));
    for entry in entries.iter().filter(|entry| !entry["detail"]["number"].is_null()) {
        let own = entry["actor"] == json!(account.id);
        assert_eq!(entry["address"].is_string(), own, "{entry}");
        assert_eq!(entry["credential"].is_object(), own, "{entry}");
        assert!(entry["actor"].is_string());
    }
    assert_eq!(data["commands"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn data_goes_to_the_person_logged_in_and_to_an_administrator_within_reach() {
    let (people, personal, voice) = people().await;
    let ada = just_in(&people, &people.account("ada", "student", Some("school")).await).await;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let far = people.somebody("far", "institution_admin", Some("other")).await;
    let chief = people.account("chief", "admin", Some("school")).await.id;
    let get = async |who: &Principal, id| {
        personal.export(who, id, &Proof::default()).await.map(|kept| kept.account.id)
    };
    assert_eq!(get(&ada, ada.user_id).await.unwrap(), ada.user_id);
    assert_eq!(get(&head, ada.user_id).await.unwrap(), ada.user_id);
    assert_eq!(code(get(&with_key(&ada, &[]), ada.user_id).await), Code::Forbidden);
    assert_eq!(code(get(&ada, head.user_id).await), Code::Forbidden);
    assert_eq!(code(get(&far, ada.user_id).await), Code::NotFound);
    assert_eq!(code(get(&head, chief).await), Code::Forbidden);
    voice.away.store(true, Ordering::Relaxed);
    assert_eq!(code(get(&ada, ada.user_id).await), Code::Unavailable);
}

#[tokio::test]
async fn who_is_erased_leaves_nothing_and_can_be_nobody_any_more() {
    let (people, personal, voice) = people().await;
    let account = people.account("ada", "student", None).await;
    let tokens = people.users.sessions.open(account.clone(), "password").await.unwrap();
    let ada = just_in(&people, &account).await;
    let path = format!("/api/users/{}", ada.user_id);
    let proof = json!({ "password": PASSWORD });
    assert_eq!(asked_with(&personal, &ada, Method::DELETE, &path, proof).await.0, 204);
    assert_eq!(voice.erased(), [ada.user_id]);
    assert_eq!(people.now_is(ada.user_id).await, None);
    let refresh = secrecy::ExposeSecret::expose_secret(&tokens.refresh).to_owned();
    assert_eq!(code(people.users.sessions.refresh(&refresh).await), Code::Unauthorized);
    assert_eq!(asked(&personal, &ada, Method::DELETE, &path).await.0, 404);
    people.account("ada", "student", None).await;
    let entry = people.trail(Action::Erase, Outcome::Done).await.remove(0);
    assert_eq!((entry.actor, entry.target), (Some(ada.user_id), Some(ada.user_id)));
}

#[tokio::test]
async fn a_module_that_is_away_is_told_until_it_has_confirmed_and_once_more() {
    let (people, personal, voice) = people().await;
    let ada = people.account("ada", "student", None).await.id;
    voice.away.store(true, Ordering::Relaxed);
    let path = format!("/api/users/{ada}");
    assert_eq!(asked(&personal, &people.root, Method::DELETE, &path).await.0, 202);
    assert_eq!(people.now_is(ada).await, None, "the account is gone all the same");

    people.clock.advance(PATIENCE);
    assert_eq!(personal.tell_due().await.unwrap(), 0);
    voice.away.store(false, Ordering::Relaxed);
    assert_eq!(personal.tell_due().await.unwrap(), 1);
    assert_eq!(personal.tell_due().await.unwrap(), 0, "what was in flight has its time");
    people.clock.advance(AT_REST);
    assert_eq!(personal.tell_due().await.unwrap(), 1);
    people.clock.advance(AT_REST * 10);
    assert_eq!(personal.tell_due().await.unwrap(), 0);
    assert_eq!(voice.erased(), [ada, ada]);
}

#[tokio::test]
async fn the_task_tells_what_is_due_by_itself() {
    let (people, personal, voice) = people().await;
    let ada = people.account("ada", "student", None).await.id;
    assert!(personal.erase(&people.root, ada, &IfMatch::Any, &Proof::default()).await.unwrap());
    people.clock.advance(AT_REST);
    let stop = CancellationToken::new();
    let task = tokio::spawn(Arc::clone(&personal).run(stop.clone()));
    let twice = async {
        while voice.erased().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), twice).await.unwrap();
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn erasing_takes_the_person_logged_in_or_an_administrator_within_reach() {
    let (people, personal, voice) = people().await;
    let ada = people.somebody("ada", "student", Some("school")).await;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let far = people.somebody("far", "institution_admin", Some("other")).await;
    let chief = people.account("chief", "admin", Some("school")).await.id;
    let any = IfMatch::Any;
    assert_eq!(
        code(personal.erase(&with_key(&ada, &[]), ada.user_id, &any, &Proof::default()).await),
        Code::Forbidden
    );
    assert_eq!(code(personal.erase(&ada, head.user_id, &any, &Proof::default()).await), Code::Forbidden);
    assert_eq!(code(personal.erase(&far, ada.user_id, &any, &Proof::default()).await), Code::NotFound);
    assert_eq!(code(personal.erase(&head, chief, &any, &Proof::default()).await), Code::Forbidden);
    assert_eq!(voice.erased(), []);
    assert!(personal.erase(&head, ada.user_id, &any, &Proof::default()).await.unwrap());
}

#[tokio::test]
async fn a_session_alone_erases_nobody_and_hands_nothing_out_for_long() {
    let (people, personal, voice) = people().await;
    let account = people.account("ada", "admin", None).await;
    let ada = just_in(&people, &account).await;
    let path = format!("/api/users/{}", account.id);
    let export = format!("{path}/export");
    let password = json!({ "password": PASSWORD });
    let (status, problem) = asked(&personal, &ada, Method::DELETE, &path).await;
    assert_eq!(status, 403);
    assert!(problem["detail"].as_str().unwrap().contains("`password`"), "{problem}");
    let wrong = json!({ "password": "another password" });
    assert_eq!(asked_with(&personal, &ada, Method::DELETE, &path, wrong).await.0, 403);
    assert_eq!(people.trail(Action::Erase, Outcome::Refused).await.len(), 1);
    let key = with_key(&ada, &[Scope::UsersAdmin]);
    assert_eq!(asked_with(&personal, &key, Method::DELETE, &path, password.clone()).await.0, 403);

    people.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(asked(&personal, &ada, Method::GET, &export).await.0, 403);
    assert_eq!(asked(&personal, &key, Method::GET, &export).await.0, 403);
    assert_eq!(asked_with(&personal, &ada, Method::POST, &export, password.clone()).await.0, 200);
    assert_eq!(voice.erased(), []);
    assert_eq!(asked_with(&personal, &ada, Method::DELETE, &path, password).await.0, 204);
}

#[tokio::test]
async fn an_account_that_is_changed_at_the_same_time_is_erased_all_the_same() {
    let (people, personal, _) = people().await;
    for round in 0..10 {
        let ada = people.account(&format!("ada{round}"), "student", None).await.id;
        let (root, none) = (&people.root, Proof::default());
        let suspend = people.users.directory.set_status(root, ada, &IfMatch::Any, Status::Suspended);
        let (erased, _) = tokio::join!(personal.erase(root, ada, &IfMatch::Any, &none), suspend);
        assert!(erased.unwrap());
    }
}

#[tokio::test]
async fn the_last_administrator_is_not_erased() {
    let (people, personal, voice) = people().await;
    let root = &people.root;
    let none = Proof::default();
    let erase = || personal.erase(root, root.user_id, &IfMatch::Any, &none);
    assert_eq!(code(erase().await), Code::Conflict);
    let second = people.account("second", "admin", None).await.id;
    let directory = &people.users.directory;
    directory.set_status(root, second, &IfMatch::Any, Status::Inactive).await.unwrap();
    assert_eq!(code(erase().await), Code::Conflict);
    assert_eq!(voice.erased(), []);
    assert_eq!(people.trail(Action::Erase, Outcome::Refused).await.len(), 2);
    directory.set_status(root, second, &IfMatch::Any, Status::Active).await.unwrap();
    assert!(erase().await.unwrap());
}

#[tokio::test]
async fn nothing_is_erased_that_was_changed_since_it_was_read() {
    let (people, personal, _) = people().await;
    let ada = people.account("ada", "student", None).await;
    let known = |version| IfMatch::of(&HeaderMap::from_iter([(header::IF_MATCH, etag(version))]));
    let late = personal.erase(&people.root, ada.id, &known(ada.version + 1), &Proof::default()).await;
    assert_eq!(code(late), Code::PreconditionFailed);
    assert!(people.now_is(ada.id).await.is_some());
    assert!(personal.erase(&people.root, ada.id, &known(ada.version), &Proof::default()).await.unwrap());
}

#[tokio::test]
async fn a_service_that_was_not_told_where_commands_are_says_so_and_begins_nothing() {
    let (people, told, voice) = people().await;
    let personal = people.users.personal(None);
    let ada = people.account("ada", "student", None).await.id;
    for (method, path) in [(Method::GET, "/export"), (Method::DELETE, "")] {
        let (status, problem) =
            asked(&personal, &people.root, method, &format!("/api/users/{ada}{path}")).await;
        assert_eq!(status, 503);
        assert!(problem["detail"].as_str().unwrap().contains("peers.voice_url"), "{problem}");
    }
    assert!(people.now_is(ada).await.is_some());

    voice.away.store(true, Ordering::Relaxed);
    told.erase(&people.root, ada, &IfMatch::Any, &Proof::default()).await.unwrap();
    people.clock.advance(PATIENCE);
    assert_eq!(personal.tell_due().await.unwrap(), 0);
    voice.away.store(false, Ordering::Relaxed);
    assert_eq!(told.tell_due().await.unwrap(), 1, "it stayed due");
}
