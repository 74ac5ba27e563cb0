use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::kit::auth::Presented;
use crate::kit::ids::KeyId;
use crate::users::audit::Outcome;
use crate::users::local::access::registration::Mode;
use crate::users::local::tests::desk::{Desk, Reply};

async fn invite(desk: &Desk, who: &Principal, body: Value) -> Reply {
    desk.send_as(who, Method::POST, "/api/users/invitations", body).await
}

/// Somebody of `role`, of the institution `engines`.
async fn somebody(desk: &Desk, role: &str) -> Principal {
    let account =
        desk.account_of(&format!("{role}@example.org"), role, Status::Active, Some("engines")).await;
    desk.owner(&account).await
}

#[tokio::test]
async fn an_invitation_says_until_when_it_is_good_and_the_trail_says_who_sent_it() {
    let mut desk = Desk::open(Mode::Invitation).await;
    let admin = somebody(&desk, "admin").await;
    let body = json!({ "email": "grace@example.org", "role": "teacher", "institution": "navy" });
    let reply = invite(&desk, &admin, body).await.expect(202);
    assert_eq!(reply.json(), json!({ "delivery": "mail", "expiresAt": "2026-11-30T08:00:00Z" }));
    let (to, about, token) = desk.letter().unwrap();
    assert_eq!((to.as_str(), about), ("grace@example.org", "invite"));
    let trail = desk.trail().await;
    let entry = trail.iter().find(|entry| entry.action == Action::Invite).unwrap();
    assert_eq!(entry.actor, Some(admin.user_id));
    assert_eq!(entry.institution.as_deref(), Some("navy"));
    assert!(!format!("{trail:?}").contains(&token), "no secret stands in the trail");
}

#[tokio::test]
async fn nobody_gives_away_more_than_they_have() {
    let desk = Desk::open(Mode::Invitation).await;
    let of = async |role| somebody(&desk, role).await;
    let cases = [
        (of("student").await, "student", None, 403),
        (of("teacher").await, "student", None, 403),
        (of("institution_admin").await, "admin", None, 403),
        (of("institution_admin").await, "institution_admin", None, 202),
        (of("institution_admin").await, "teacher", Some("engines"), 202),
        (of("institution_admin").await, "teacher", Some("navy"), 403),
        (of("admin").await, "admin", Some("navy"), 202),
        (of("admin").await, "emperor", None, 422),
    ];
    for (who, role, institution, status) in cases {
        let email = format!("{}-{role}@example.com", who.role);
        let reply =
            invite(&desk, &who, json!({ "email": email, "role": role, "institution": institution })).await;
        assert_eq!(reply.status.as_u16(), status, "{} invites a {role}: {}", who.role, reply.body);
    }
    let trail = desk.trail().await;
    let refused = trail.iter().filter(|entry| entry.action == Action::Invite);
    let refused: Vec<_> =
        refused.filter(|entry| entry.outcome == Outcome::Refused).map(|entry| &entry.detail["why"]).collect();
    assert_eq!(refused.len(), 2, "what goes too far stands in the trail: {refused:?}");
}

#[tokio::test]
async fn an_institution_is_the_same_however_it_is_composed() {
    let mut desk = Desk::open(Mode::Invitation).await;
    let admin = somebody(&desk, "admin").await;
    let body = json!({ "email": "grace@example.org", "role": "teacher", "institution": " E\u{301}cole " });
    invite(&desk, &admin, body).await.expect(202);
    let body = json!({
        "name": "Grace", "email": "grace@example.org", "password": "correct horse battery",
        "invitation": desk.token("invite"),
    });
    desk.post("/api/auth/register", body).await.expect(202);
    let account = desk.known("grace@example.org").await.unwrap();
    assert_eq!(account.institution.as_deref(), Some("\u{c9}cole"));
    let body = json!({ "email": "bob@example.org", "role": "teacher", "institution": "a\nb" });
    assert_eq!(invite(&desk, &admin, body).await.expect(422).fields(), ["institution"]);
}

#[tokio::test]
async fn a_key_invites_to_no_role_that_may_do_more_than_the_key() {
    let desk = Desk::open(Mode::Invitation).await;
    let mut key = somebody(&desk, "admin").await;
    key.credential = Presented::Key(desk.users.ids.fresh::<KeyId>());
    key.scopes = [Scope::UsersWrite].into();
    let refused =
        invite(&desk, &key, json!({ "email": "eve@example.org", "role": "admin" })).await.expect(403);
    assert!(refused.body.contains("which your credential lacks"), "{}", refused.body);
}

#[tokio::test]
async fn who_reaches_one_institution_invites_into_that_one() {
    let mut desk = Desk::open(Mode::Invitation).await;
    let who = somebody(&desk, "institution_admin").await;
    invite(&desk, &who, json!({ "email": "grace@example.org", "role": "teacher" })).await.expect(202);
    let token = desk.token("invite");
    let email = Email::parse("grace@example.org").unwrap();
    let invited = desk.users.invitations.read(&token, &email).await.unwrap();
    assert_eq!(invited.institution.as_deref(), Some("engines"));

    let mut stray = who;
    stray.institution = None;
    invite(&desk, &stray, json!({ "email": "eve@example.org", "role": "teacher" })).await.expect(403);
}

#[tokio::test]
async fn the_answer_does_not_say_whether_the_address_has_an_account() {
    let desk = Desk::open(Mode::Invitation).await;
    let who = somebody(&desk, "institution_admin").await;
    desk.account("known@example.org", "admin", Status::Active).await;
    let known = invite(&desk, &who, json!({ "email": "known@example.org", "role": "student" })).await;
    let unknown = invite(&desk, &who, json!({ "email": "unknown@example.org", "role": "student" })).await;
    assert_eq!(known, unknown);
    assert_eq!(known.status.as_u16(), 202);
}

#[tokio::test]
async fn one_address_is_not_written_to_without_end() {
    let desk = Desk::open(Mode::Invitation).await;
    let who = somebody(&desk, "admin").await;
    let body = json!({ "email": "grace@example.org", "role": "student" });
    for _ in 0..4 {
        invite(&desk, &who, body.clone()).await.expect(202);
    }
    invite(&desk, &who, body).await.expect(429);
}

#[tokio::test]
async fn nobody_is_invited_where_nobody_can_register() {
    let desk = Desk::open(Mode::Closed).await;
    let who = somebody(&desk, "admin").await;
    invite(&desk, &who, json!({ "email": "grace@example.org", "role": "student" })).await.expect(409);
}

#[tokio::test]
async fn who_looks_after_one_institution_learns_of_no_address_elsewhere() {
    let mut desk = Desk::open(Mode::Invitation).await;
    desk.account_of("there@example.org", "student", Status::Active, Some("other")).await;
    let head = somebody(&desk, "institution_admin").await;
    for email in ["there@example.org", "nobody@example.org"] {
        let body = json!({ "name": "Ada", "email": email, "institution": null });
        let reply = desk.send_as(&head, Method::POST, "/api/users", body).await.expect(202).json();
        assert_eq!(reply.as_object().unwrap().keys().collect::<Vec<_>>(), ["delivery", "expiresAt"]);
        assert_eq!(desk.letter().unwrap().0, email);
    }
    let password = json!({ "name": "Ada", "email": "ada@example.org", "password": "correct horse battery" });
    let refused = desk.send_as(&head, Method::POST, "/api/users", password).await.expect(422);
    assert_eq!(refused.fields(), ["password"]);
    let service = json!({ "name": "importer", "kind": "service" });
    desk.send_as(&head, Method::POST, "/api/users", service).await.expect(201);
}
