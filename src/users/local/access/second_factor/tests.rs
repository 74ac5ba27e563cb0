use secrecy::ExposeSecret as _;

use super::*;
use crate::kit::auth::Presented;
use crate::users::account::Status;
use crate::users::audit::Outcome;
use crate::users::local::access::sessions::LoggedIn;
use crate::users::local::tests::somebody::{EMAIL, PASSWORD, Somebody, principal};
use crate::users::store::Within;

fn password(text: &str) -> Proof {
    Proof { password: Some(text.to_owned()), code: None }
}

fn code(text: &str) -> Proof {
    Proof { password: None, code: Some(text.to_owned()) }
}

/// Both, as a log-in asks for them.
fn both(code: &str) -> Proof {
    Proof { password: Some(PASSWORD.to_owned()), code: Some(code.to_owned()) }
}

/// What an authenticator app makes of the address that it was given.
struct App(totp_rs::Totp);

impl App {
    fn reads(enrolment: &Enrolment) -> Self {
        Self(totp_rs::Totp::from_url(enrolment.uri.expose_secret()).unwrap())
    }

    fn shows(&self, stage: &Somebody) -> String {
        self.0.generate(u64::try_from(stage.now().as_second()).unwrap()).to_string()
    }

    /// A code that the app will not show for a while.
    fn never_shows(&self, stage: &Somebody) -> String {
        let now = u64::try_from(stage.now().as_second()).unwrap();
        let near: Vec<_> = (0..5).map(|step| self.0.generate(now + 30 * step - 60).to_string()).collect();
        (0..10).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

impl Somebody {
    fn factors(&self) -> &SecondFactors {
        &self.users.second_factors
    }

    /// Sets up a second factor; the code that did it is in the past.
    async fn enable(&self, who: &Principal) -> (App, Vec<String>) {
        let enrolment = self.factors().enrol(who, &password(PASSWORD)).await.unwrap();
        let app = App::reads(&enrolment);
        let codes =
            self.factors().confirm(who, enrolment.token.expose_secret(), &app.shows(self)).await.unwrap();
        self.pass(30);
        (app, codes.iter().map(|code| code.expose_secret().to_owned()).collect())
    }

    async fn challenge(&self) -> SecretString {
        match self.users.sessions.log_in(EMAIL, PASSWORD, None).await.unwrap() {
            LoggedIn::SecondFactor(challenge) => challenge,
            LoggedIn::Yes(_) => panic!("in without a second factor"),
        }
    }

    /// How a log-in with this code was done, or why not.
    async fn log_in_with(&self, code: &str) -> Result<String, Code> {
        let challenge = self.challenge().await;
        self.answer(&challenge, code).await
    }

    async fn answer(&self, challenge: &SecretString, code: &str) -> Result<String, Code> {
        let tokens = self
            .factors()
            .log_in(challenge.expose_secret(), code, None)
            .await
            .map_err(|error| error.code())?;
        let sessions = self.users.sessions.list(tokens.account.id).await.unwrap();
        Ok(sessions.into_iter().find(|session| session.id == tokens.session).unwrap().method)
    }
}

#[tokio::test]
async fn a_second_factor_counts_once_its_first_code_was_shown() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let elsewhere = stage.session_of(ada.user_id, "password").await;
    stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap();
    assert!(
        matches!(stage.users.sessions.log_in(EMAIL, PASSWORD, None).await, Ok(LoggedIn::Yes(_))),
        "not yet"
    );

    let before = stage.store.login(ada.user_id).await.unwrap().unwrap().account.version;
    let (_, codes) = stage.enable(&ada).await;
    assert_eq!(codes.len(), 10);
    stage.challenge().await;
    let account = stage.store.account(ada.user_id, &Within::Everyone).await.unwrap().unwrap();
    assert!(account.second_factor);
    assert!(account.version > before);
    let sessions = stage.users.sessions.list(ada.user_id).await.unwrap();
    let goes_on = |who: &Principal| sessions.iter().any(|session| who.session().unwrap() == session.id);
    assert!(goes_on(&ada) && goes_on(&elsewhere));
    assert!(stage.has_trail(ada.user_id, Action::EnableTotp, Outcome::Done).await);

    let twice = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap_err();
    assert_eq!(twice.code(), Code::Conflict);
}

#[tokio::test]
async fn setting_up_takes_the_password_again() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let refused = async |who: &Principal, proof: Proof| {
        stage.factors().enrol(who, &proof).await.map(drop).unwrap_err().code()
    };
    assert_eq!(refused(&ada, Proof::default()).await, Code::Forbidden);
    assert_eq!(refused(&ada, password("another password")).await, Code::Forbidden);
    assert_eq!(refused(&ada, code("123456")).await, Code::Forbidden);
    assert!(stage.has_trail(ada.user_id, Action::EnableTotp, Outcome::Refused).await);
    // A passkey is no reason to leave out a password that there is.
    let by_passkey = stage.session_of(ada.user_id, "passkey").await;
    assert_eq!(refused(&by_passkey, Proof::default()).await, Code::Forbidden);
    let key = Principal { credential: Presented::Key(stage.users.ids.fresh()), ..ada.clone() };
    assert_eq!(refused(&key, password(PASSWORD)).await, Code::Forbidden);
}

#[tokio::test]
async fn who_has_no_password_has_to_have_come_with_a_passkey() {
    let stage = Somebody::set().await;
    let bob = stage.account("bob@example.org", None).await;
    let by_mail = stage.session_of(bob, "invitation").await;
    let refused = stage.factors().enrol(&by_mail, &Proof::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    let refused = stage.factors().enrol(&by_mail, &password("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    let by_passkey = stage.session_of(bob, "passkey").await;
    stage.factors().enrol(&by_passkey, &Proof::default()).await.unwrap();
}

#[tokio::test]
async fn the_password_is_not_to_be_guessed_from_inside() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    for _ in 0..6 {
        let wrong = stage.factors().enrol(&ada, &password("another password")).await.unwrap_err();
        assert_eq!(wrong.code(), Code::Forbidden);
    }
    let slowed = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap_err();
    assert_eq!(slowed.code(), Code::RateLimited);
}

#[tokio::test]
async fn a_secret_that_is_being_set_up_does_not_wait_for_ever() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let confirm = async |enrolment: &Enrolment, code: &str| {
        let token = enrolment.token.expose_secret();
        stage.factors().confirm(&ada, token, code).await.map(drop).map_err(|error| error.to_string())
    };

    let late = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap();
    stage.pass(600);
    let why = confirm(&late, &App::reads(&late).shows(&stage)).await.unwrap_err();
    assert!(why.contains("expired"), "{why}");

    let tried = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap();
    let app = App::reads(&tried);
    for _ in 0..5 {
        let why = confirm(&tried, &app.never_shows(&stage)).await.unwrap_err();
        assert!(why.contains("clock"), "{why}");
    }
    let why = confirm(&tried, &app.shows(&stage)).await.unwrap_err();
    assert!(why.contains("too often"), "{why}");

    // A later one takes the place of an earlier one.
    let first = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap();
    let second = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap();
    confirm(&first, &App::reads(&first).shows(&stage)).await.unwrap_err();
    confirm(&second, &App::reads(&second).shows(&stage)).await.unwrap();
}

#[tokio::test]
async fn nobody_finishes_what_another_began() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let bob = stage.somebody("bob@example.org", Some(PASSWORD), "password").await;
    let enrolment = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap();
    let code = App::reads(&enrolment).shows(&stage);
    let refused = stage.factors().confirm(&bob, enrolment.token.expose_secret(), &code).await.unwrap_err();
    assert_eq!(refused.code(), Code::Invalid);
}

#[tokio::test]
async fn a_code_logs_in_and_is_good_once() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, _) = stage.enable(&ada).await;
    let now = app.shows(&stage);
    assert_eq!(stage.log_in_with(&now).await.unwrap(), "password+totp");
    assert_eq!(stage.log_in_with(&now).await, Err(Code::Unauthorized));
    stage.pass(30);
    assert_eq!(stage.log_in_with(&now).await, Err(Code::Unauthorized));
    stage.log_in_with(&app.shows(&stage)).await.unwrap();
    assert!(stage.has_trail(ada.user_id, Action::Login, Outcome::Refused).await);
}

#[tokio::test]
async fn the_code_that_turned_it_on_does_not_log_in() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let enrolment = stage.factors().enrol(&ada, &password(PASSWORD)).await.unwrap();
    let code = App::reads(&enrolment).shows(&stage);
    stage.factors().confirm(&ada, enrolment.token.expose_secret(), &code).await.unwrap();
    assert_eq!(stage.log_in_with(&code).await, Err(Code::Unauthorized));
}

#[tokio::test]
async fn of_two_at_once_with_one_code_one_gets_in() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, recovery) = stage.enable(&ada).await;
    for code in [&app.shows(&stage), &recovery[0]] {
        let (one, other) = (stage.challenge().await, stage.challenge().await);
        let (one, other) = tokio::join!(stage.answer(&one, code), stage.answer(&other, code));
        assert!(one.is_ok() != other.is_ok(), "{code}: {one:?}, {other:?}");
    }
}

#[tokio::test]
async fn a_recovery_code_logs_in_once_however_it_is_typed() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (_, codes) = stage.enable(&ada).await;
    let typed = codes[3].to_uppercase().replace('-', " ");
    assert_eq!(stage.log_in_with(&typed).await.unwrap(), "password+recovery");
    assert_eq!(stage.log_in_with(&codes[3]).await, Err(Code::Unauthorized));
    stage.log_in_with(&codes[4]).await.unwrap();
    assert_eq!(stage.log_in_with("0000-0000-0000-0000").await, Err(Code::Unauthorized));
}

#[tokio::test]
async fn somebody_elses_recovery_code_is_none() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    stage.enable(&ada).await;
    let bob = stage.somebody("bob@example.org", Some(PASSWORD), "password").await;
    let (_, codes) = stage.enable(&bob).await;
    assert_eq!(stage.log_in_with(&codes[0]).await, Err(Code::Unauthorized));
}

#[tokio::test]
async fn a_challenge_is_good_once_for_five_tries_and_five_minutes() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, codes) = stage.enable(&ada).await;

    let challenge = stage.challenge().await;
    for _ in 0..5 {
        let wrong = stage.answer(&challenge, &app.never_shows(&stage)).await;
        assert_eq!(wrong, Err(Code::Unauthorized));
    }
    assert_eq!(stage.answer(&challenge, &app.shows(&stage)).await, Err(Code::Unauthorized));

    let challenge = stage.challenge().await;
    stage.answer(&challenge, &codes[0]).await.unwrap();
    assert_eq!(stage.answer(&challenge, &codes[1]).await, Err(Code::Unauthorized));
    stage.log_in_with(&codes[1]).await.expect("what was refused used up no code");

    let challenge = stage.challenge().await;
    stage.pass(300);
    assert_eq!(stage.answer(&challenge, &app.shows(&stage)).await, Err(Code::Unauthorized));
    for nonsense in ["", "vo_nothing", &"x".repeat(100_000)] {
        assert_eq!(stage.answer(&nonsense.to_owned().into(), "123456").await, Err(Code::Unauthorized));
    }
}

#[tokio::test]
async fn new_challenges_are_no_new_tries() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, _) = stage.enable(&ada).await;
    let wrong = app.never_shows(&stage);
    let mut refused = Vec::new();
    for _ in 0..8 {
        refused.push(stage.log_in_with(&wrong).await.unwrap_err());
    }
    assert_eq!(refused, [[Code::Unauthorized; 6].as_slice(), &[Code::RateLimited; 2]].concat());
    stage.pass(20);
    stage.log_in_with(&app.shows(&stage)).await.unwrap();
}

#[tokio::test]
async fn who_was_suspended_meanwhile_does_not_get_in() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, _) = stage.enable(&ada).await;
    let challenge = stage.challenge().await;
    stage.set_status(ada.user_id, Status::Suspended).await;
    assert_eq!(stage.answer(&challenge, &app.shows(&stage)).await, Err(Code::Forbidden));
}

#[tokio::test]
async fn it_is_taken_off_with_the_password_and_a_code_and_recovery_codes_go_with_it() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, codes) = stage.enable(&ada).await;
    let challenge = stage.challenge().await;
    let now = app.shows(&stage);
    let wrong = Proof { password: Some("another password".to_owned()), code: Some(now.clone()) };
    for proof in [Proof::default(), password(PASSWORD), code(&now), wrong, both(&app.never_shows(&stage))] {
        let refused = stage.factors().take_off(&ada, &proof).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden);
    }
    stage.factors().take_off(&ada, &both(&now)).await.expect("no wrong password used the code up");
    assert!(stage.has_trail(ada.user_id, Action::DisableTotp, Outcome::Done).await);
    assert!(matches!(stage.users.sessions.log_in(EMAIL, PASSWORD, None).await, Ok(LoggedIn::Yes(_))));
    assert_eq!(stage.answer(&challenge, &codes[0]).await, Err(Code::Unauthorized), "a log-in begun before");
    let again = stage.factors().take_off(&ada, &password(PASSWORD)).await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);

    let (_, newer) = stage.enable(&ada).await;
    assert_eq!(stage.log_in_with(&codes[0]).await, Err(Code::Unauthorized));
    stage.factors().take_off(&ada, &both(&newer[0])).await.expect("a recovery code is as good");
}

#[tokio::test]
async fn a_passkey_beside_a_second_factor_takes_all_that_a_log_in_does_however_fresh() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, codes) = stage.enable(&ada).await;
    let passkeys = &stage.users.passkeys;
    for proof in [Proof::default(), password(PASSWORD), code(&codes[0])] {
        let refused = passkeys.start_adding(&ada, &proof).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden);
    }
    passkeys.start_adding(&ada, &both(&app.shows(&stage))).await.unwrap();
}

#[tokio::test]
async fn new_recovery_codes_take_the_place_of_the_old_ones() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let none = stage.factors().renew(&ada, &password(PASSWORD)).await.unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
    let (_, old) = stage.enable(&ada).await;
    for proof in [password(PASSWORD), code(&old[0])] {
        let refused = stage.factors().renew(&ada, &proof).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden, "either alone would become the other");
    }
    let new = stage.factors().renew(&ada, &both(&old[0])).await.unwrap();
    assert_eq!(new.len(), 10);
    assert_eq!(stage.log_in_with(&old[1]).await, Err(Code::Unauthorized));
    stage.log_in_with(new[0].expose_secret()).await.unwrap();
    assert!(stage.has_trail(ada.user_id, Action::RenewRecovery, Outcome::Done).await);
}

#[tokio::test]
async fn the_secret_is_kept_sealed_for_its_owner() {
    let stage = Somebody::set().await;
    let ada = stage.somebody(EMAIL, Some(PASSWORD), "password").await;
    let (app, _) = stage.enable(&ada).await;
    let kept = stage.store.login(ada.user_id).await.unwrap().unwrap().totp.unwrap();
    let clear = app.0.secret().as_bytes();
    assert!(!kept.windows(clear.len()).any(|part| part == clear));
    let seal = &stage.factors().seal;
    assert_eq!(seal.open(Sealing::Totp, ada.user_id.uuid().as_bytes(), &kept).unwrap(), clear);
    seal.open(Sealing::Totp, &[0; 16], &kept).unwrap_err();
}

#[tokio::test]
async fn an_account_that_is_gone_sets_up_nothing() {
    let stage = Somebody::set().await;
    let nobody = principal(stage.users.ids.fresh(), stage.users.ids.fresh());
    let refused = stage.factors().enrol(&nobody, &password(PASSWORD)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}
