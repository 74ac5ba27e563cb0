//! Who has lost the second factor asks somebody who may take it off.

use http::Method;
use serde_json::{Value, json};

use crate::kit::auth::{Presented, Principal};
use crate::users::account::{Account, Status};
use crate::users::audit::{Action, Outcome};
use crate::users::local::access::registration::Mode;
use crate::users::local::administration::operator::Operator;
use crate::users::local::tests::desk::{Desk, PASSWORD};
use crate::users::local::tests::somebody::ORIGIN;
use crate::users::local::tests::somebody::software::Passkey;

const ADA: &str = "ada@example.org";

/// Logged in with the password alone.
async fn in_with_password(desk: &Desk, account: &Account) -> Principal {
    let reply = desk.log_in(account.email.as_deref().unwrap(), PASSWORD).await.expect(200).json();
    let session = reply["sessionId"].as_str().unwrap().parse().unwrap();
    desk.principal(account, Presented::Session(session)).await
}

async fn set_up_totp(desk: &Desk, who: &Principal) -> totp_rs::Totp {
    let proof = json!({ "password": PASSWORD });
    let begun = desk.send_as(who, Method::POST, "/api/auth/totp", proof).await.expect(200).json();
    let app = totp_rs::Totp::from_url(begun["uri"].as_str().unwrap()).unwrap();
    let now = u64::try_from(desk.users.clock.now().as_second()).unwrap();
    let body = json!({ "token": begun["token"], "code": app.generate(now).to_string() });
    desk.send_as(who, Method::POST, "/api/auth/totp/confirm", body).await.expect(200);
    app
}

async fn add_passkey(desk: &Desk, who: &Principal) -> Passkey {
    let mut device = Passkey::at(ORIGIN);
    let path = "/api/auth/passkeys";
    let begun = desk.send_as(who, Method::POST, &format!("{path}/start"), json!({})).await.expect(200).json();
    let credential = device.create(&begun["options"]);
    let body = json!({ "token": begun["token"], "name": "phone", "credential": credential });
    desk.send_as(who, Method::POST, path, body).await.expect(201);
    device
}

fn off(account: &Account) -> String {
    format!("/api/users/{}/second-factor", account.id)
}

#[tokio::test]
async fn an_administrator_takes_it_off_and_the_password_alone_gets_in_again() {
    let mut desk = Desk::open(Mode::Open).await;
    let ada = desk.account_of(ADA, "student", Status::Active, Some("school")).await;
    let head = desk.account_of("head@example.org", "institution_admin", Status::Active, Some("school")).await;
    let (who, head) = (in_with_password(&desk, &ada).await, desk.owner(&head).await);
    let mut phone = add_passkey(&desk, &who).await;
    set_up_totp(&desk, &who).await;
    let waiting = desk.log_in(ADA, PASSWORD).await.expect(202).json();

    desk.send_as(&head, Method::DELETE, &off(&ada), Value::Null).await.expect(204);

    assert_eq!(desk.token("second factor reset"), "");
    desk.log_in(ADA, PASSWORD).await.expect(200);
    let now = desk.known(ADA).await.unwrap();
    assert!(!now.second_factor && now.epoch == ada.epoch + 1, "tokens made out before are refused");
    let sessions = desk.users.sessions.list(ada.id).await.unwrap();
    assert_eq!(sessions.len(), 1, "the earlier ones have ended: {sessions:?}");
    let begun = desk.post("/api/auth/login/passkey/start", json!({})).await.expect(200).json();
    let body = json!({ "token": begun["token"], "credential": phone.answer(&begun["options"]) });
    desk.post("/api/auth/login/passkey", body).await.expect(401);
    let body = json!({ "challenge": waiting["challenge"], "code": "000000" });
    assert!(desk.post("/api/auth/login/second-factor", body).await.expect(401).body.contains("expired"));
    let trail = desk.trail().await;
    let entry = trail.iter().find(|entry| entry.action == Action::ResetSecondFactor).unwrap();
    assert_eq!((entry.actor, entry.target), (Some(head.user_id), Some(ada.id)));
    desk.send_as(&head, Method::DELETE, &off(&ada), Value::Null).await.expect(404);
}

#[tokio::test]
async fn nobody_takes_off_the_own_or_that_of_who_may_do_more() {
    let desk = Desk::open(Mode::Open).await;
    let root = desk.account_of(ADA, "admin", Status::Active, Some("school")).await;
    let head = desk.account_of("head@example.org", "institution_admin", Status::Active, Some("school")).await;
    let teacher = desk.account_of("bob@example.org", "teacher", Status::Active, Some("school")).await;
    let far = desk.account_of("far@example.org", "institution_admin", Status::Active, Some("other")).await;
    let who = in_with_password(&desk, &root).await;
    set_up_totp(&desk, &who).await;
    for account in [&root, &head, &teacher] {
        let other = desk.owner(account).await;
        desk.send_as(&other, Method::DELETE, &off(&root), Value::Null).await.expect(403);
    }
    desk.send_as(&desk.owner(&far).await, Method::DELETE, &off(&root), Value::Null).await.expect(404);
    desk.log_in(ADA, PASSWORD).await.expect(202);
    let trail = desk.trail().await;
    let refused = trail.iter().filter(|entry| entry.action == Action::ResetSecondFactor);
    assert!(refused.map(|entry| entry.outcome).eq([Outcome::Refused; 2]), "by who may see the account");
}

#[tokio::test]
async fn the_operator_takes_it_off_where_nobody_else_can() {
    let desk = Desk::open(Mode::Open).await;
    let ada = desk.account(ADA, "admin", Status::Active).await;
    let who = in_with_password(&desk, &ada).await;
    set_up_totp(&desk, &who).await;
    let operator = Operator::of(desk.users.clone());
    let ada = operator.reset_second_factor(&operator.find(ADA).await.unwrap()).await.unwrap();
    desk.log_in(ADA, PASSWORD).await.expect(200);
    let refused = operator.reset_second_factor(&ada).await.unwrap_err();
    assert!(refused.to_string().contains("neither"), "{refused}");
}

#[tokio::test]
async fn the_last_administrator_keeps_the_only_way_in() {
    use crate::users::local::tests::somebody::Somebody;
    let stage = Somebody::set().await;
    let id = stage.account(ADA, None).await;
    let operator = Operator::of(stage.users.clone());
    let ada = operator.set_role(&operator.find(ADA).await.unwrap(), "admin").await.unwrap();
    let page = stage.client(Some(stage.session_of(id, "passkey").await));
    let (_, begun) = page.post("/api/auth/passkeys/start", None).await;
    let credential = Passkey::at(ORIGIN).create(&begun["options"]);
    let body = json!({ "token": begun["token"], "name": "phone", "credential": credential });
    assert_eq!(page.post("/api/auth/passkeys", Some(body)).await.0, 201);
    let refused = operator.reset_second_factor(&ada).await.unwrap_err();
    assert!(refused.to_string().contains("no way in"), "{refused}");
    operator.set_password(&ada, &PASSWORD.into()).await.unwrap();
    operator.reset_second_factor(&ada).await.unwrap();
}
