//! Accounts: added, looked up, out of reach.

use super::stage::{World, at, at_once, email, start};
use crate::users::account::{Kind, Status};
use crate::users::audit::Action;
use crate::users::store::{Added, Change, ChangeAccount, Changed, EraseAccount, NewAccount, Within};

pub(crate) async fn an_account_reads_back_as_it_was_added(world: &World) {
    let new =
        NewAccount { email: Some(email("Ada@Example.org")), ..world.pupil("Ada Lovelace", "Analytica") };
    let added = world.add(new.clone()).await;
    assert_eq!((added.id, added.kind, added.name.as_str()), (new.id, Kind::Person, "Ada Lovelace"));
    assert_eq!(added.email.as_deref(), Some("Ada@Example.org"), "as it was typed");
    assert!(added.email_verified);
    assert_eq!((added.status, added.role.as_str()), (Status::Active, "student"));
    assert_eq!(added.institution.as_deref(), Some("Analytica"));
    assert_eq!((added.created_at, added.updated_at, added.last_active), (start(), start(), None));
    assert!(!added.second_factor && added.avatar.is_none() && added.metadata.is_empty());

    let by_email = world.store.by_email(&email("ada@example.org")).await.unwrap().unwrap();
    let by_id = world.store.login(new.id).await.unwrap().unwrap();
    for login in [by_email, by_id] {
        assert_eq!((&login.account, &login.password, &login.totp), (&added, &new.password, &None));
    }
    assert!(world.store.by_email(&email("bob@example.org")).await.unwrap().is_none());
    assert!(world.store.login(world.id()).await.unwrap().is_none());
    assert!(world.now_is(world.id()).await.is_none());
}

pub(crate) async fn an_address_is_taken_in_every_spelling(world: &World) {
    world
        .add(NewAccount { email: Some(email("Jos\u{e9}@Stra\u{df}e.example")), ..world.student("jose") })
        .await;
    let before = world.trail_is().await;
    for spelling in ["jos\u{e9}@stra\u{df}e.example", "JOSE\u{301}@STRASSE.EXAMPLE"] {
        let again = NewAccount { email: Some(email(spelling)), ..world.student("another") };
        assert_eq!(world.store.add_account(again).await.unwrap(), Added::EmailTaken, "{spelling}");
    }
    assert_eq!(world.trail_is().await, before, "what was not done is not told");
}

pub(crate) async fn of_many_registrations_of_one_address_at_once_one_is_made(world: &World) {
    let added = at_once(16, |_| {
        let (store, new) = (world.shared(), world.student("ada"));
        async move { store.add_account(new).await.unwrap() }
    });
    let done = added.await.into_iter().filter(|added| *added == Added::Done).count();
    assert_eq!(done, 1);
    assert_eq!(world.trail_is().await, 1);
}

pub(crate) async fn accounts_without_an_address_stand_beside_each_other(world: &World) {
    for name in ["importer", "exporter"] {
        let service = NewAccount { kind: Kind::Service, email: None, password: None, ..world.student(name) };
        let added = world.add(service).await;
        assert_eq!((added.kind, added.email), (Kind::Service, None));
    }
}

pub(crate) async fn an_id_is_given_once(world: &World) {
    let first = world.somebody("ada").await;
    let second = NewAccount { id: first.id, ..world.student("bob") };
    assert_ne!(world.store.add_account(second).await.unwrap(), Added::Done);
    assert_eq!(world.now_is(first.id).await, Some(first));
}

pub(crate) async fn what_is_out_of_reach_is_not_there(world: &World) {
    let ada = world.add(world.pupil("ada", "North")).await;
    let bob = world.somebody("bob").await;
    let trail = world.trail_is().await;
    let north = Within::Institution("North".to_owned());
    for within in [&north, &Within::Everyone, &Within::Only(ada.id)] {
        assert!(world.store.account(ada.id, within).await.unwrap().is_some(), "{within:?}");
    }
    let beyond = [Within::Institution("South".to_owned()), Within::Only(bob.id)];
    for within in beyond.into_iter().chain([Within::Institution(String::new())]) {
        assert!(world.store.account(ada.id, &within).await.unwrap().is_none(), "{within:?}");
        let change = ChangeAccount {
            within: within.clone(),
            ..world.change(ada.id, Change::Status(Status::Suspended), Action::SetStatus)
        };
        assert_eq!(world.store.change_account(change).await.unwrap(), Changed::Missing);
        let erase = EraseAccount { within, ..world.erasure(ada.id) };
        assert_eq!(world.store.erase_account(erase).await.unwrap(), Changed::Missing);
    }
    assert!(world.store.account(bob.id, &north).await.unwrap().is_none(), "he belongs to none");
    assert_eq!(world.now_is(ada.id).await, Some(ada));
    assert_eq!(world.trail_is().await, trail);
}

pub(crate) async fn when_an_account_was_used_only_grows(world: &World) {
    let ada = world.somebody("ada").await;
    world.store.touch_accounts(vec![(ada.id, at(20)), (world.id(), at(20))]).await.unwrap();
    world.store.touch_accounts(vec![(ada.id, at(10))]).await.unwrap();
    let now = world.now_is(ada.id).await.unwrap();
    assert_eq!(now.last_active, Some(at(20)));
    assert_eq!(now.version, ada.version, "nothing that its owner changed");
}
