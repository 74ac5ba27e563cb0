//! Somebody is left who may do everything.

use super::stage::{World, at, at_once, hash};
use crate::kit::auth::Scope;
use crate::kit::http::page::Page;
use crate::users::account::{Account, Kind, Status};
use crate::users::audit::Action;
use crate::users::roles::ADMIN;
use crate::users::store::{
    AccountQuery, AccountSort, Change, Changed, NewAccount, NewKey, NewPasskey, RevokeKey, Within,
};

fn demoted() -> Change {
    Change::Role("student".to_owned())
}

/// An administrator without a password: nobody gets into that one, yet.
async fn locked_out(world: &World, name: &str) -> Account {
    let new = NewAccount {
        kind: Kind::Service,
        email: None,
        password: None,
        role: ADMIN.to_owned(),
        ..world.student(name)
    };
    world.add(new).await
}

fn key(world: &World, account: &Account) -> NewKey {
    let id = world.id();
    NewKey {
        id,
        user: account.id,
        name: "a key".to_owned(),
        prefix: "vk_0".to_owned(),
        hash: hash(world.number()),
        scopes: None,
        at: at(0),
        expires_at: None,
        most: 100,
        trail: world.entry(Action::CreateKey).on(account.id, None),
    }
}

async fn is_the_last(world: &World, account: &Account) -> bool {
    let trail = world.trail_is().await;
    let role = world.change(account.id, demoted(), Action::SetRole);
    let status = world.change(account.id, Change::Status(Status::Suspended), Action::SetStatus);
    let outcomes = [
        world.store.erase_account(world.erasure(account.id)).await.unwrap(),
        world.store.change_account(status).await.unwrap(),
        world.store.change_account(role).await.unwrap(),
    ];
    let last = outcomes.iter().all(|outcome| *outcome == Changed::LastAdmin);
    if last {
        assert_eq!(world.now_is(account.id).await.as_ref(), Some(account));
        assert_eq!(world.trail_is().await, trail);
    }
    last
}

pub(crate) async fn the_last_administrator_stays(world: &World) {
    let root = world.administrator("root").await;
    world.somebody("ada").await;
    assert!(is_the_last(world, &root).await);
    let same = world.changed(root.id, Change::Role(ADMIN.to_owned()), Action::SetRole).await;
    assert_eq!(same.role, ADMIN, "which takes nothing away");

    let second = world.administrator("second").await;
    world.changed(root.id, demoted(), Action::SetRole).await;
    assert!(is_the_last(world, &second).await);
}

pub(crate) async fn an_administrator_who_cannot_get_in_is_none(world: &World) {
    let root = world.administrator("root").await;
    let pending = NewAccount { status: Status::Pending, role: ADMIN.to_owned(), ..world.student("pending") };
    world.add(pending).await;
    let service = locked_out(world, "service").await;
    assert!(is_the_last(world, &root).await, "nobody gets into the others");

    let scoped = NewKey { scopes: Some([Scope::VoiceRead].into()), ..key(world, &service) };
    let ended = NewKey { expires_at: Some(at(30)), ..key(world, &service) };
    let revoked = key(world, &service);
    for key in [scoped, ended, revoked.clone()] {
        world.store.add_key(key).await.unwrap();
    }
    let trail = world.entry(Action::RevokeKey).on(service.id, None);
    let revoke = RevokeKey { user: service.id, id: revoked.id, at: at(1), trail };
    assert!(world.store.revoke_key(revoke).await.unwrap());
    assert!(is_the_last(world, &root).await, "no key of these is good for everything");

    world.store.add_key(key(world, &service)).await.unwrap();
    let demoted = world.change(root.id, demoted(), Action::SetRole);
    assert!(matches!(world.store.change_account(demoted).await.unwrap(), Changed::Done(_)));
    assert!(is_the_last(world, &service).await);

    let holder = locked_out(world, "holder").await;
    let passkey = NewPasskey {
        id: world.id(),
        credential_id: vec![1, 2, 3],
        user: holder.id,
        name: "a passkey".to_owned(),
        credential: "{}".to_owned(),
        most: 10,
        at: at(0),
        trail: world.entry(Action::AddPasskey).on(holder.id, None),
    };
    world.store.add_passkey(passkey).await.unwrap();
    assert!(!is_the_last(world, &service).await, "the other one gets in by passkey");
}

pub(crate) async fn of_administrators_who_remove_each_other_at_once_one_is_left(world: &World) {
    let mut all = Vec::new();
    for number in 0..9 {
        all.push(world.administrator(&format!("admin{number}")).await.id);
    }
    let outcomes = at_once(all.len(), |number| {
        let (store, id) = (world.shared(), all[number]);
        let role = world.change(id, demoted(), Action::SetRole);
        let status = world.change(id, Change::Status(Status::Inactive), Action::SetStatus);
        let erasure = world.erasure(id);
        async move {
            match number % 3 {
                0 => store.change_account(role).await.unwrap(),
                1 => store.change_account(status).await.unwrap(),
                _ => store.erase_account(erasure).await.unwrap(),
            }
        }
    })
    .await;
    let refused: Vec<_> = outcomes.iter().filter(|outcome| !matches!(outcome, Changed::Done(_))).collect();
    assert_eq!(refused, [&Changed::LastAdmin]);
    let query = AccountQuery {
        within: Within::Everyone,
        search: None,
        role: Some(ADMIN.to_owned()),
        status: Some(Status::Active),
        institution: None,
        sort: AccountSort::Newest,
        page: Page::parse(None, None, None).unwrap(),
    };
    let left = world.store.accounts(query).await.unwrap().accounts;
    assert_eq!(left.len(), 1);
    assert_eq!(world.trail_is().await, 9 + 8);
}
