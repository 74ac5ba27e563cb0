//! Accounts that wait for their address to be verified: taken over, or removed.

use super::stage::{World, at, email, hash, start};
use crate::users::account::{Account, Status};
use crate::users::audit::Action;
use crate::users::store::{
    Added, Change, ChangeAccount, Changed, NewAccount, OneTime, Purpose, RemoveAccount,
};

/// Somebody whose address waits, registered so many seconds after the start.
fn waiting(world: &World, name: &str, seconds: i64) -> NewAccount {
    let pending = NewAccount { email_verified: false, status: Status::Pending, ..world.student(name) };
    NewAccount { at: at(seconds), ..pending }
}

fn invited(role: &str) -> Change {
    Change::TakeOver {
        hash: "$argon2id$another hash".to_owned(),
        role: role.to_owned(),
        institution: Some("school".to_owned()),
    }
}

fn token(account: &Account, number: u64, purpose: Purpose) -> OneTime {
    OneTime {
        hash: hash(number),
        purpose,
        user: Some(account.id),
        payload: None,
        only: true,
        at: start(),
        expires_at: at(3600),
    }
}

fn removal(world: &World, account: &Account) -> RemoveAccount {
    let trail = world.entry(Action::Expire).on(account.id, None);
    RemoveAccount { id: account.id, if_version: account.version, trail }
}

pub(crate) async fn a_pending_account_is_taken_over_whole_or_not_at_all(world: &World) {
    let ada = world.add(waiting(world, "ada", 0)).await;
    world.store.issue(token(&ada, 1, Purpose::Reset)).await.unwrap();
    let (trail, position) = (world.trail_is().await, world.position().await);
    let emperor = world.change(ada.id, invited("emperor"), Action::Register);
    assert_eq!(world.store.change_account(emperor).await.unwrap(), Changed::NoSuchRole);
    let late = ChangeAccount {
        if_version: Some(ada.version + 1),
        ..world.change(ada.id, invited("teacher"), Action::Register)
    };
    assert_eq!(world.store.change_account(late).await.unwrap(), Changed::Stale);
    assert_eq!(world.now_is(ada.id).await.as_ref(), Some(&ada));
    assert_eq!(world.trail_is().await, trail);

    let now = world.changed(ada.id, invited("teacher"), Action::Register).await;
    assert_eq!(world.now_is(ada.id).await.as_ref(), Some(&now));
    assert_eq!((now.status, now.email_verified), (Status::Active, true));
    assert_eq!((now.role.as_str(), now.institution.as_deref()), ("teacher", Some("school")));
    assert_eq!((now.version, now.epoch), (ada.version + 1, ada.epoch + 1));
    assert_eq!((now.name, now.created_at, now.updated_at), (ada.name, ada.created_at, at(60)));
    let login = world.store.login(ada.id).await.unwrap().unwrap();
    assert_eq!(login.password.as_deref(), Some("$argon2id$another hash"));
    assert_eq!(world.store.redeem(Purpose::Reset, &hash(1), at(60)).await.unwrap(), None);
    assert_eq!(world.trail_is().await, trail + 1);
    assert_eq!(world.revoked_after(position).await, [(ada.id.uuid(), Some(now.epoch))]);
}

pub(crate) async fn who_never_verified_is_found_longest_ago_first(world: &World) {
    let late = world.add(waiting(world, "late", 30)).await;
    let early = world.add(waiting(world, "early", 10)).await;
    let middle = world.add(waiting(world, "middle", 20)).await;
    world.add(NewAccount { email_verified: true, ..waiting(world, "verified", 5) }).await;
    world.somebody("active").await;
    let erased = world.add(waiting(world, "erased", 5)).await;
    world.store.erase_account(world.erasure(erased.id)).await.unwrap();
    let found = async |before, limit| {
        let found = world.store.unverified(at(before), limit).await.unwrap();
        found.into_iter().map(|account| account.name).collect::<Vec<_>>()
    };
    assert_eq!(found(31, 10).await, ["early", "middle", "late"]);
    assert_eq!(found(30, 10).await, ["early", "middle"]);
    assert_eq!(found(31, 1).await, ["early"]);
    assert_eq!(found(10, 10).await, Vec::<String>::new());

    // Who registers once more begins to wait anew.
    let again = Change::Password { hash: "$argon2id$another hash".to_owned(), keep: None };
    world.changed(early.id, again, Action::Register).await;
    assert_eq!(found(31, 10).await, ["middle", "late"]);
    world.changed(middle.id, Change::Verified, Action::Verify).await;
    assert_eq!(found(31, 10).await, ["late"]);
    assert_eq!(world.store.unverified(at(31), 1).await.unwrap(), [late]);
}

pub(crate) async fn who_never_verified_is_removed_as_judged_and_leaves_the_address(world: &World) {
    let ada = world.add(waiting(world, "ada", 0)).await;
    let bob = world.add(waiting(world, "bob", 0)).await;
    world.store.issue(token(&ada, 1, Purpose::Verify)).await.unwrap();
    let remove = vec![removal(world, &ada), removal(world, &bob)];
    let bob = world.changed(bob.id, Change::Verified, Action::Verify).await;
    let trail = world.trail_is().await;
    assert_eq!(world.store.remove_accounts(remove.clone()).await.unwrap(), 1);
    assert_eq!(world.now_is(ada.id).await, None);
    assert_eq!(world.now_is(bob.id).await, Some(bob), "the address was verified meanwhile");
    assert_eq!(world.trail_is().await, trail + 1);
    assert_eq!(world.trail().await.iter().filter(|entry| entry.action == Action::Expire).count(), 1);
    assert_eq!(world.store.redeem(Purpose::Verify, &hash(1), at(1)).await.unwrap(), None);
    assert_eq!(world.store.remove_accounts(remove).await.unwrap(), 0);
    assert_eq!(world.store.remove_accounts(Vec::new()).await.unwrap(), 0);
    let id = ada.id.uuid().as_simple().to_string();
    let kept = world.place.tables().await;
    let left = kept.iter().filter(|(table, row)| table != "audit" && row.contains(&id));
    assert_eq!(left.count(), 0, "{kept:?}");
    let taken = NewAccount { email: Some(email("ada@example.org")), ..world.student("another") };
    assert_eq!(world.store.add_account(taken).await.unwrap(), Added::Done);
}
