use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::kit::auth::Presented;
use crate::users::account::Status;
use crate::users::audit::Outcome;
use crate::users::local::tests::somebody::software::Passkey as Device;
use crate::users::local::tests::somebody::{EMAIL, ORIGIN, PASSWORD, Somebody};

mod hostile;

impl Somebody {
    fn keys(&self) -> &Passkeys {
        &self.users.passkeys
    }

    async fn asked_to_create(&self, who: &Principal) -> (Value, String) {
        let ceremony = self.keys().start_adding(who, &Proof::default()).await.unwrap();
        let options = serde_json::to_value(&ceremony.options).unwrap();
        (options, ceremony.token.expose_secret().to_owned())
    }

    async fn asked_to_answer(&self) -> (Value, String) {
        let ceremony = self.keys().start_log_in(None).await.unwrap();
        let options = serde_json::to_value(&ceremony.options).unwrap();
        (options, ceremony.token.expose_secret().to_owned())
    }

    async fn try_add(&self, who: &Principal, token: &str, answer: Value) -> Result<PasskeyId, ApiError> {
        let answer = serde_json::from_value(answer).unwrap();
        self.keys().add(who, token, "Ada's phone", &answer).await.map(|passkey| passkey.id)
    }

    async fn try_log_in(&self, token: &str, answer: Value) -> Result<Tokens, ApiError> {
        let answer = serde_json::from_value(answer).unwrap();
        self.keys().log_in(token, &answer, None).await
    }

    /// Adds a passkey of a device.
    async fn register(&self, who: &Principal, device: &mut Device) -> PasskeyId {
        let (options, token) = self.asked_to_create(who).await;
        let answer = device.create(&options);
        self.try_add(who, &token, answer).await.unwrap()
    }

    async fn log_in(&self, device: &mut Device) -> Result<Tokens, ApiError> {
        let (options, token) = self.asked_to_answer().await;
        let answer = device.answer(&options);
        self.try_log_in(&token, answer).await
    }

    /// Why a log-in with this device is refused.
    async fn refused(&self, device: &mut Device) -> String {
        let error = self.log_in(device).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthorized);
        error.to_string()
    }
}

async fn ada(stage: &Somebody) -> (Principal, Device) {
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let mut device = Device::at(ORIGIN);
    stage.register(&ada, &mut device).await;
    (ada, device)
}

#[tokio::test]
async fn a_passkey_logs_in_without_a_word_of_whose_it_is() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    let (options, token) = stage.asked_to_answer().await;
    assert_eq!(options["publicKey"]["allowCredentials"], json!([]));
    assert_eq!(options["publicKey"]["rpId"], "example.org");
    assert_eq!(options["publicKey"]["timeout"], 300_000);
    assert!(options.get("mediation").is_none());

    stage.pass(60);
    let tokens = stage.try_log_in(&token, device.answer(&options)).await.unwrap();
    assert_eq!(tokens.account.id, ada.user_id);
    let sessions = stage.users.sessions.list(ada.user_id).await.unwrap();
    assert!(sessions.iter().any(|session| session.id == tokens.session && session.method == "passkey"));
    let kept = stage.keys().list(ada.user_id).await.unwrap();
    assert_eq!(kept[0].name, "Ada's phone");
    assert_eq!(kept[0].last_used_at, Some(stage.now()));
    assert!(stage.has_trail(ada.user_id, Action::AddPasskey, Outcome::Done).await);
    stage.log_in(&mut device).await.unwrap();
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_its_own_question() {
    let stage = Somebody::set().await;
    let (_, mut device) = ada(&stage).await;
    let (options, token) = stage.asked_to_answer().await;
    let answer = device.answer(&options);
    stage.try_log_in(&token, answer.clone()).await.unwrap();
    assert_eq!(stage.try_log_in(&token, answer.clone()).await.unwrap_err().code(), Code::Unauthorized);
    let (_, another) = stage.asked_to_answer().await;
    assert_eq!(stage.try_log_in(&another, answer).await.unwrap_err().code(), Code::Unauthorized);

    let (options, late) = stage.asked_to_answer().await;
    stage.pass(300);
    let refused = stage.try_log_in(&late, device.answer(&options)).await.unwrap_err();
    assert!(refused.to_string().contains("too long"), "{refused}");
}

#[tokio::test]
async fn a_page_of_another_origin_gets_nobody_in() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    for origin in [
        "https://app.example.org.evil.test",
        "https://example.org",
        "http://app.example.org",
        "https://app.example.org:8443",
    ] {
        ORIGIN.clone_into(&mut device.origin);
        let mut fresh = Device::at(origin);
        let (options, token) = stage.asked_to_create(&ada).await;
        let refused = stage.try_add(&ada, &token, fresh.create(&options)).await.unwrap_err();
        assert!(refused.to_string().contains("another origin"), "{refused}");
        origin.clone_into(&mut device.origin);
        stage.refused(&mut device).await;
    }
}

#[tokio::test]
async fn a_device_that_does_not_verify_its_owner_is_refused() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    device.verifies_user = false;
    stage.refused(&mut device).await;
    let mut careless = Device::at(ORIGIN);
    careless.verifies_user = false;
    let (options, token) = stage.asked_to_create(&ada).await;
    let refused = stage.try_add(&ada, &token, careless.create(&options)).await.unwrap_err();
    assert!(refused.to_string().contains("verified its owner"), "{refused}");
}

#[tokio::test]
async fn a_counter_that_does_not_grow_gives_a_copy_away() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    device.counter = 7;
    stage.log_in(&mut device).await.unwrap();
    for copy in [0, 6, 7] {
        device.counter = copy;
        assert!(stage.refused(&mut device).await.contains("copy"), "{copy}");
    }
    device.counter = 8;
    stage.log_in(&mut device).await.unwrap();
    device.counts = false;
    device.counter = 0;
    assert!(stage.refused(&mut device).await.contains("copy"), "one that has counted goes on counting");
    let trail = stage.trail(ada.user_id).await;
    assert!(trail.iter().any(|entry| entry.detail.get("why") == Some(&json!("passkey counter"))));
}

#[tokio::test]
async fn a_passkey_that_never_counts_is_good_again_and_again() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let mut device = Device::at(ORIGIN);
    device.counts = false;
    stage.register(&ada, &mut device).await;
    for _ in 0..3 {
        stage.log_in(&mut device).await.unwrap();
    }
}

#[tokio::test]
async fn of_two_answers_with_one_counter_one_gets_in() {
    let stage = Somebody::set().await;
    let (_, mut device) = ada(&stage).await;
    let (one, one_token) = stage.asked_to_answer().await;
    let (other, other_token) = stage.asked_to_answer().await;
    let one = device.answer(&one);
    device.counter -= 1;
    let other = device.answer(&other);
    let (one, other) = tokio::join!(stage.try_log_in(&one_token, one), stage.try_log_in(&other_token, other));
    assert!(one.is_ok() != other.is_ok());
}

#[tokio::test]
async fn an_unknown_passkey_and_one_that_says_it_is_anothers_are_refused_alike() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    let bob = stage.somebody("bob@example.org", Some(PASSWORD), "password").await;
    let mut strange = Device::at(ORIGIN);
    strange.create(&stage.asked_to_create(&bob).await.0);
    let unknown = stage.refused(&mut strange).await;

    let (options, token) = stage.asked_to_answer().await;
    let mut answer = device.answer(&options);
    answer["response"]["userHandle"] = json!(URL_SAFE_NO_PAD.encode(bob.user_id.uuid()));
    assert_eq!(stage.try_log_in(&token, answer).await.unwrap_err().to_string(), unknown);

    // Another key that says it is Ada's.
    strange.create(&stage.asked_to_create(&ada).await.0);
    strange.id.clone_from(&device.id);
    assert_eq!(stage.refused(&mut strange).await, unknown);
}

#[tokio::test]
async fn a_suspended_account_stays_out() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    stage.set_status(ada.user_id, Status::Suspended).await;
    assert_eq!(stage.log_in(&mut device).await.unwrap_err().code(), Code::Forbidden);
}

#[tokio::test]
async fn adding_takes_a_session_a_name_and_after_a_while_the_password() {
    let stage = Somebody::set().await;
    let (ada, _) = ada(&stage).await;
    let key = Principal { credential: Presented::Key(stage.users.ids.fresh()), ..ada.clone() };
    let refused = stage.keys().start_adding(&key, &Proof::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);

    let mut device = Device::at(ORIGIN);
    for name in ["", "  ", "a\u{7}b", &"x".repeat(101)] {
        let (options, token) = stage.asked_to_create(&ada).await;
        let answer = serde_json::from_value(device.create(&options)).unwrap();
        let refused = stage.keys().add(&ada, &token, name, &answer).await.unwrap_err();
        assert!(refused.to_string().contains("`name`"), "{refused}");
    }

    stage.pass(15 * 60);
    let refused = stage.keys().start_adding(&ada, &Proof::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    let proof = |text: &str| Proof { password: Some(text.to_owned()), code: None };
    let refused = stage.keys().start_adding(&ada, &proof("another password")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    stage.keys().start_adding(&ada, &proof(PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn a_passkey_is_added_once_by_whom_it_was_begun() {
    let stage = Somebody::set().await;
    let (ada, mut device) = ada(&stage).await;
    let bob = stage.somebody("bob@example.org", Some(PASSWORD), "password").await;
    let (options, token) = stage.asked_to_create(&ada).await;
    assert_eq!(options["publicKey"]["excludeCredentials"][0]["id"], URL_SAFE_NO_PAD.encode(&device.id));
    let answer = Device::at(ORIGIN).create(&options);
    assert_eq!(stage.try_add(&bob, &token, answer.clone()).await.unwrap_err().code(), Code::Invalid);
    // The token is used up.
    assert_eq!(stage.try_add(&ada, &token, answer).await.unwrap_err().code(), Code::Invalid);

    let (options, token) = stage.asked_to_create(&bob).await;
    let known = stage.try_add(&bob, &token, device.create(&options)).await.unwrap_err();
    assert_eq!(known.code(), Code::Conflict);

    let (options, token) = stage.asked_to_create(&ada).await;
    let mut forgetful = Device::at(ORIGIN).create(&options);
    forgetful["clientExtensionResults"]["credProps"]["rk"] = json!(false);
    let refused = stage.try_add(&ada, &token, forgetful).await.unwrap_err();
    assert!(refused.to_string().contains("find by itself"), "{refused}");

    let (options, token) = stage.asked_to_create(&ada).await;
    stage.pass(300);
    let late = stage.try_add(&ada, &token, Device::at(ORIGIN).create(&options)).await.unwrap_err();
    assert!(late.to_string().contains("expired"), "{late}");
}

#[tokio::test]
async fn nobody_has_more_passkeys_than_there_is_room_for() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    for _ in 0..MOST {
        stage.register(&ada, &mut Device::at(ORIGIN)).await;
    }
    let (options, token) = stage.asked_to_create(&ada).await;
    let refused = stage.try_add(&ada, &token, Device::at(ORIGIN).create(&options)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Conflict);
}

#[tokio::test]
async fn the_last_way_in_stays_and_nobody_removes_anothers() {
    let stage = Somebody::set().await;
    let bob = stage.somebody("bob@example.org", None, "invitation").await;
    let (mut phone, mut laptop) = (Device::at(ORIGIN), Device::at(ORIGIN));
    let first = stage.register(&bob, &mut phone).await;
    let remove = async |who: &Principal, id| {
        stage.keys().remove(who, id, &Proof::default()).await.map_err(|error| error.code())
    };
    assert_eq!(remove(&bob, first).await, Err(Code::Conflict));
    let second = stage.register(&bob, &mut laptop).await;
    remove(&bob, first).await.unwrap();
    assert_eq!(remove(&bob, first).await, Err(Code::NotFound));
    assert_eq!(remove(&bob, second).await, Err(Code::Conflict));
    stage.refused(&mut phone).await;
    stage.log_in(&mut laptop).await.unwrap();
    assert!(stage.has_trail(bob.user_id, Action::RemovePasskey, Outcome::Done).await);

    let (ada, mut device) = ada(&stage).await;
    assert_eq!(remove(&ada, second).await, Err(Code::NotFound));
    let own = stage.keys().list(ada.user_id).await.unwrap()[0].id;
    remove(&ada, own).await.expect("there is a password");
    stage.refused(&mut device).await;
}

#[tokio::test]
async fn of_two_removals_at_once_one_leaves_the_last_way_in() {
    let stage = Somebody::set().await;
    let bob = stage.somebody("bob@example.org", None, "invitation").await;
    let first = stage.register(&bob, &mut Device::at(ORIGIN)).await;
    let second = stage.register(&bob, &mut Device::at(ORIGIN)).await;
    let none = Proof::default();
    let (one, other) =
        tokio::join!(stage.keys().remove(&bob, first, &none), stage.keys().remove(&bob, second, &none));
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(stage.keys().list(bob.user_id).await.unwrap().len(), 1);
}
