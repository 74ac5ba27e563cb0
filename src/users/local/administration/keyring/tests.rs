use secrecy::ExposeSecret as _;

use super::*;
use crate::kit::auth::Credential;
use crate::users::api::{Identity, Users as _};
use crate::users::audit::Outcome;
use crate::users::local::tests::people::{People, with_key};

fn wanted(scopes: &[Scope]) -> WantedKey {
    let scopes = (!scopes.is_empty()).then(|| scopes.iter().copied().collect());
    WantedKey { id: None, name: "import".to_owned(), scopes, ends: Ends::Never }
}

fn first_page() -> Page {
    Page::parse(None, None, None).unwrap()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, ApiError>) -> Code {
    outcome.unwrap_err().code()
}

async fn identity(people: &People, made: &MadeKey) -> Result<Identity, ApiError> {
    people.users.identify(&Credential::new(made.secret.expose_secret())).await
}

#[tokio::test]
async fn a_key_works_until_it_is_revoked_and_its_secret_is_kept_nowhere() {
    let people = People::gather().await;
    let (keyring, bob) = (&people.users.keyring, people.somebody("bob", "teacher", Some("school")).await);
    let made = keyring.make(&bob, bob.user_id, wanted(&[Scope::VoiceRead])).await.unwrap();
    let secret = made.secret.expose_secret();
    assert!(secret.starts_with(&made.key.prefix) && secret.len() > made.key.prefix.len() + 40);
    let identity_now = identity(&people, &made).await.unwrap();
    assert_eq!(identity_now.user_id, bob.user_id);
    assert_eq!(identity_now.scopes, Some(BTreeSet::from([Scope::VoiceRead])));
    assert_eq!(
        keyring.list(&bob, bob.user_id, first_page()).await.unwrap().keys,
        std::slice::from_ref(&made.key)
    );

    keyring.revoke(&bob, bob.user_id, made.key.id).await.unwrap();
    assert_eq!(code(identity(&people, &made).await), Code::Unauthorized);
    assert_eq!(code(keyring.revoke(&bob, bob.user_id, made.key.id).await), Code::NotFound);
    assert!(keyring.list(&bob, bob.user_id, first_page()).await.unwrap().keys[0].revoked_at.is_some());
}

#[tokio::test]
async fn a_key_ends_when_it_was_said_to() {
    let people = People::gather().await;
    let (keyring, bob) = (&people.users.keyring, people.somebody("bob", "teacher", None).await);
    let now = people.users.clock.now();
    let hour = SignedDuration::from_hours(1);
    for ends in [Ends::After(hour), Ends::At(now + hour)] {
        let made = keyring.make(&bob, bob.user_id, WantedKey { ends, ..wanted(&[]) }).await.unwrap();
        assert_eq!(made.key.expires_at, Some(now + hour));
    }
    let made =
        keyring.make(&bob, bob.user_id, WantedKey { ends: Ends::After(hour), ..wanted(&[]) }).await.unwrap();
    identity(&people, &made).await.unwrap();
    people.clock.advance(hour);
    assert_eq!(code(identity(&people, &made).await), Code::Unauthorized);
    for ends in [Ends::At(now), Ends::After(SignedDuration::ZERO), Ends::At(now + LONGEST + hour * 2)] {
        let refused = keyring.make(&bob, bob.user_id, WantedKey { ends, ..wanted(&[]) }).await;
        assert_eq!(code(refused), Code::Invalid, "{ends:?}");
    }
}

#[tokio::test]
async fn a_key_has_a_name_and_something_that_it_is_good_for() {
    let people = People::gather().await;
    let (keyring, bob) = (&people.users.keyring, people.somebody("bob", "teacher", None).await);
    for name in [String::new(), "n".repeat(101)] {
        let refused = keyring.make(&bob, bob.user_id, WantedKey { name, ..wanted(&[]) }).await;
        assert_eq!(code(refused), Code::Invalid);
    }
    let nothing = WantedKey { scopes: Some(BTreeSet::new()), ..wanted(&[]) };
    assert_eq!(code(keyring.make(&bob, bob.user_id, nothing).await), Code::Invalid);
}

#[tokio::test]
async fn a_key_is_never_good_for_more_than_the_credential_that_made_it() {
    let people = People::gather().await;
    let (keyring, bob) = (&people.users.keyring, people.somebody("bob", "teacher", None).await);
    let beyond = keyring.make(&bob, bob.user_id, wanted(&[Scope::UsersAdmin])).await;
    assert_eq!(code(beyond), Code::Forbidden);
    let narrow = with_key(&bob, &[Scope::KeysWrite, Scope::VoiceRead]);
    let wider = keyring.make(&narrow, bob.user_id, wanted(&[Scope::VoiceProcess])).await;
    assert_eq!(code(wider), Code::Forbidden);
    let as_much = keyring.make(&narrow, bob.user_id, wanted(&[])).await.unwrap();
    assert_eq!(as_much.key.scopes, Some(narrow.scopes.clone()), "not whatever the role permits");
    let logged_in = keyring.make(&bob, bob.user_id, wanted(&[])).await.unwrap();
    assert_eq!(logged_in.key.scopes, None);
    assert_eq!(people.trail(Action::CreateKey, Outcome::Refused).await.len(), 2);
}

#[tokio::test]
async fn who_has_no_scope_for_keys_makes_lists_and_revokes_none() {
    let people = People::gather().await;
    let (keyring, ada) = (&people.users.keyring, people.somebody("ada", "student", None).await);
    assert_eq!(code(keyring.list(&ada, ada.user_id, first_page()).await), Code::Forbidden);
    assert_eq!(code(keyring.make(&ada, ada.user_id, wanted(&[])).await), Code::Forbidden);
    assert_eq!(code(keyring.revoke(&ada, ada.user_id, people.users.ids.fresh()).await), Code::Forbidden);
}

#[tokio::test]
async fn keys_of_others_take_an_administrator_who_reaches_them_and_may_do_as_much() {
    let people = People::gather().await;
    let keyring = &people.users.keyring;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let teacher = people.somebody("bob", "teacher", Some("school")).await;
    let here = people.account("here", "teacher", Some("school")).await.id;
    let there = people.account("there", "teacher", Some("other")).await.id;
    let chief = people.account("chief", "admin", Some("school")).await.id;

    assert_eq!(code(keyring.make(&teacher, here, wanted(&[])).await), Code::Forbidden);
    assert_eq!(code(keyring.list(&teacher, here, first_page()).await), Code::Forbidden);
    assert_eq!(code(keyring.make(&head, there, wanted(&[])).await), Code::NotFound);
    assert_eq!(code(keyring.list(&head, there, first_page()).await), Code::NotFound);
    let over_the_head = keyring.make(&head, chief, wanted(&[Scope::VoiceRead])).await;
    assert_eq!(code(over_the_head), Code::Forbidden, "its reach would be an administrator's");

    let beyond_the_role = keyring.make(&head, here, wanted(&[Scope::UsersAdmin])).await;
    assert_eq!(code(beyond_the_role), Code::Forbidden);
    let made = keyring.make(&head, here, wanted(&[])).await.unwrap();
    let role = people.store.roles().await.unwrap().into_iter().find(|role| role.name == "teacher").unwrap();
    assert_eq!(made.key.scopes, Some(role.permissions), "what it is now: it does not grow with the role");
    assert_eq!(code(keyring.revoke(&head, there, made.key.id).await), Code::NotFound);
    assert_eq!(code(keyring.revoke(&head, head.user_id, made.key.id).await), Code::NotFound);
    keyring.revoke(&head, here, made.key.id).await.unwrap();
    let entry = people.trail(Action::RevokeKey, Outcome::Done).await.remove(0);
    assert_eq!((entry.actor, entry.target), (Some(head.user_id), Some(here)));
}

#[tokio::test]
async fn an_account_has_so_many_keys_and_no_more() {
    let people = People::gather().await;
    let (keyring, bob) = (&people.users.keyring, people.somebody("bob", "teacher", None).await);
    let mut last = None;
    for _ in 0..MOST {
        last = Some(keyring.make(&bob, bob.user_id, wanted(&[])).await.unwrap());
    }
    assert_eq!(code(keyring.make(&bob, bob.user_id, wanted(&[])).await), Code::Conflict);
    keyring.revoke(&bob, bob.user_id, last.unwrap().key.id).await.unwrap();
    keyring.make(&bob, bob.user_id, wanted(&[])).await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_sent_again_makes_no_second_key() {
    let people = People::gather().await;
    let (keyring, bob) = (&people.users.keyring, people.somebody("bob", "teacher", None).await);
    let named = || WantedKey { id: Some(uuid::Uuid::from_u128(7).into()), ..wanted(&[]) };
    keyring.make(&bob, bob.user_id, named()).await.unwrap();
    assert_eq!(code(keyring.make(&bob, bob.user_id, named()).await), Code::Conflict);
    assert_eq!(keyring.list(&bob, bob.user_id, first_page()).await.unwrap().keys.len(), 1);
}
