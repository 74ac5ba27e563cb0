use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ::http::{HeaderMap, Method, Request, StatusCode, header};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::kit::health::{Health, Probe};
use crate::kit::http::precondition::etag;
use crate::users::account::Status;
use crate::users::audit::Outcome;
use crate::users::local::administration::keyring::{Ends, WantedKey};
use crate::users::local::tests::people::{People, with_key};
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

/// What the endpoint answers to `who`.
async fn asked(personal: &Arc<Personal>, who: &Principal, method: Method, path: &str) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(who.clone());
    let response = personal.router().oneshot(request).await.unwrap();
    let (status, body) = (response.status(), to_bytes(response.into_body(), usize::MAX).await.unwrap());
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_person_gets_all_that_is_kept_in_one_document() {
    let (people, personal, _) = people().await;
    let account = people.account("ada", "teacher", Some("school")).await;
    people.users.sessions.open(account.clone(), "password").await.unwrap();
    let ada = people.principal(&account).await;
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
async fn data_goes_to_the_person_logged_in_and_to_an_administrator_within_reach() {
    let (people, personal, voice) = people().await;
    let ada = people.somebody("ada", "student", Some("school")).await;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let far = people.somebody("far", "institution_admin", Some("other")).await;
    let chief = people.account("chief", "admin", Some("school")).await.id;
    let get = async |who: &Principal, id| personal.export(who, id).await.map(|kept| kept.account.id);
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
    let ada = people.principal(&account).await;
    let path = format!("/api/users/{}", ada.user_id);
    assert_eq!(asked(&personal, &ada, Method::DELETE, &path).await.0, 204);
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
    assert!(personal.erase(&people.root, ada, &IfMatch::Any).await.unwrap());
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
    assert_eq!(code(personal.erase(&with_key(&ada, &[]), ada.user_id, &any).await), Code::Forbidden);
    assert_eq!(code(personal.erase(&ada, head.user_id, &any).await), Code::Forbidden);
    assert_eq!(code(personal.erase(&far, ada.user_id, &any).await), Code::NotFound);
    assert_eq!(code(personal.erase(&head, chief, &any).await), Code::Forbidden);
    assert_eq!(voice.erased(), []);
    assert!(personal.erase(&head, ada.user_id, &any).await.unwrap());
}

#[tokio::test]
async fn the_last_administrator_is_not_erased() {
    let (people, personal, voice) = people().await;
    let root = &people.root;
    let erase = || personal.erase(root, root.user_id, &IfMatch::Any);
    assert_eq!(code(erase().await), Code::Conflict);
    let second = people.account("second", "admin", None).await.id;
    let directory = &people.users.directory;
    directory.set_status(root, second, &IfMatch::Any, Status::Inactive).await.unwrap();
    assert_eq!(code(erase().await), Code::Conflict);
    assert_eq!(voice.erased(), []);
    directory.set_status(root, second, &IfMatch::Any, Status::Active).await.unwrap();
    assert!(erase().await.unwrap());
}

#[tokio::test]
async fn nothing_is_erased_that_was_changed_since_it_was_read() {
    let (people, personal, _) = people().await;
    let ada = people.account("ada", "student", None).await;
    let known = |version| IfMatch::of(&HeaderMap::from_iter([(header::IF_MATCH, etag(version))]));
    let late = personal.erase(&people.root, ada.id, &known(ada.version + 1)).await;
    assert_eq!(code(late), Code::PreconditionFailed);
    assert!(people.now_is(ada.id).await.is_some());
    assert!(personal.erase(&people.root, ada.id, &known(ada.version)).await.unwrap());
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
    told.erase(&people.root, ada, &IfMatch::Any).await.unwrap();
    people.clock.advance(PATIENCE);
    assert_eq!(personal.tell_due().await.unwrap(), 0);
    voice.away.store(false, Ordering::Relaxed);
    assert_eq!(told.tell_due().await.unwrap(), 1, "it stayed due");
}
