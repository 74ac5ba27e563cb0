use std::collections::BTreeSet;

use super::*;
use crate::kit::auth::Reach;
use crate::kit::http::precondition::IfMatch;
use crate::users::audit::Outcome;
use crate::users::local::tests::people::{People, with_key};

fn role(name: &str, permissions: &[Scope]) -> Role {
    Role {
        name: name.to_owned(),
        description: "Reads the trail".to_owned(),
        permissions: permissions.iter().copied().collect(),
        reach: Reach::Everyone,
        built_in: false,
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T, ApiError>) -> Code {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn a_role_is_made_changed_and_removed() {
    let people = People::gather().await;
    let (book, root) = (&people.users.role_book, &people.root);
    assert!(book.put(root, role("auditor", &[Scope::AuditRead])).await.unwrap());
    people.clock.advance(jiff::SignedDuration::from_secs(1));
    assert!(!book.put(root, role("auditor", &[])).await.unwrap());
    let kept = book.list().await.unwrap().into_iter().find(|kept| kept.name == "auditor");
    assert_eq!(kept, Some(role("auditor", &[])));
    book.remove(root, "auditor").await.unwrap();
    assert_eq!(code(book.remove(root, "auditor").await), Code::NotFound);
    let entry = people.trail(Action::DefineRole, Outcome::Done).await.remove(1);
    assert_eq!(entry.detail["permissions"], serde_json::json!(["audit:read"]));
}

#[tokio::test]
async fn built_in_roles_stay_as_they_are() {
    let people = People::gather().await;
    let (book, root) = (&people.users.role_book, &people.root);
    for built_in in crate::users::roles::built_in() {
        assert_eq!(code(book.put(root, role(&built_in.name, &[])).await), Code::Conflict);
        assert_eq!(code(book.remove(root, &built_in.name).await), Code::Conflict);
    }
    assert_eq!(book.list().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_role_that_accounts_have_is_not_removed() {
    let people = People::gather().await;
    let (book, root) = (&people.users.role_book, &people.root);
    book.put(root, role("auditor", &[Scope::AuditRead])).await.unwrap();
    let ada = people.account("ada", "auditor", None).await.id;
    assert_eq!(code(book.remove(root, "auditor").await), Code::Conflict);
    people.users.directory.set_role(root, ada, &IfMatch::Any, "student".to_owned()).await.unwrap();
    book.remove(root, "auditor").await.unwrap();
}

#[tokio::test]
async fn nobody_defines_a_role_beyond_the_own_permissions_nor_takes_one_apart() {
    let people = People::gather().await;
    let (book, root) = (&people.users.role_book, &people.root);
    let modest = with_key(root, &[Scope::RolesWrite, Scope::AuditRead]);
    book.put(root, role("strong", &[Scope::UsersAdmin])).await.unwrap();
    assert!(book.put(&modest, role("auditor", &[Scope::AuditRead])).await.unwrap());
    let beyond = role("auditor", &[Scope::AuditRead, Scope::UsersAdmin]);
    assert_eq!(code(book.put(&modest, beyond).await), Code::Forbidden);
    assert_eq!(code(book.put(&modest, role("strong", &[])).await), Code::Forbidden);
    assert_eq!(code(book.remove(&modest, "strong").await), Code::Forbidden);
    assert_eq!(people.trail(Action::DefineRole, Outcome::Refused).await.len(), 2);

    let near = Principal { reach: Reach::Institution, ..root.clone() };
    assert_eq!(code(book.put(&near, role("wide", &[])).await), Code::Forbidden, "it reaches too far");
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    assert_eq!(code(book.put(&head, role("mine", &[])).await), Code::Forbidden, "no scope for it");
}

#[tokio::test]
async fn a_role_has_a_plain_name_and_a_short_description() {
    let people = People::gather().await;
    let (book, root) = (&people.users.role_book, &people.root);
    for name in ["", "Auditor", "1st", "_x", "a-b", "a b", "é", &"a".repeat(51)] {
        assert_eq!(code(book.put(root, role(name, &[])).await), Code::Invalid, "{name}");
    }
    let long = Role { description: "d".repeat(201), ..role("auditor", &[]) };
    assert_eq!(code(book.put(root, long).await), Code::Invalid);
}

#[tokio::test]
async fn roles_are_so_many_and_no_more() {
    let people = People::gather().await;
    let (book, root) = (&people.users.role_book, &people.root);
    for number in 4..MOST {
        book.put(root, role(&format!("role_{number}"), &[])).await.unwrap();
    }
    assert_eq!(code(book.put(root, role("one_more", &[])).await), Code::Conflict);
    book.put(root, role("role_4", &[Scope::AuditRead])).await.expect("a change is none more");
    assert_eq!(book.list().await.unwrap().iter().map(|role| &role.name).collect::<BTreeSet<_>>().len(), MOST);
}
