use jiff::SignedDuration;
use secrecy::ExposeSecret as _;

use super::*;
use crate::kit::auth::{Credential, Scope};
use crate::kit::ids::KeyId;
use crate::users::api::Users as _;
use crate::users::local::access::registration::Mode;
use crate::users::local::tests::desk::{Desk, PASSWORD};

async fn desk() -> (Desk, Operator) {
    let desk = Desk::open(Mode::Closed).await;
    let operator = Operator::of(desk.users.clone());
    (desk, operator)
}

fn ada(role: &str) -> NewPerson {
    NewPerson {
        name: "Ada Lovelace".to_owned(),
        email: "ada@example.org".to_owned(),
        role: role.to_owned(),
        institution: None,
        password: PASSWORD.into(),
    }
}

#[tokio::test]
async fn whom_the_operator_makes_an_account_for_can_log_in_at_once() {
    let (desk, operator) = desk().await;
    let account = operator.create(&ada("teacher")).await.unwrap();
    desk.log_in("ada@example.org", PASSWORD).await.expect(200);
    assert_eq!(operator.find("ADA@example.org").await.unwrap().id, account.id);
    assert_eq!(operator.find(&account.id.to_string()).await.unwrap().id, account.id);
    assert!(
        matches!(operator.create(&ada("teacher")).await, Err(Refusal::Impossible(_))),
        "the address is taken"
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words() {
    let (_desk, operator) = desk().await;
    for (person, word) in [
        (ada("emperor"), "institution_admin"),
        (NewPerson { password: "lovelace".into(), ..ada("admin") }, "too easy"),
        (NewPerson { email: "ada".to_owned(), ..ada("admin") }, "e-mail address"),
        (NewPerson { name: "\n".to_owned(), ..ada("admin") }, "name"),
    ] {
        let refused = operator.create(&person).await.unwrap_err();
        assert!(matches!(refused, Refusal::Wrong(_)) && refused.to_string().contains(word), "{refused}");
    }
    assert!(matches!(operator.find("nobody@example.org").await, Err(Refusal::Impossible(_))));
    assert!(matches!(operator.find("nobody").await, Err(Refusal::Wrong(_))));
}

#[tokio::test]
async fn an_institution_is_kept_as_everywhere_else() {
    let (_desk, operator) = desk().await;
    let of = |institution: &str| NewPerson { institution: Some(institution.to_owned()), ..ada("teacher") };
    let refused = operator.create(&of("a\nb")).await.unwrap_err();
    assert!(matches!(refused, Refusal::Wrong(_)) && refused.to_string().contains("institution"), "{refused}");
    let made = operator.create(&of(" E\u{301}cole ")).await.unwrap();
    assert_eq!(made.institution.as_deref(), Some("\u{c9}cole"));
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let (_desk, operator) = desk().await;
    let account = operator.create(&ada("admin")).await.unwrap();
    let refused = operator.set_role(&account, "student").await.unwrap_err();
    assert!(refused.to_string().contains("last active administrator"), "{refused}");
    operator.set_status(&account, Status::Suspended).await.unwrap_err();
    let pending = operator.set_status(&account, Status::Pending).await.unwrap_err();
    assert!(matches!(pending, Refusal::Wrong(_)) && pending.to_string().contains("fix:"), "{pending}");
    let other = NewPerson { email: "grace@example.org".to_owned(), ..ada("admin") };
    operator.create(&other).await.unwrap();
    assert_eq!(operator.set_role(&account, "student").await.unwrap().role, "student");
}

#[tokio::test]
async fn a_password_that_is_made_up_is_taken_and_ends_the_sessions() {
    let (desk, operator) = desk().await;
    let account = operator.create(&ada("student")).await.unwrap();
    desk.log_in("ada@example.org", PASSWORD).await.expect(200);
    let password = made_up_password(desk.users.ids.entropy());
    operator.set_password(&account, &password).await.unwrap();
    assert!(desk.users.sessions.list(account.id).await.unwrap().is_empty());
    desk.log_in("ada@example.org", PASSWORD).await.expect(401);
    desk.log_in("ada@example.org", password.expose_secret()).await.expect(200);
    assert_ne!(password.expose_secret(), made_up_password(desk.users.ids.entropy()).expose_secret());
}

#[tokio::test]
async fn a_service_has_keys_and_no_password() {
    let (desk, operator) = desk().await;
    let service = operator.service("importer", "student").await.unwrap();
    assert_eq!(operator.service("importer", "admin").await.unwrap().id, service.id, "it is there already");
    let scopes = Some([Scope::VoiceProcess].into());
    let (_, key) = operator.create_key(&service, "nightly", scopes, None).await.unwrap();
    let identity = desk.users.identify(&Credential::new(key.expose_secret())).await.unwrap();
    assert_eq!(identity.user_id, service.id);
    operator.set_password(&service, &PASSWORD.into()).await.unwrap_err();
    let beyond =
        operator.create_key(&service, "all", Some([Scope::UsersAdmin].into()), None).await.unwrap_err();
    assert!(beyond.to_string().contains("users:admin"), "{beyond}");
}

#[tokio::test]
async fn a_key_ends_by_itself_or_by_command_by_its_id_or_as_it_was_found() {
    let (desk, operator) = desk().await;
    let service = operator.service("importer", "student").await.unwrap();
    let day = SignedDuration::from_hours(24);
    let (_, brief) = operator.create_key(&service, "brief", None, Some(day)).await.unwrap();
    let (id, first) = operator.create_key(&service, "first", None, None).await.unwrap();
    let (_, second) = operator.create_key(&service, "second", None, None).await.unwrap();
    operator.revoke_key(&id.to_string()).await.unwrap();
    operator.revoke_key(second.expose_secret()).await.unwrap();
    operator.revoke_key(second.expose_secret()).await.unwrap_err();
    desk.clock.advance(day);
    for key in [brief, first, second] {
        desk.users.identify(&Credential::new(key.expose_secret())).await.unwrap_err();
    }
    assert!(matches!(operator.revoke_key("nonsense").await, Err(Refusal::Wrong(_))));
    let unknown: KeyId = desk.users.ids.fresh();
    assert!(matches!(operator.revoke_key(&unknown.to_string()).await, Err(Refusal::Impossible(_))));
}

#[tokio::test]
async fn a_signing_key_that_leaked_verifies_nothing_from_then_on() {
    let (_desk, operator) = desk().await;
    let before = operator.signing_keys().await.unwrap().0;
    operator.rotate_signing_key(false).await.unwrap();
    assert_eq!(operator.signing_keys().await.unwrap().0.len(), 2, "the old one goes on for a while");
    operator.rotate_signing_key(true).await.unwrap();
    let after = operator.signing_keys().await.unwrap().0;
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].kid, before[0].kid);
}

#[tokio::test]
async fn the_trail_says_that_it_was_the_command_line() {
    let (desk, operator) = desk().await;
    operator.create(&ada("admin")).await.unwrap();
    let trail = desk.trail().await;
    let entry = trail.iter().find(|entry| entry.action == Action::Create).unwrap();
    assert_eq!((entry.actor, entry.detail["by"].as_str()), (None, Some("command line")));
}
