//! Logging in and staying in.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use crate::kit::auth::{Credential, Presented};
use crate::kit::error::Code;
use crate::kit::http::page::Page;
use crate::users::account::Status;
use crate::users::api::Users as _;
use crate::users::audit::{Action, Outcome};
use crate::users::local::access::sessions::LoggedIn;
use crate::users::local::tests::stage::{PASSWORD, Stage, stage};
use crate::users::store::{AuditQuery, Change, ChangeAccount, Changed, RevokeKey, Within};

async fn trail(stage: &Stage, action: Action) -> Vec<Outcome> {
    let query = AuditQuery {
        within: Within::Everyone,
        actor: None,
        target: None,
        action: Some(action),
        outcome: None,
        from: None,
        to: None,
        page: Page::parse(None, None, None).unwrap(),
    };
    stage.users.store.audit(query).await.unwrap().entries.iter().map(|entry| entry.outcome).collect()
}

async fn change(stage: &Stage, id: crate::kit::ids::UserId, change: Change) -> Changed {
    let at = stage.users.clock.now();
    let trail = stage.users.scribe.entry(Action::Update);
    let change = ChangeAccount { id, within: Within::Everyone, if_version: None, change, at, trail };
    stage.users.store.change_account(change).await.unwrap()
}

#[tokio::test]
async fn a_right_password_gets_in_and_a_wrong_one_does_not() {
    let stage = stage().await;
    stage.person("ada@example.org", "student", None).await;
    assert!(matches!(
        stage.users.sessions.log_in("ADA@example.org", PASSWORD, None).await.unwrap(),
        LoggedIn::Yes(_)
    ));
    for (email, password) in [
        ("ada@example.org", "wrong"),
        ("ada@example.org", ""),
        ("bob@example.org", PASSWORD),
        ("no address", PASSWORD),
    ] {
        let refused = stage.users.sessions.log_in(email, password, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthorized);
        assert_eq!(refused.detail(), "the e-mail address or the password is wrong", "{email} {password}");
    }
    let told = trail(&stage, Action::Login).await;
    assert_eq!(told.iter().filter(|outcome| **outcome == Outcome::Refused).count(), 4);
    assert_eq!(told.iter().filter(|outcome| **outcome == Outcome::Done).count(), 1);
}

#[tokio::test]
async fn an_account_that_may_not_be_used_does_not_get_in_and_says_why_to_its_owner_alone() {
    let stage = stage().await;
    let ada = stage.person("ada@example.org", "student", None).await;
    for status in [Status::Pending, Status::Inactive, Status::Suspended] {
        change(&stage, ada.id, Change::Status(status)).await;
        let refused = stage.users.sessions.log_in("ada@example.org", PASSWORD, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden, "{status:?}");
        let refused = stage.users.sessions.log_in("ada@example.org", "wrong", None).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthorized, "{status:?}");
    }
}

#[tokio::test]
async fn two_hundred_refreshes_at_once_give_one_family_and_log_nobody_out() {
    let stage = stage().await;
    let first = stage.logged_in("ada@example.org").await;
    let presented = first.refresh.expose_secret();
    let answers = join_all((0..200).map(|_| stage.users.sessions.refresh(presented))).await;
    let successors: BTreeSet<String> =
        answers.into_iter().map(|answer| answer.unwrap().refresh.expose_secret().to_owned()).collect();
    assert_eq!(successors.len(), 1, "all of them got the same successor");
    let successor = successors.into_iter().next().unwrap();
    assert_ne!(successor, *presented);
    let next = stage.users.sessions.refresh(&successor).await.unwrap();
    assert_eq!(next.session, first.session);
    assert_eq!(stage.users.sessions.list(first.account.id).await.unwrap().len(), 1);
    assert_eq!(trail(&stage, Action::Reuse).await, []);
}

#[tokio::test]
async fn a_thief_and_the_owner_cannot_both_go_on() {
    let stage = stage().await;
    let owner = stage.logged_in("ada@example.org").await;
    let stolen = owner.refresh.expose_secret().to_owned();
    // The thief is first. The owner notices nothing yet.
    let thief = stage.users.sessions.refresh(&stolen).await.unwrap();
    stage.time.advance(SignedDuration::from_mins(10));
    // The owner's token is an old one now: somebody else must have used it.
    let refused = stage.users.sessions.refresh(&stolen).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthorized);
    // So the session is over for both of them,
    let refused = stage.users.sessions.refresh(thief.refresh.expose_secret()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthorized);
    assert!(stage.users.sessions.list(owner.account.id).await.unwrap().is_empty());
    // every service learns of it, and the trail tells.
    let revoked = stage.users.trust(0).await.unwrap().revocations;
    assert!(revoked.iter().any(|revoked| revoked.subject == owner.session.uuid()));
    assert_eq!(trail(&stage, Action::Reuse).await, [Outcome::Done]);
    // The owner logs in again.
    stage.log_in("ada@example.org").await;
}

#[tokio::test]
async fn a_lost_answer_may_be_asked_for_again_but_not_after_the_next_step() {
    let stage = stage().await;
    let first = stage.logged_in("ada@example.org").await;
    let lost = stage.users.sessions.refresh(first.refresh.expose_secret()).await.unwrap();
    stage.time.advance(SignedDuration::from_secs(30));
    let again = stage.users.sessions.refresh(first.refresh.expose_secret()).await.unwrap();
    assert_eq!(lost.refresh.expose_secret(), again.refresh.expose_secret());
    stage.users.sessions.refresh(again.refresh.expose_secret()).await.unwrap();
    stage.users.sessions.refresh(first.refresh.expose_secret()).await.unwrap_err();
}

#[tokio::test]
async fn a_token_that_nobody_made_ends_nothing() {
    let stage = stage().await;
    let ada = stage.logged_in("ada@example.org").await;
    for token in ["", "vr_", "vr_0000000000000000000000000000000000000000000000000000000000000000"] {
        assert_eq!(stage.users.sessions.refresh(token).await.unwrap_err().code(), Code::Unauthorized);
    }
    stage.users.sessions.refresh(ada.refresh.expose_secret()).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_at_its_longest_when_it_is() {
    let stage = stage().await;
    let mut tokens = stage.logged_in("ada@example.org").await;
    let weeks = |weeks: i64| SignedDuration::from_hours(weeks * 7 * 24);
    for _ in 0..6 {
        stage.time.advance(weeks(2));
        tokens = stage.users.sessions.refresh(tokens.refresh.expose_secret()).await.unwrap();
    }
    stage.time.advance(weeks(1));
    stage.users.sessions.refresh(tokens.refresh.expose_secret()).await.expect_err("90 days are over");
    let other = stage.log_in("ada@example.org").await;
    stage.time.advance(weeks(5));
    stage.users.sessions.refresh(other.refresh.expose_secret()).await.expect_err("30 days without use");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let stage = stage().await;
    let here = stage.logged_in("ada@example.org").await;
    let there = stage.log_in("ada@example.org").await;
    let hash =
        "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let change_to = Change::Password { hash: hash.to_owned(), keep: Some(here.session) };
    change(&stage, here.account.id, change_to).await;
    stage.users.sessions.refresh(there.refresh.expose_secret()).await.unwrap_err();
    stage.users.sessions.refresh(here.refresh.expose_secret()).await.unwrap();
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let stage = stage().await;
    let ada = stage.person("ada@example.org", "admin", None).await;
    assert_eq!(change(&stage, ada.id, Change::Role("student".to_owned())).await, Changed::LastAdmin);
    assert_eq!(change(&stage, ada.id, Change::Status(Status::Suspended)).await, Changed::LastAdmin);
    stage.person("bob@example.org", "admin", None).await;
    assert!(matches!(change(&stage, ada.id, Change::Role("student".to_owned())).await, Changed::Done(_)));
    assert_eq!(change(&stage, ada.id, Change::Role("emperor".to_owned())).await, Changed::NoSuchRole);
}

#[tokio::test]
async fn an_administrator_without_a_way_in_does_not_count() {
    let stage = stage().await;
    let key = stage.first_key().await;
    let owner = stage.users.identify(&Credential::new(key.as_str())).await.unwrap();
    let ada = stage.person("ada@example.org", "admin", None).await;
    let Presented::Key(id) = owner.credential else { panic!("a key") };
    let at = stage.users.clock.now();
    let trail = stage.users.scribe.entry(Action::RevokeKey);
    let revoke = RevokeKey { user: owner.user_id, id, at, trail };
    assert!(stage.users.store.revoke_key(revoke).await.unwrap());
    assert_eq!(change(&stage, ada.id, Change::Role("student".to_owned())).await, Changed::LastAdmin);
}

#[tokio::test]
async fn a_log_in_that_began_with_an_old_password_does_not_end_in_a_session() {
    let stage = stage().await;
    let as_checked = stage.person("ada@example.org", "student", None).await;
    let hash =
        "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    change(&stage, as_checked.id, Change::Password { hash: hash.to_owned(), keep: None }).await;
    let refused = stage.users.sessions.open(as_checked, "password").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthorized);
}

#[tokio::test]
async fn a_suspended_accounts_keys_are_not_known_any_more() {
    let stage = stage().await;
    let key = stage.first_key().await;
    let identity = stage.users.identify(&Credential::new(key.as_str())).await.unwrap();
    stage.person("bob@example.org", "admin", None).await;
    change(&stage, identity.user_id, Change::Status(Status::Suspended)).await;
    stage.users.identify(&Credential::new(key.as_str())).await.unwrap_err();
}

#[tokio::test]
async fn the_trail_cannot_be_changed() {
    let stage = stage().await;
    stage.person("ada@example.org", "student", None).await;
    let file = stage.folder.path().join("users.db");
    let mut conn: sqlx::SqliteConnection =
        <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!("sqlite://{}", file.display()))
            .await
            .unwrap();
    for statement in ["UPDATE audit SET outcome = 'refused'", "DELETE FROM audit"] {
        let refused = sqlx::query(statement).execute(&mut conn).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn a_session_that_is_refreshed_without_end_has_to_wait_and_goes_on() {
    let stage = stage().await;
    let mut tokens = stage.logged_in("ada@example.org").await;
    let refused = loop {
        match stage.users.sessions.refresh(tokens.refresh.expose_secret()).await {
            Ok(next) => tokens = next,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), Code::RateLimited);
    stage.time.advance(SignedDuration::from_secs(10));
    stage.users.sessions.refresh(tokens.refresh.expose_secret()).await.unwrap();
    assert_eq!(trail(&stage, Action::Reuse).await, []);
}
