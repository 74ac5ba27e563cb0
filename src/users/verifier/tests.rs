use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, Semaphore};

use super::*;
use crate::kit::clock::{Clock as _, ManualClock};
use crate::kit::health::Status;
use crate::kit::ids::{KeyId, UserId};
use crate::users::api::Preferences;
use crate::users::roles;

/// Users whose every answer is at hand, and waited for.
#[derive(Debug, Default)]
struct Scripted {
    /// The answers to come; the last one is given for ever.
    answers: Mutex<VecDeque<Result<Trust, ApiError>>>,
    asked: AtomicUsize,
    identified: AtomicUsize,
    begun: Notify,
    /// Where there is a gate, an answer takes a permit of it.
    gate: Option<Semaphore>,
}

fn trust(revocations: Vec<Revocation>, position: u64, more: bool) -> Trust {
    Trust { signing_keys: Vec::new(), roles: roles::built_in(), revocations, position, more }
}

fn away() -> ApiError {
    ApiError::new(Code::Unavailable, "the users module does not answer")
}

fn user() -> UserId {
    Uuid::from_u128(7).into()
}

fn key(number: u128) -> KeyId {
    Uuid::from_u128(number).into()
}

#[async_trait]
impl Users for Scripted {
    async fn identify(&self, credential: &Credential) -> Result<Identity, ApiError> {
        self.identified.fetch_add(1, Ordering::SeqCst);
        let number = credential.expose().trim_start_matches(KEY_PREFIX).parse().unwrap();
        Ok(Identity {
            user_id: user(),
            name: "ada".to_owned(),
            role: "student".to_owned(),
            institution: None,
            epoch: 1,
            credential: Presented::Key(key(number)),
            scopes: None,
            expires_at: None,
        })
    }

    async fn trust(&self, _: u64) -> Result<Trust, ApiError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.begun.notify_one();
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }

    async fn preferences(&self, _: UserId) -> Result<Preferences, ApiError> {
        Ok(Preferences::default())
    }
}

#[async_trait]
impl Probe for Scripted {
    async fn health(&self) -> Health {
        Health::of([])
    }
}

fn verifier(
    gate: Option<Semaphore>,
    answers: impl IntoIterator<Item = Result<Trust, ApiError>>,
) -> (Arc<Verifier>, Arc<Scripted>, ManualClock) {
    let answers = Mutex::new(answers.into_iter().collect());
    let users = Arc::new(Scripted { answers, gate, ..Scripted::default() });
    let time = ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap());
    let options = VerifierOptions {
        rules: TokenRules { issuer: "voicera".to_owned(), audience: "voicera".to_owned() },
        cache_entries: 100,
        cache_ttl: Duration::from_hours(1),
        patience: Duration::from_secs(30),
    };
    let verifier = Verifier::new(Arc::clone(&users) as Arc<dyn Users>, Arc::new(time.clone()), options);
    (Arc::new(verifier), users, time)
}

async fn ask(verifier: &Verifier, number: u128) -> Result<Principal, ApiError> {
    verifier.authenticate(&Credential::new(format!("{KEY_PREFIX}{number}").as_str())).await
}

#[tokio::test]
async fn one_asks_for_all_and_all_learn_that_nobody_answers() {
    let (verifier, users, time) = verifier(Some(Semaphore::new(0)), [Err(away())]);
    let waiting: Vec<_> = (0..50)
        .map(|number| {
            let verifier = Arc::clone(&verifier);
            tokio::spawn(async move { ask(&verifier, number).await })
        })
        .collect();
    users.begun.notified().await;
    users.gate.as_ref().unwrap().add_permits(1);
    for one in waiting {
        assert_eq!(one.await.unwrap().unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(users.asked.load(Ordering::SeqCst), 1);

    // Whoever comes within a moment is told so at once, and nobody is asked.
    assert_eq!(ask(&verifier, 1).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(users.asked.load(Ordering::SeqCst), 1);

    // After that one finds out whether it has changed, and the others do not wait for that one.
    time.advance(SignedDuration::from_secs(2));
    let first = {
        let verifier = Arc::clone(&verifier);
        tokio::spawn(async move { ask(&verifier, 1).await })
    };
    users.begun.notified().await;
    assert_eq!(ask(&verifier, 2).await.unwrap_err().code(), Code::Unavailable);
    *users.answers.lock().unwrap() = [Ok(trust(Vec::new(), 0, false))].into();
    users.gate.as_ref().unwrap().add_permits(1);
    first.await.unwrap().unwrap();
    ask(&verifier, 2).await.unwrap();
    assert_eq!(users.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_looks_at_the_health_ends_what_is_remembered_of_a_failure() {
    let answers = [Err(away()), Err(away()), Ok(trust(Vec::new(), 0, false))];
    let (verifier, users, _) = verifier(None, answers);
    assert_eq!(verifier.health().await.status, Status::Down, "nothing is known yet, and nobody answers");
    assert_eq!(ask(&verifier, 1).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(users.asked.load(Ordering::SeqCst), 1, "who comes is told at once");
    assert_eq!(verifier.health().await.status, Status::Down);

    // Not a moment has gone by.
    assert_eq!(verifier.health().await.status, Status::Up);
    ask(&verifier, 1).await.unwrap();
    assert_eq!(verifier.health().await.status, Status::Up);
    assert_eq!(users.asked.load(Ordering::SeqCst), 3, "while all is well nobody is asked");
}

#[tokio::test]
async fn looking_at_the_health_while_somebody_asks_does_not_ask_as_well() {
    let (verifier, users, time) = verifier(Some(Semaphore::new(1)), [Err(away())]);
    assert_eq!(verifier.health().await.status, Status::Down);
    users.begun.notified().await;
    time.advance(SignedDuration::from_secs(2));
    let asking = {
        let verifier = Arc::clone(&verifier);
        tokio::spawn(async move { ask(&verifier, 1).await })
    };
    users.begun.notified().await;
    assert_eq!(verifier.health().await.status, Status::Down);
    assert_eq!(users.asked.load(Ordering::SeqCst), 2);
    users.gate.as_ref().unwrap().add_permits(1);
    asking.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn while_nobody_answers_who_is_known_goes_on_and_who_is_not_is_told_at_once() {
    let (verifier, users, time) = verifier(None, [Ok(trust(Vec::new(), 0, false)), Err(away())]);
    ask(&verifier, 1).await.unwrap();
    time.advance(SignedDuration::from_secs(10));
    verifier.renew(time.now()).await.unwrap_err();
    ask(&verifier, 1).await.unwrap();
    assert_eq!(ask(&verifier, 2).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(users.identified.load(Ordering::SeqCst), 1, "the second one was not asked for");
    time.advance(SignedDuration::from_secs(30));
    assert_eq!(ask(&verifier, 1).await.unwrap_err().code(), Code::Unavailable, "the news are too old");
}

#[tokio::test]
async fn what_is_known_of_revocations_is_never_a_part_of_them() {
    let revoked = |number| Revocation {
        subject: key(number).uuid(),
        epoch: None,
        expires_at: "2026-11-24T08:00:00Z".parse().unwrap(),
    };
    let answers = [
        Ok(trust(vec![revoked(1)], 1, true)),
        Ok(trust(vec![revoked(2)], 2, true)),
        Ok(trust(vec![revoked(3)], 3, false)),
    ];
    let (verifier, users, _) = verifier(None, answers);
    for number in [3, 2, 1] {
        assert_eq!(ask(&verifier, number).await.unwrap_err().code(), Code::Unauthorized, "{number}");
    }
    ask(&verifier, 4).await.unwrap();
    assert_eq!(users.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_part_of_the_revocations_is_no_news_to_let_anybody_in_by() {
    let (verifier, _, _) = verifier(None, [Ok(trust(Vec::new(), 5, true)), Err(away())]);
    assert_eq!(ask(&verifier, 1).await.unwrap_err().code(), Code::Unavailable);
}

#[test]
fn what_was_checked_with_a_key_that_is_gone_is_not_remembered() {
    let now = "2026-11-23T08:00:00Z".parse().unwrap();
    let signing = |kid: &str| crate::users::api::PublicKey {
        kid: kid.to_owned(),
        x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
    };
    let mut known = Known::default();
    known.learn(Trust { signing_keys: vec![signing("a")], ..trust(Vec::new(), 0, false) }, now);
    // Read with the key, and put away only after that key was dropped at once.
    let identity = Identity {
        user_id: user(),
        name: "ada".to_owned(),
        role: "student".to_owned(),
        institution: None,
        epoch: 1,
        credential: Presented::Session(Uuid::from_u128(9).into()),
        scopes: None,
        expires_at: None,
    };
    let remembered = Remembered { identity, generation: known.generation };
    known.admit_again(&remembered, now).unwrap();
    known.learn(Trust { signing_keys: vec![signing("a"), signing("b")], ..trust(Vec::new(), 0, false) }, now);
    known.admit_again(&remembered, now).expect("a key more is no reason");
    known.learn(Trust { signing_keys: vec![signing("b")], ..trust(Vec::new(), 0, false) }, now);
    assert_eq!(known.admit_again(&remembered, now), Err(Refused::Outdated));
}
