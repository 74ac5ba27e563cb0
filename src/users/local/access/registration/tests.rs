use serde_json::{Value, json};

use super::*;
use crate::users::local::tests::desk::{Desk, PASSWORD, Reply};
use crate::users::store::EraseAccount;

const ADA: &str = "ada@example.org";

async fn register(desk: &Desk, email: &str, password: &str) -> Reply {
    desk.post("/api/auth/register", json!({ "name": "Ada Lovelace", "email": email, "password": password }))
        .await
}

async fn register_invited(desk: &Desk, email: &str, invitation: &str) -> Reply {
    let body = json!({ "name": "Ada", "email": email, "password": PASSWORD, "invitation": invitation });
    desk.post("/api/auth/register", body).await
}

async fn verify(desk: &Desk, token: &str) -> Reply {
    desk.post("/api/auth/verify", json!({ "token": token, "password": PASSWORD })).await
}

/// An invitation of `email` by an administrator.
async fn invitation(desk: &mut Desk, email: &str, role: &str, institution: Option<&str>) -> String {
    let admin = desk.account("root@example.org", "admin", Status::Active).await;
    let who = desk.owner(&admin).await;
    desk.users.invitations.invite(&who, email, role, institution).await.unwrap();
    desk.token("invite")
}

#[tokio::test]
async fn who_registers_gets_in_once_the_address_is_verified() {
    let mut desk = Desk::open(Mode::Open).await;
    let reply = register(&desk, ADA, PASSWORD).await.expect(202);
    assert_eq!(reply.json(), json!({ "delivery": "mail" }));
    assert!(desk.log_in(ADA, PASSWORD).await.expect(403).body.contains("verify"));
    let token = desk.token("verify");
    verify(&desk, &token).await.expect(200);
    desk.log_in(ADA, PASSWORD).await.expect(200);
    let account = desk.known(ADA).await.unwrap();
    assert_eq!((account.role.as_str(), account.email_verified), ("student", true));
}

#[tokio::test]
async fn a_token_is_good_once_and_for_48_hours() {
    let mut desk = Desk::open(Mode::Open).await;
    register(&desk, ADA, PASSWORD).await;
    let token = desk.token("verify");
    verify(&desk, &token).await.expect(200);
    assert_eq!(verify(&desk, &token).await.expect(422).fields(), ["token"]);

    register(&desk, "grace@example.org", PASSWORD).await;
    let token = desk.token("verify");
    desk.clock.advance(SignedDuration::from_hours(48));
    assert_eq!(verify(&desk, &token).await.expect(422).fields(), ["token"]);
    assert_eq!(desk.known("grace@example.org").await.unwrap().status, Status::Pending);
}

#[tokio::test]
async fn no_answer_says_whether_an_address_has_an_account() {
    let desk = Desk::open(Mode::Open).await;
    for (status, email) in [
        (Status::Active, "active@example.org"),
        (Status::Pending, "pending@example.org"),
        (Status::Suspended, "suspended@example.org"),
        (Status::Inactive, "inactive@example.org"),
    ] {
        desk.account(email, "student", status).await;
    }
    let asked = |path: &'static str, email: &str| {
        let mut body = json!({ "email": email });
        if path.ends_with("register") {
            body["name"] = Value::from("Ada");
            body["password"] = Value::from(PASSWORD);
        }
        desk.post(path, body)
    };
    for path in ["/api/auth/reset", "/api/auth/verify/resend", "/api/auth/register"] {
        let unknown = asked(path, "nobody@example.org").await.expect(202);
        for email in ["active", "pending", "suspended", "inactive"].map(|name| format!("{name}@example.org"))
        {
            assert_eq!(asked(path, &email).await, unknown, "{path} {email}");
        }
        // Nor when there were so many messages that there is none any more.
        for _ in 0..3 {
            assert_eq!(asked(path, "active@example.org").await, unknown, "{path}");
        }
    }
}

#[tokio::test]
async fn the_owner_of_an_account_is_told_that_somebody_tried_and_nothing_changes() {
    let mut desk = Desk::open(Mode::Open).await;
    desk.account(ADA, "teacher", Status::Active).await;
    register(&desk, "ADA@example.org", "eleven green bicycles").await.expect(202);
    assert_eq!(desk.token("registered"), "");
    desk.log_in(ADA, "eleven green bicycles").await.expect(401);
    desk.log_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn who_registers_first_with_somebody_elses_address_does_not_get_in_with_it() {
    let mut desk = Desk::open(Mode::Open).await;
    register(&desk, ADA, "the password of eve").await;
    let first = desk.token("verify");
    register(&desk, ADA, PASSWORD).await;
    let second = desk.token("verify");
    verify(&desk, &first).await.expect(422);
    verify(&desk, &second).await.expect(200);
    desk.log_in(ADA, "the password of eve").await.expect(401);
    desk.log_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_message_that_a_stranger_set_off_does_not_make_his_password_good() {
    let mut desk = Desk::open(Mode::Open).await;
    register(&desk, ADA, PASSWORD).await;
    desk.token("verify");
    register(&desk, ADA, "the password of eve").await;
    let of_eve = desk.token("verify");
    assert_eq!(verify(&desk, &of_eve).await.expect(422).fields(), ["password"]);
    desk.log_in(ADA, "the password of eve").await.expect(403);
    register(&desk, ADA, PASSWORD).await;
    let token = desk.token("verify");
    verify(&desk, &token).await.expect(200);
    desk.log_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_flood_of_registrations_neither_writes_without_end_nor_spoils_the_last_message() {
    let mut desk = Desk::open(Mode::Open).await;
    let mut last = String::new();
    let mut letters = 0;
    for _ in 0..12 {
        register(&desk, ADA, PASSWORD).await.expect(202);
        while let Some((_, _, token)) = desk.letter() {
            (last, letters) = (token, letters + 1);
        }
    }
    assert_eq!(letters, 4);
    verify(&desk, &last).await.expect(200);
}

#[tokio::test]
async fn another_message_takes_the_place_of_the_earlier_one() {
    let mut desk = Desk::open(Mode::Open).await;
    register(&desk, ADA, PASSWORD).await;
    let first = desk.token("verify");
    desk.post("/api/auth/verify/resend", json!({ "email": ADA })).await.expect(202);
    let second = desk.token("verify");
    verify(&desk, &first).await.expect(422);
    verify(&desk, &second).await.expect(200);
    desk.post("/api/auth/verify/resend", json!({ "email": ADA })).await.expect(202);
    assert_eq!(desk.letter(), None, "nothing is left to verify");
}

#[tokio::test]
async fn every_field_that_is_not_good_is_named_at_once() {
    let mut desk = Desk::open(Mode::Open).await;
    let body = json!({ "name": "Ada\r\nBcc: eve@example.org", "email": "nowhere", "password": "short" });
    assert_eq!(
        desk.post("/api/auth/register", body).await.expect(422).fields(),
        ["name", "email", "password"]
    );
    let own = json!({ "name": "Ada Lovelace", "email": ADA, "password": "lovelace" });
    assert_eq!(desk.post("/api/auth/register", own).await.expect(422).fields(), ["password"]);
    assert_eq!(desk.letter(), None);
}

#[tokio::test]
async fn nobody_registers_where_that_is_closed() {
    let desk = Desk::open(Mode::Closed).await;
    assert!(register(&desk, ADA, PASSWORD).await.expect(403).body.contains("closed"));
    assert!(desk.known(ADA).await.is_none());
}

#[tokio::test]
async fn one_address_may_not_try_without_end() {
    let desk = Desk::open(Mode::Open).await;
    for _ in 0..30 {
        verify(&desk, "vo_guess").await.expect(422);
    }
    let refused = verify(&desk, "vo_guess").await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn where_one_registers_by_invitation_it_gives_the_address_the_role_and_the_institution() {
    let mut desk = Desk::open(Mode::Invitation).await;
    assert_eq!(register(&desk, ADA, PASSWORD).await.expect(422).fields(), ["invitation"]);
    assert_eq!(register_invited(&desk, ADA, "vo_guess").await.expect(422).fields(), ["invitation"]);
    let token = invitation(&mut desk, ADA, "teacher", Some("analytical")).await;
    assert_eq!(register_invited(&desk, "eve@example.org", &token).await.expect(422).fields(), ["email"]);
    assert!(desk.known("eve@example.org").await.is_none());
    let reply = register_invited(&desk, "Ada@Example.org", &token).await.expect(202);
    assert_eq!(reply.json(), json!({ "delivery": "mail" }), "as everywhere");
    desk.log_in(ADA, PASSWORD).await.expect(200);
    let account = desk.known(ADA).await.unwrap();
    assert_eq!((account.role.as_str(), account.institution.as_deref()), ("teacher", Some("analytical")));
    assert!(account.email_verified);
    assert_eq!(register_invited(&desk, ADA, &token).await.expect(422).fields(), ["invitation"], "good once");
}

#[tokio::test]
async fn an_invitation_is_good_for_seven_days_and_as_long_as_its_sender_is() {
    let mut desk = Desk::open(Mode::Invitation).await;
    let token = invitation(&mut desk, ADA, "teacher", None).await;
    desk.clock.advance(SignedDuration::from_hours(7 * 24));
    register_invited(&desk, ADA, &token).await.expect(422);

    let boss = desk.account_of("boss@example.org", "institution_admin", Status::Active, Some("x")).await;
    let who = desk.owner(&boss).await;
    desk.users.invitations.invite(&who, ADA, "student", None).await.unwrap();
    let token = desk.token("invite");
    let suspend = ChangeAccount {
        id: boss.id,
        within: Within::Everyone,
        if_version: None,
        change: Change::Status(Status::Suspended),
        at: desk.users.clock.now(),
        trail: desk.users.scribe.entry(Action::SetStatus),
    };
    desk.users.store.change_account(suspend).await.unwrap();
    register_invited(&desk, ADA, &token).await.expect(422);
    assert!(desk.known(ADA).await.is_none());
}

#[tokio::test]
async fn an_invitation_gives_an_address_back_to_its_owner() {
    let mut desk = Desk::open(Mode::Open).await;
    register(&desk, ADA, "the password of eve").await;
    let of_eve = desk.token("verify");
    let token = invitation(&mut desk, ADA, "teacher", Some("analytical")).await;
    register_invited(&desk, ADA, &token).await.expect(202);
    desk.log_in(ADA, PASSWORD).await.expect(200);
    let account = desk.known(ADA).await.unwrap();
    assert_eq!((account.role.as_str(), account.institution.as_deref()), ("teacher", Some("analytical")));
    verify(&desk, &of_eve).await;
    desk.log_in(ADA, "the password of eve").await.expect(401);
    assert_eq!(account.version, 2, "all of it at once");
    register_invited(&desk, ADA, &token).await.expect(422);
}

#[tokio::test]
async fn an_invitation_holds_while_a_stranger_registers_the_address_again_and_again() {
    let mut desk = Desk::open(Mode::Open).await;
    register(&desk, ADA, "the password of eve").await;
    desk.token("verify");
    let token = invitation(&mut desk, ADA, "teacher", None).await;
    let eve = || register(&desk, ADA, "the password of eve");
    let (_, invited, ..) =
        tokio::join!(eve(), register_invited(&desk, ADA, &token), eve(), eve(), eve(), eve());
    invited.expect(202);
    assert_eq!(desk.known(ADA).await.unwrap().role, "teacher");
    desk.log_in(ADA, PASSWORD).await.expect(200);
    register_invited(&desk, ADA, &token).await.expect(422);
}

#[tokio::test]
async fn an_invitation_that_brought_no_account_is_not_used_up() {
    let mut desk = Desk::open(Mode::Open).await;
    let token = invitation(&mut desk, ADA, "teacher", None).await;
    let ada = desk.account(ADA, "student", Status::Active).await;
    register_invited(&desk, ADA, &token).await.expect(202);
    assert_eq!(desk.known(ADA).await.unwrap(), ada, "it has an owner");
    let erase = EraseAccount {
        id: ada.id,
        within: Within::Everyone,
        if_version: None,
        due_at: desk.users.clock.now(),
        at: desk.users.clock.now(),
        trail: desk.users.scribe.entry(Action::Erase),
    };
    desk.users.store.erase_account(erase).await.unwrap();
    register_invited(&desk, ADA, &token).await.expect(202);
    desk.log_in(ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_trail_tells_who_registered_and_who_was_refused() {
    let desk = Desk::open(Mode::Open).await;
    register(&desk, ADA, PASSWORD).await;
    desk.account("grace@example.org", "student", Status::Active).await;
    register(&desk, "grace@example.org", PASSWORD).await;
    let trail = desk.trail().await;
    let told: Vec<_> = trail.iter().map(|entry| (entry.action, entry.outcome.as_str())).collect();
    assert!(
        told.contains(&(Action::Register, "done")) && told.contains(&(Action::Register, "refused")),
        "{told:?}"
    );
    assert!(trail.iter().all(|entry| entry.address.as_deref() != Some("")), "{trail:?}");
}

#[tokio::test]
async fn who_does_not_verify_the_address_for_a_week_has_no_account_any_more() {
    let mut desk = Desk::open(Mode::Open).await;
    for number in 0..3 {
        desk.address = format!("198.51.100.{number}");
        register(&desk, &format!("{number}@example.org"), PASSWORD).await.expect(202);
    }
    desk.account("grace@example.org", "student", Status::Active).await;
    let of_0 = desk.letter().unwrap().2;
    verify(&desk, &of_0).await.expect(200);
    desk.clock.advance(SignedDuration::from_hours(5 * 24));
    register(&desk, "1@example.org", PASSWORD).await.expect(202);
    desk.clock.advance(SignedDuration::from_hours(2 * 24));
    assert_eq!(desk.users.registration.prune().await.unwrap(), 0, "not before the week is over");
    desk.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(desk.users.registration.prune().await.unwrap(), 1);
    assert!(desk.known("2@example.org").await.is_none());
    for still in ["0@example.org", "1@example.org", "grace@example.org"] {
        assert!(desk.known(still).await.is_some(), "{still}");
    }
    let trail = desk.trail().await;
    let told = trail.iter().filter(|entry| entry.action == Action::Expire);
    assert_eq!(told.filter(|entry| entry.target.is_some() && entry.actor.is_none()).count(), 1);
    desk.log_in("2@example.org", PASSWORD).await.expect(401);
    register(&desk, "2@example.org", "eleven green bicycles").await.expect(202);
}

#[tokio::test]
async fn many_who_never_came_back_are_removed_in_one_go() {
    let desk = Desk::open(Mode::Open).await;
    for number in 0..250 {
        desk.account(&format!("{number}@example.org"), "student", Status::Pending).await;
    }
    desk.clock.advance(SignedDuration::from_hours(8 * 24));
    assert_eq!(desk.users.registration.prune().await.unwrap(), 250);
    assert_eq!(desk.users.registration.prune().await.unwrap(), 0);
}
