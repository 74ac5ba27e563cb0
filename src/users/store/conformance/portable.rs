//! All of it carried to another store.

use jiff::SignedDuration;
use tempfile::TempDir;

use super::erase::who_uses_everything;
use super::keys;
use super::roles::guest;
use super::stage::{World, at, hash, start};
use crate::kit::auth::Scope;
use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::copy;
use crate::kit::storage::sqlite::Options;
use crate::users::account::{Account, Status};
use crate::users::api::Role;
use crate::users::audit::Action;
use crate::users::roles::{ADMIN, STUDENT};
use crate::users::store::sqlite::SqliteUsers;
use crate::users::store::{
    Change, Changed, DueErasure, EndSessions, NewSigningKey, OneTime, Purpose, Record, RecordKey,
    RemovePasskey, RevokeKey, RoleChange, Rotate, Rotation, SigningKey, UserStore, Which,
};

type Store = dyn UserStore;

/// Everything that is carried, so many at a time.
async fn all_of(store: &Store, limit: u32) -> Vec<Record> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let found = store.export(after, limit).await.unwrap();
        assert!(found.len() <= limit as usize);
        let Some((last, _)) = found.last() else { return all };
        after = Some(last.clone());
        all.extend(found.into_iter().map(|(_, record)| record));
    }
}

/// The same without what every store counts for itself.
async fn carried(store: &Store) -> Vec<Record> {
    let mut all = all_of(store, 1000).await;
    for record in &mut all {
        if let Record::Revocation(position, _) = record {
            *position = 0;
        }
    }
    all
}

async fn carry(from: &Store, to: &Store, after: Option<RecordKey>) -> Result<usize, StorageError> {
    let mut count = 0;
    copy(from, to, after, Ok::<_, StorageError>, |_, some| count += some).await.map(|()| count)
}

/// A file that is nobody's yet.
async fn file() -> (TempDir, SqliteUsers) {
    let folder = tempfile::tempdir().unwrap();
    let clock: SharedClock = std::sync::Arc::new(ManualClock::at(start()));
    let store = SqliteUsers::open(&Options::new(folder.path().join("copy.db")), &clock, &|_| ()).await;
    (folder, store.unwrap())
}

fn invitation(number: u64, purpose: Purpose) -> OneTime {
    OneTime {
        hash: hash(number),
        purpose,
        user: None,
        payload: Some(vec![1, 2, 3]),
        only: false,
        at: start(),
        expires_at: at(3600),
    }
}

fn trade(world: &World, presented: u64) -> Rotate {
    Rotate {
        presented: hash(presented),
        successor: hash(presented + 500),
        salt: hash(1_000_000),
        grace: SignedDuration::ZERO,
        lifetime: SignedDuration::from_hours(1),
        longest: SignedDuration::from_hours(2),
        address: None,
        network: None,
        at: at(100),
        reuse: world.entry(Action::Reuse),
    }
}

/// Somebody with everything, an administrator, and one who is forgotten.
async fn inhabited(world: &World) -> Account {
    let put = world.store.put_role(guest(), at(1), world.entry(Action::DefineRole)).await.unwrap();
    assert_eq!(put, RoleChange::Done);
    world.administrator("root").await;
    let ada = who_uses_everything(world).await;
    let eve = world.somebody("eve").await;
    assert!(matches!(world.store.erase_account(world.erasure(eve.id)).await.unwrap(), Changed::Done(_)));
    let bob = world.somebody("bob").await;
    let ended = world.open(world.session(&bob, 50)).await;
    let trail = world.entry(Action::Logout).on(bob.id, None);
    let end = EndSessions { user: bob.id, which: Which::One(ended.id), at: at(1), trail };
    assert_eq!(world.store.end_sessions(end).await.unwrap(), 1);
    world.changed(bob.id, Change::Role("guest".to_owned()), Action::SetRole).await;
    for (number, purpose) in [(60, Purpose::Invite), (61, Purpose::UsePasskey)] {
        world.store.issue(invitation(number, purpose)).await.unwrap();
    }
    for (kid, active) in [("a", 0), ("b", 1000)] {
        let (seed, public) = (vec![1, 2], vec![3; 32]);
        let key = SigningKey { kid: kid.to_owned(), seed, public, active_at: at(active), expires_at: None };
        let trail = world.entry(Action::RotateSigningKey);
        let new = NewSigningKey { key, first: false, others_expire_at: at(active + 100), at: start(), trail };
        world.store.add_signing_key(new).await.unwrap();
    }
    ada
}

pub(crate) async fn all_of_it_is_carried_to_another_store_and_nothing_twice(world: &World) {
    inhabited(world).await;
    let here = carried(&*world.store).await;
    assert_eq!(all_of(&*world.store, 1).await.len(), here.len(), "one at a time as well");
    assert_eq!(world.store.entries().await.unwrap(), here.len() as u64);
    assert_eq!(world.store.lasting().await.unwrap(), 4);
    let there = world.another().await;
    let (_folder, file) = file().await;
    for _ in 0..2 {
        assert_eq!(carry(&*world.store, &file, None).await.unwrap(), here.len());
        assert_eq!(carried(&file).await, here);
        assert_eq!(carry(&file, &*there.store, None).await.unwrap(), here.len());
        assert_eq!(carried(&*there.store).await, here);
        assert_eq!(there.store.entries().await.unwrap(), here.len() as u64);
        assert_eq!(there.store.lasting().await.unwrap(), 4);
    }
    assert_eq!(there.trail().await, world.trail().await);
    file.close().await;
    there.close().await;
}

pub(crate) async fn a_copy_that_was_cut_short_goes_on_where_it_was(world: &World) {
    inhabited(world).await;
    let here = carried(&*world.store).await;
    let all = all_of(&*world.store, 1000).await;
    for reached in (0..all.len()).step_by(3) {
        let there = world.another().await;
        there.store.import(all[..=reached].to_vec()).await.unwrap();
        let rest = carry(&*world.store, &*there.store, Some(all[reached].key())).await.unwrap();
        assert_eq!(rest, all.len() - reached - 1);
        // What was carried and not noted is carried again.
        let before = reached.checked_sub(1).map(|before| all[before].key());
        carry(&*world.store, &*there.store, before).await.unwrap();
        assert_eq!(carried(&*there.store).await, here);
        there.close().await;
    }
}

pub(crate) async fn what_was_carried_works_as_it_did(world: &World) {
    let ada = inhabited(world).await;
    let there = world.another().await;
    carry(&*world.store, &*there.store, None).await.unwrap();
    let store = &there.store;

    let (mine, theirs) = (world.store.login(ada.id).await.unwrap(), store.login(ada.id).await.unwrap());
    let (mine, theirs) = (mine.unwrap(), theirs.unwrap());
    assert_eq!(
        (&theirs.account, &theirs.password, &theirs.totp),
        (&mine.account, &mine.password, &mine.totp)
    );
    assert_eq!((theirs.account.version, theirs.account.epoch), (mine.account.version, mine.account.epoch));
    assert!(store.by_email(&ada.address().unwrap()).await.unwrap().is_some());
    assert_eq!(store.by_key(&hash(20), at(1)).await.unwrap().unwrap().user_id, ada.id);
    assert!(!store.use_totp_step(ada.id, 1).await.unwrap(), "it was used there");
    assert!(store.use_totp_step(ada.id, 2).await.unwrap());
    assert!(store.use_recovery_code(ada.id, &hash(30), at(1)).await.unwrap());
    assert!(!store.use_recovery_code(ada.id, &hash(30), at(1)).await.unwrap());
    assert_eq!(store.passkeys(ada.id).await.unwrap(), world.store.passkeys(ada.id).await.unwrap());
    let redeemed = store.redeem(Purpose::Reset, &hash(40), at(1)).await.unwrap().unwrap();
    assert_eq!(redeemed.user, Some(ada.id));
    let invited = store.redeem(Purpose::Invite, &hash(60), at(1)).await.unwrap().unwrap();
    assert_eq!((invited.user, invited.payload), (None, Some(vec![1, 2, 3])));
    assert_eq!(store.redeem(Purpose::UsePasskey, &hash(61), at(1)).await.unwrap(), None);
    assert!(matches!(store.rotate(trade(world, 3)).await.unwrap(), Rotation::Next { .. }));
    assert!(matches!(store.rotate(trade(world, 1)).await.unwrap(), Rotation::Reused), "a token of long ago");
    assert!(
        matches!(store.rotate(trade(world, 50)).await.unwrap(), Rotation::Unknown),
        "its session is over"
    );

    let (mine, theirs) = (world.revoked_after(0).await, there.revoked_after(0).await);
    assert_eq!(theirs[..mine.len()], mine, "and the stolen session after them");
    let root = store.accounts(super::listing::everybody()).await.unwrap().accounts;
    let root = root.iter().find(|account| account.role == ADMIN).unwrap();
    let demoted = world.change(root.id, Change::Role(STUDENT.to_owned()), Action::SetRole);
    assert_eq!(store.change_account(demoted).await.unwrap(), Changed::LastAdmin);
    let removed = store.remove_role("guest", world.entry(Action::RemoveRole)).await.unwrap();
    assert_eq!(removed, RoleChange::InUse);
    let due = store.due_erasures(at(60), 10).await.unwrap();
    let [DueErasure { user, passes: 0 }] = due[..] else { panic!("one erasure: {due:?}") };
    assert!(store.account(user, &super::super::Within::Everyone).await.unwrap().is_none());
    assert_eq!(store.signing_keys(at(1)).await.unwrap(), world.store.signing_keys(at(1)).await.unwrap());
    assert!(store.has_had_keys().await.unwrap(), "so no first key is made");
    there.close().await;
}

pub(crate) async fn what_ended_there_since_does_not_come_back(world: &World) {
    let ada = inhabited(world).await;
    let bob = world.somebody("bobby").await;
    let carol = world.somebody("carol").await;
    let kept = world.open(world.session(&carol, 70)).await;
    let there = world.another().await;
    carry(&*world.store, &*there.store, None).await.unwrap();
    let store = &there.store;

    assert!(matches!(store.erase_account(world.erasure(bob.id)).await.unwrap(), Changed::Done(_)));
    let key = store.by_key(&hash(20), at(1)).await.unwrap().unwrap();
    let crate::kit::auth::Presented::Key(id) = key.credential else { panic!("a key") };
    let revoke = RevokeKey { user: ada.id, id, at: at(1), trail: world.entry(Action::RevokeKey) };
    assert!(store.revoke_key(revoke).await.unwrap());
    let passkey = store.passkeys(ada.id).await.unwrap().remove(0).id;
    let remove = RemovePasskey { id: passkey, user: ada.id, trail: world.entry(Action::RemovePasskey) };
    store.remove_passkey(remove).await.unwrap();
    store.redeem(Purpose::Reset, &hash(40), at(1)).await.unwrap().unwrap();
    let password = Change::Password { hash: "$argon2id$another".to_owned(), keep: None };
    let changed = store.change_account(world.change(carol.id, password, Action::ChangePassword)).await;
    let Changed::Done(changed) = changed.unwrap() else { panic!("changed") };
    world.store.add_key(keys::key(world, bob.id, 90)).await.unwrap();
    let late = world.open(world.session(&carol, 80)).await;

    carry(&*world.store, &*there.store, None).await.unwrap();
    assert!(there.now_is(bob.id).await.is_none());
    assert!(store.by_key(&hash(90), at(1)).await.unwrap().is_none());
    assert!(store.by_key(&hash(20), at(1)).await.unwrap().is_none());
    assert!(store.passkeys(ada.id).await.unwrap().is_empty());
    assert_eq!(store.redeem(Purpose::Reset, &hash(40), at(1)).await.unwrap(), None);
    assert_eq!(there.now_is(carol.id).await.unwrap(), *changed);
    assert!(store.sessions(carol.id, at(2)).await.unwrap().is_empty(), "{} and {}", kept.id, late.id);
    assert_eq!(store.refreshed_by(&hash(80)).await.unwrap(), None, "of an earlier epoch");
    there.close().await;
}

pub(crate) async fn an_address_that_another_account_has_there_is_refused_by_name(world: &World) {
    let ada = inhabited(world).await;
    let bob = world.somebody("Bertha").await;
    let there = world.another().await;
    let other = there.somebody("bertha").await;
    let before = carried(&*there.store).await;
    let refused = carry(&*world.store, &*there.store, None).await.unwrap_err();
    assert!(matches!(refused, StorageError::Taken { .. }), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains("Bertha@example.org") && message.contains("another account"), "{message}");
    assert!(there.now_is(bob.id).await.is_none());
    assert_eq!(there.now_is(other.id).await.unwrap(), other);
    assert!(there.now_is(ada.id).await.is_none(), "those beside it wait, too");
    assert!(carried(&*there.store).await.len() >= before.len());

    assert!(matches!(there.store.erase_account(there.erasure(other.id)).await.unwrap(), Changed::Done(_)));
    carry(&*world.store, &*there.store, None).await.unwrap();
    assert_eq!(there.now_is(bob.id).await.unwrap(), bob);
    assert_eq!(there.now_is(ada.id).await.unwrap().status, Status::Active);
    there.close().await;
}

pub(crate) async fn a_role_that_means_something_else_there_is_refused_by_name(world: &World) {
    inhabited(world).await;
    let there = world.another().await;
    let wider = Role { permissions: [Scope::UsersAdmin].into(), ..guest() };
    there.store.put_role(wider.clone(), at(1), there.entry(Action::DefineRole)).await.unwrap();
    let refused = carry(&*world.store, &*there.store, None).await.unwrap_err();
    assert!(refused.to_string().contains("role `guest`"), "{refused}");
    let same = Role { description: "As they say here".to_owned(), ..guest() };
    there.store.put_role(same.clone(), at(2), there.entry(Action::DefineRole)).await.unwrap();
    carry(&*world.store, &*there.store, None).await.unwrap();
    assert!(there.store.roles().await.unwrap().contains(&same), "what is there stays");
    there.close().await;
}
