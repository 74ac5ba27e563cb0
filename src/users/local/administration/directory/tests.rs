use http::{HeaderMap, header};

use super::*;
use crate::kit::http::precondition::etag;
use crate::users::account::{Email, Kind};
use crate::users::audit::Outcome;
use crate::users::local::tests::people::{People, every_account, member, with_key};

fn called(name: &str) -> Description {
    Description { name: Some(name.to_owned()), ..Description::default() }
}

fn moved(institution: Option<&str>) -> Description {
    Description { institution: Some(institution.map(str::to_owned)), ..Description::default() }
}

fn only(version: u64) -> IfMatch {
    IfMatch::of(&HeaderMap::from_iter([(header::IF_MATCH, etag(version))]))
}

fn code<T: std::fmt::Debug>(outcome: Result<T, ApiError>) -> Code {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn everybody_sees_and_describes_the_own_account_with_no_scope_at_all() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let ada = with_key(&people.somebody("ada", "student", Some("school")).await, &[]);
    assert_eq!(directory.get(&ada, ada.user_id).await.unwrap().name, "ada");
    let changed = directory.describe(&ada, ada.user_id, &IfMatch::Any, called("Ada L.")).await.unwrap();
    assert_eq!(changed.name, "Ada L.");
    assert_eq!(changed.institution.as_deref(), Some("school"), "what is left out stays");
    let whole = Description { institution: Some(changed.institution), ..called("Ada") };
    directory.describe(&ada, ada.user_id, &IfMatch::Any, whole).await.expect("the institution is the same");
}

#[tokio::test]
async fn nobody_changes_the_own_role_status_or_institution_without_the_scope() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let ada = people.somebody("ada", "student", Some("school")).await;
    let (id, any) = (ada.user_id, IfMatch::Any);
    assert_eq!(code(directory.set_role(&ada, id, &any, "admin".to_owned()).await), Code::Forbidden);
    assert_eq!(code(directory.set_status(&ada, id, &any, Status::Active).await), Code::Forbidden);
    for institution in [None, Some("other")] {
        assert_eq!(code(directory.describe(&ada, id, &any, moved(institution)).await), Code::Forbidden);
    }
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let own = directory.describe(&head, head.user_id, &any, moved(Some("other"))).await;
    assert_eq!(code(own), Code::Forbidden, "that would be a way out of the institution");
}

#[tokio::test]
async fn others_are_seen_with_the_scope_as_far_as_the_role_reaches() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let here = people.account("here", "student", Some("school")).await.id;
    let there = people.account("there", "student", Some("other")).await.id;
    let student = people.somebody("ada", "student", Some("school")).await;
    let teacher = people.somebody("bob", "teacher", Some("school")).await;
    let stray = people.somebody("eve", "teacher", None).await;

    assert_eq!(code(directory.get(&student, here).await), Code::Forbidden);
    assert_eq!(directory.get(&teacher, here).await.unwrap().id, here);
    assert_eq!(code(directory.get(&teacher, there).await), Code::NotFound);
    assert_eq!(code(directory.get(&stray, here).await), Code::NotFound, "no institution, nobody to reach");
    assert_eq!(directory.get(&people.root, there).await.unwrap().id, there);

    let listed =
        async |who: &Principal| directory.list(who, every_account()).await.map(|page| page.accounts.len());
    assert_eq!(code(listed(&student).await), Code::Forbidden);
    assert_eq!(listed(&teacher).await.unwrap(), 3);
    assert_eq!(listed(&stray).await.unwrap(), 1);
    assert_eq!(listed(&people.root).await.unwrap(), 6);
    assert_eq!(directory.stats(&teacher).await.unwrap().by_role["student"], 2);
    assert_eq!(code(directory.stats(&student).await), Code::Forbidden);
}

#[tokio::test]
async fn an_institution_admin_changes_its_own_institution_alone() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let here = people.account("here", "student", Some("school")).await.id;
    let there = people.account("there", "student", Some("other")).await.id;
    let any = IfMatch::Any;
    directory.describe(&head, here, &any, called("New")).await.unwrap();
    directory.set_status(&head, here, &any, Status::Suspended).await.unwrap();
    directory.set_role(&head, here, &any, "teacher".to_owned()).await.unwrap();
    assert_eq!(code(directory.describe(&head, there, &any, called("New")).await), Code::NotFound);
    assert_eq!(code(directory.set_status(&head, there, &any, Status::Suspended).await), Code::NotFound);
    assert_eq!(code(directory.set_role(&head, there, &any, "teacher".to_owned()).await), Code::NotFound);
    assert_eq!(code(directory.describe(&head, here, &any, moved(Some("other"))).await), Code::Forbidden);
    directory.describe(&people.root, here, &any, moved(Some("other"))).await.unwrap();
    assert_eq!(code(directory.get(&head, here).await), Code::NotFound);
}

#[tokio::test]
async fn nobody_gives_a_role_that_permits_more_than_the_own_one() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let ada = people.account("ada", "student", Some("school")).await.id;
    for id in [ada, head.user_id] {
        let up = directory.set_role(&head, id, &IfMatch::Any, "admin".to_owned()).await;
        assert_eq!(code(up), Code::Forbidden);
    }
    assert_eq!(code(directory.add(&head, member("eve", "admin", None)).await), Code::Forbidden);
    let refused = people.trail(Action::SetRole, Outcome::Refused).await;
    assert_eq!((refused.len(), refused[0].actor), (2, Some(head.user_id)));
    assert_eq!(people.trail(Action::Create, Outcome::Refused).await.len(), 1);

    let unknown = directory.set_role(&head, ada, &IfMatch::Any, "wizard".to_owned()).await;
    assert_eq!(code(unknown), Code::Invalid);
    assert_eq!(code(directory.add(&head, member("eve", "wizard", None)).await), Code::Invalid);
    assert_eq!(people.now_is(ada).await.unwrap().role, "student");
}

#[tokio::test]
async fn a_key_gives_no_role_beyond_what_it_is_good_for() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let ada = people.account("ada", "student", None).await.id;
    let key = with_key(&people.root, &[Scope::UsersAdmin, Scope::UsersWrite, Scope::UsersRead]);
    let outcome = directory.set_role(&key, ada, &IfMatch::Any, "admin".to_owned()).await;
    assert_eq!(code(outcome), Code::Forbidden);
    assert_eq!(code(directory.add(&key, member("eve", "teacher", None)).await), Code::Forbidden);
}

#[tokio::test]
async fn nobody_lays_hands_on_an_account_that_may_do_more() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let chief = people.account("chief", "admin", Some("school")).await.id;
    let any = IfMatch::Any;
    assert_eq!(directory.get(&head, chief).await.unwrap().role, "admin", "it is within reach");
    assert_eq!(code(directory.describe(&head, chief, &any, called("Mine")).await), Code::Forbidden);
    assert_eq!(code(directory.set_status(&head, chief, &any, Status::Suspended).await), Code::Forbidden);
    assert_eq!(code(directory.set_role(&head, chief, &any, "student".to_owned()).await), Code::Forbidden);
    let before = people.now_is(chief).await.unwrap();
    assert_eq!((before.version, before.status), (1, Status::Active));
}

#[tokio::test]
async fn the_last_administrator_is_neither_demoted_nor_locked() {
    let people = People::gather().await;
    let (directory, root, any) = (&people.users.directory, &people.root, IfMatch::Any);
    let demote = || directory.set_role(root, root.user_id, &any, "student".to_owned());
    assert_eq!(code(demote().await), Code::Conflict);
    for status in [Status::Suspended, Status::Inactive] {
        assert_eq!(code(directory.set_status(root, root.user_id, &any, status).await), Code::Conflict);
    }
    let second = people.account("second", "admin", None).await.id;
    directory.set_status(root, second, &any, Status::Suspended).await.unwrap();
    assert_eq!(code(demote().await), Code::Conflict, "one that is locked does not count");
    directory.set_status(root, second, &any, Status::Active).await.unwrap();
    assert_eq!(demote().await.unwrap().role, "student");
}

#[tokio::test]
async fn what_somebody_else_has_changed_since_is_not_overwritten() {
    let people = People::gather().await;
    let (directory, root) = (&people.users.directory, &people.root);
    let read = people.account("ada", "student", None).await;
    let first = directory.describe(root, read.id, &only(read.version), called("One")).await.unwrap();
    assert!(first.version > read.version);
    let late = only(read.version);
    assert_eq!(code(directory.describe(root, read.id, &late, called("Two")).await), Code::PreconditionFailed);
    let role = directory.set_role(root, read.id, &late, "teacher".to_owned()).await;
    assert_eq!(code(role), Code::PreconditionFailed);
    let status = directory.set_status(root, read.id, &late, Status::Inactive).await;
    assert_eq!(code(status), Code::PreconditionFailed);
    assert_eq!(people.now_is(read.id).await.unwrap(), first);
    directory.describe(root, read.id, &only(first.version), called("Two")).await.unwrap();
    assert_eq!(
        directory.describe(root, read.id, &IfMatch::Any, called("Three")).await.unwrap().name,
        "Three"
    );
}

#[tokio::test]
async fn an_institution_admin_makes_accounts_in_its_own_institution_alone() {
    let people = People::gather().await;
    let directory = &people.users.directory;
    let head = people.somebody("head", "institution_admin", Some("school")).await;
    let service = |name: &str, role: &str, institution: Option<&str>| NewMember {
        kind: Kind::Service,
        email: None,
        password: None,
        ..member(name, role, institution)
    };
    let made = directory.add(&head, service("importer", "student", None)).await.unwrap();
    assert_eq!(made.institution.as_deref(), Some("school"));
    directory.add(&head, service("exporter", "teacher", Some("school"))).await.unwrap();
    let there = directory.add(&head, service("other", "student", Some("other"))).await;
    assert_eq!(code(there), Code::Forbidden);
    let stray = people.somebody("stray", "institution_admin", None).await;
    assert_eq!(code(directory.add(&stray, member("eve", "student", None)).await), Code::Forbidden);
    let teacher = people.somebody("carl", "teacher", Some("school")).await;
    assert_eq!(code(directory.add(&teacher, member("eve", "student", None)).await), Code::Forbidden);
}

#[tokio::test]
async fn a_person_has_an_address_of_their_own_and_a_service_none() {
    let people = People::gather().await;
    let (directory, root) = (&people.users.directory, &people.root);
    let without = NewMember { email: None, ..member("ada", "student", None) };
    assert_eq!(code(directory.add(root, without).await), Code::Invalid);
    let program = |member| NewMember { kind: Kind::Service, password: None, ..member };
    assert_eq!(code(directory.add(root, program(member("bot", "student", None))).await), Code::Invalid);
    let bot = NewMember { email: None, ..program(member("bot", "student", None)) };
    assert_eq!(directory.add(root, bot).await.unwrap().kind, Kind::Service);
    directory.add(root, member("ada", "student", None)).await.unwrap();
    let same =
        NewMember { email: Some(Email::parse("ADA@example.org").unwrap()), ..member("x", "student", None) };
    assert_eq!(code(directory.add(root, same).await), Code::Conflict);
}

#[tokio::test]
async fn a_password_that_an_administrator_gives_is_as_good_as_any_other() {
    let people = People::gather().await;
    let (directory, root) = (&people.users.directory, &people.root);
    let with =
        |password: &str| NewMember { password: Some(password.to_owned()), ..member("ada", "student", None) };
    assert_eq!(code(directory.add(root, with("ada@example.org")).await), Code::Invalid);
    let made = directory.add(root, with("correct horse battery staple")).await.unwrap();
    let login = people.store.login(made.id).await.unwrap().unwrap();
    assert!(login.password.unwrap().starts_with("$argon2id$"));
    assert_eq!((made.status, made.email_verified), (Status::Active, false));
}

#[tokio::test]
async fn pending_is_nothing_that_one_makes_an_account() {
    let people = People::gather().await;
    let ada = people.account("ada", "student", None).await.id;
    let outcome = people.users.directory.set_status(&people.root, ada, &IfMatch::Any, Status::Pending).await;
    assert_eq!(code(outcome), Code::Invalid);
}

#[tokio::test]
async fn the_trail_says_which_fields_were_changed_and_not_to_what() {
    let people = People::gather().await;
    let ada = people.account("ada", "student", Some("school")).await.id;
    people.users.directory.describe(&people.root, ada, &IfMatch::Any, called("Secret Name")).await.unwrap();
    let entry = people.trail(Action::Update, Outcome::Done).await.remove(0);
    assert_eq!((entry.actor, entry.target), (Some(people.root.user_id), Some(ada)));
    assert_eq!(entry.institution.as_deref(), Some("school"));
    assert_eq!(serde_json::to_value(entry.detail).unwrap(), serde_json::json!({ "fields": ["name"] }));
}

#[tokio::test]
async fn a_request_that_is_sent_again_makes_no_second_account() {
    let people = People::gather().await;
    let (directory, root) = (&people.users.directory, &people.root);
    let named =
        |name: &str| NewMember { id: Some(uuid::Uuid::from_u128(7).into()), ..member(name, "student", None) };
    let first = directory.add(root, named("ada")).await.unwrap();
    assert_eq!(directory.add(root, named("ada")).await.unwrap(), first);
    assert_eq!(
        code(directory.add(root, named("bob")).await),
        Code::Invalid,
        "the name is taken by another request"
    );
    assert_eq!(people.trail(Action::Create, Outcome::Done).await.len(), 2);
}
