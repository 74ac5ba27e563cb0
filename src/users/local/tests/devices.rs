//! Who guesses waits; who owns the account does not, not even in the next chair.

use http::Method;
use serde_json::{Value, json};

use crate::users::account::Status;
use crate::users::local::access::registration::Mode;
use crate::users::local::tests::desk::{Desk, PASSWORD, Reply};

const ADA: &str = "ada@example.org";
const EVE: &str = "eve@example.org";

async fn log_in_with(desk: &Desk, email: &str, password: &str, device: &Value) -> Reply {
    let body = json!({ "email": email, "password": password, "device": device });
    desk.post("/api/auth/login", body).await
}

/// Guesses until it is told to wait, for all that one address and one account allow.
async fn guess(desk: &Desk) {
    while desk.log_in(ADA, "a wrong guess").await.status == 401 {}
    while desk.log_in("nobody@example.org", "a wrong guess").await.status == 401 {}
    let other = json!({ "token": "vo_wrong", "password": PASSWORD });
    while desk.post("/api/auth/reset/confirm", other.clone()).await.status == 422 {}
}

#[tokio::test]
async fn an_owner_in_the_same_network_as_who_guesses_gets_in_with_a_device_that_is_known() {
    let desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    let device = desk.log_in(ADA, PASSWORD).await.expect(200).json()["device"].clone();
    guess(&desk).await;
    desk.log_in(ADA, PASSWORD).await.expect(429);
    log_in_with(&desk, ADA, PASSWORD, &json!("vd_made_up")).await.expect(429);
    let reply = log_in_with(&desk, ADA, PASSWORD, &device).await.expect(200).json();
    log_in_with(&desk, ADA, PASSWORD, &reply["device"]).await.expect(200);
    let begun = json!({ "device": reply["device"] });
    desk.post("/api/auth/login/passkey/start", json!({})).await.expect(429);
    desk.post("/api/auth/login/passkey/start", begun).await.expect(200);
}

#[tokio::test]
async fn a_known_device_gets_few_wrong_tries_and_uses_up_nobody_elses() {
    let desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    let device = desk.log_in(ADA, PASSWORD).await.expect(200).json()["device"].clone();
    for _ in 0..6 {
        log_in_with(&desk, ADA, "a wrong guess", &device).await.expect(401);
    }
    log_in_with(&desk, ADA, PASSWORD, &device).await.expect(429);
    desk.log_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_device_of_one_person_is_nothing_with_the_account_of_another() {
    let desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    desk.account(EVE, "student", Status::Active).await;
    let device = desk.log_in(EVE, PASSWORD).await.expect(200).json()["device"].clone();
    let mut tries = 0;
    while log_in_with(&desk, ADA, "a wrong guess", &device).await.status == 401 {
        tries += 1;
    }
    assert_eq!(tries, 6, "as without a device");
    let mut tries = 0;
    while log_in_with(&desk, &format!("{tries}@example.org"), "a wrong guess", &device).await.status == 401 {
        tries += 1;
    }
    assert!(tries < 30, "{tries} tries in all from one address");
}

#[tokio::test]
async fn who_reads_the_messages_to_the_address_has_a_way_in_that_nobody_else_uses_up() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    desk.post("/api/auth/reset", json!({ "email": ADA })).await.expect(202);
    let token = desk.token("reset");
    let body = json!({ "token": token, "password": "eleven green bicycles" });
    let device = desk.post("/api/auth/reset/confirm", body).await.expect(200).json()["device"].clone();
    guess(&desk).await;
    log_in_with(&desk, ADA, "eleven green bicycles", &device).await.expect(200);

    let mut desk = Desk::open(Mode::Open).await;
    let body = json!({ "name": "Ada", "email": ADA, "password": PASSWORD });
    desk.post("/api/auth/register", body).await.expect(202);
    let body = json!({ "token": desk.token("verify"), "password": PASSWORD });
    let device = desk.post("/api/auth/verify", body).await.expect(200).json()["device"].clone();
    guess(&desk).await;
    log_in_with(&desk, ADA, PASSWORD, &device).await.expect(200);
}

#[tokio::test]
async fn who_is_in_can_change_the_password_while_others_guess_at_it() {
    let desk = Desk::open(Mode::Open).await;
    let account = desk.account(ADA, "student", Status::Active).await;
    let who = desk.owner(&account).await;
    guess(&desk).await;
    let body = json!({ "current": PASSWORD, "new": "eleven green bicycles" });
    desk.send_as(&who, Method::PUT, "/api/auth/password", body).await.expect(204);
}

#[tokio::test]
async fn who_guesses_at_refresh_tokens_waits_and_nobody_else_does() {
    let desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "student", Status::Active).await;
    let tokens = desk.log_in(ADA, PASSWORD).await.expect(200).json();
    let guess = json!({ "refreshToken": "vr_wrong" });
    let mut tries = 0;
    while desk.post("/api/auth/refresh", guess.clone()).await.status == 401 {
        tries += 1;
    }
    assert!(tries <= 30, "{tries} tries from one address");
    let own = json!({ "refreshToken": tokens["refreshToken"] });
    desk.post("/api/auth/refresh", own).await.expect(200);
}
