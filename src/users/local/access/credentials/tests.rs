use http::Method;
use serde_json::json;

use super::*;
use crate::kit::auth::Presented;
use crate::kit::ids::KeyId;
use crate::users::local::access::registration::Mode;
use crate::users::local::tests::desk::{Desk, PASSWORD, Reply};

const ADA: &str = "ada@example.org";
const NEW: &str = "eleven green bicycles";

async fn ask(desk: &mut Desk) -> String {
    desk.post("/api/auth/reset", json!({ "email": ADA })).await.expect(202);
    desk.token("reset")
}

async fn confirm(desk: &Desk, token: &str, password: &str) -> Reply {
    desk.post("/api/auth/reset/confirm", json!({ "token": token, "password": password })).await
}

async fn refresh(desk: &Desk, logged_in: &Reply) -> Reply {
    let token = logged_in.json()["refreshToken"].clone();
    desk.post("/api/auth/refresh", json!({ "refreshToken": token })).await
}

async fn change(desk: &Desk, who: &Principal, current: &str, new: &str) -> Reply {
    desk.send_as(who, Method::PUT, "/api/auth/password", json!({ "current": current, "new": new })).await
}

#[tokio::test]
async fn a_message_sets_the_password_once_ends_all_sessions_and_is_followed_by_another() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    let session = desk.log_in(ADA, PASSWORD).await.expect(200);
    let token = ask(&mut desk).await;
    confirm(&desk, &token, NEW).await.expect(200);
    assert_eq!(desk.token("changed"), "");
    refresh(&desk, &session).await.expect(401);
    desk.log_in(ADA, PASSWORD).await.expect(401);
    desk.log_in(ADA, NEW).await.expect(200);
    assert_eq!(confirm(&desk, &token, PASSWORD).await.expect(422).fields(), ["token"]);
}

#[tokio::test]
async fn a_message_is_good_for_an_hour_and_a_later_one_takes_its_place() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    let first = ask(&mut desk).await;
    let second = ask(&mut desk).await;
    confirm(&desk, &first, NEW).await.expect(422);
    desk.clock.advance(SignedDuration::from_hours(1));
    confirm(&desk, &second, NEW).await.expect(422);
    desk.log_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_password_that_is_refused_leaves_the_message_good() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    let token = ask(&mut desk).await;
    assert_eq!(confirm(&desk, &token, "lovelace").await.expect(422).fields(), ["password"]);
    confirm(&desk, &token, NEW).await.expect(200);
}

#[tokio::test]
async fn who_reads_the_messages_to_an_address_has_verified_it() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Pending).await;
    let token = ask(&mut desk).await;
    confirm(&desk, &token, NEW).await.expect(200);
    desk.log_in(ADA, NEW).await.expect(200);
}

#[tokio::test]
async fn a_suspended_account_stays_suspended() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Suspended).await;
    let token = ask(&mut desk).await;
    confirm(&desk, &token, NEW).await.expect(200);
    assert!(desk.log_in(ADA, NEW).await.expect(403).body.contains("suspended"));
    assert_eq!(desk.known(ADA).await.unwrap().status, Status::Suspended);
}

#[tokio::test]
async fn an_unknown_address_gets_no_message() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.post("/api/auth/reset", json!({ "email": "nobody@example.org" })).await.expect(202);
    assert_eq!(desk.letter(), None);
}

#[tokio::test]
async fn a_token_for_one_thing_is_none_for_another() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Pending).await;
    let token = ask(&mut desk).await;
    desk.post("/api/auth/verify", json!({ "token": token, "password": PASSWORD })).await.expect(422);
    confirm(&desk, &token, NEW).await.expect(200);
}

#[tokio::test]
async fn of_many_who_use_one_message_at_once_one_succeeds() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    let token = ask(&mut desk).await;
    let all = (0..20).map(|number| {
        let (desk, token) = (&desk, &token);
        async move { confirm(desk, token, &format!("{NEW} {number}")).await.status.as_u16() }
    });
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn who_knows_the_password_changes_it_and_only_the_other_sessions_end() {
    let mut desk = Desk::open(Mode::Open).await;
    let account = desk.account(ADA, "student", Status::Active).await;
    let (here, there) = (desk.log_in(ADA, PASSWORD).await, desk.log_in(ADA, PASSWORD).await);
    let session = here.json()["sessionId"].as_str().unwrap().parse().unwrap();
    let who = desk.principal(&account, Presented::Session(session)).await;
    change(&desk, &who, PASSWORD, NEW).await.expect(204);
    assert_eq!(desk.token("changed"), "");
    refresh(&desk, &here).await.expect(200);
    refresh(&desk, &there).await.expect(401);
    desk.log_in(ADA, PASSWORD).await.expect(401);
    desk.log_in(ADA, NEW).await.expect(200);
}

#[tokio::test]
async fn a_session_alone_changes_no_password_and_keeps_nobody_out() {
    let mut desk = Desk::open(Mode::Open).await;
    let account = desk.account(ADA, "student", Status::Active).await;
    let who = desk.owner(&account).await;
    for _ in 0..6 {
        assert_eq!(change(&desk, &who, "a wrong guess", NEW).await.expect(422).fields(), ["current"]);
    }
    change(&desk, &who, PASSWORD, NEW).await.expect(429);
    desk.log_in(ADA, PASSWORD).await.expect(200);
    assert_eq!(desk.letter(), None);
    let refused = desk.trail().await.into_iter().filter(|entry| entry.action == Action::ChangePassword);
    assert!(refused.map(|entry| entry.outcome.as_str()).eq(["refused"; 6]));
}

#[tokio::test]
async fn a_new_password_has_to_be_good() {
    let desk = Desk::open(Mode::Open).await;
    let account = desk.account(ADA, "student", Status::Active).await;
    let who = desk.owner(&account).await;
    assert_eq!(change(&desk, &who, PASSWORD, "password1").await.expect(422).fields(), ["new"]);
    desk.log_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_api_key_changes_no_password() {
    let desk = Desk::open(Mode::Open).await;
    let account = desk.account(ADA, "admin", Status::Active).await;
    let key: KeyId = desk.users.ids.fresh();
    let who = desk.principal(&account, Presented::Key(key)).await;
    change(&desk, &who, PASSWORD, NEW).await.expect(403);
}
