//! API keys.

use super::stage::{World, at, at_once, hash, page, start};
use crate::kit::auth::{Presented, Scope};
use crate::kit::http::page::Page;
use crate::kit::ids::UserId;
use crate::users::account::Status;
use crate::users::audit::Action;
use crate::users::identity::Identity;
use crate::users::roles::ADMIN;
use crate::users::store::{
    AddedKey, AddedPasskey, Change, FirstKey, KEYS_KEPT_FOR, Key, NewAccount, NewKey, NewPasskey, RevokeKey,
    Within,
};

pub(super) fn key(world: &World, user: UserId, number: u64) -> NewKey {
    NewKey {
        id: world.id(),
        user,
        name: format!("key {number}"),
        prefix: format!("vk_{number}"),
        hash: hash(number),
        scopes: None,
        at: start(),
        expires_at: None,
        most: 100,
        trail: world.entry(Action::CreateKey).on(user, None),
    }
}

fn revoke(world: &World, user: UserId, key: &NewKey) -> RevokeKey {
    RevokeKey { user, id: key.id, at: at(10), trail: world.entry(Action::RevokeKey).on(user, None) }
}

fn kept(key: &NewKey) -> Key {
    Key {
        id: key.id,
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        scopes: key.scopes.clone(),
        created_at: key.at,
        expires_at: key.expires_at,
        last_used_at: None,
        revoked_at: None,
    }
}

async fn added(world: &World, key: NewKey) -> AddedKey {
    world.store.add_key(key).await.unwrap()
}

/// All keys of an account, so many a page.
async fn all(world: &World, user: UserId, limit: u32) -> Vec<Key> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let found = world.store.keys(user, page(limit, after.as_deref())).await.unwrap();
        assert!(found.keys.len() <= limit as usize);
        all.extend(found.keys);
        let Some(next) = found.next else { return all };
        after = Some(next.to_string());
    }
}

async fn whose(world: &World, number: u64, seconds: i64) -> Option<Identity> {
    world.store.by_key(&hash(number), at(seconds)).await.unwrap()
}

pub(crate) async fn a_key_tells_whose_it_is_while_it_is_good(world: &World) {
    assert!(!world.store.has_had_keys().await.unwrap());
    let ada = world.add(world.pupil("ada", "North")).await;
    let scopes = Some([Scope::VoiceRead, Scope::VoiceProcess].into());
    let new = NewKey { scopes, expires_at: Some(at(60)), ..key(world, ada.id, 1) };
    assert_eq!(added(world, new.clone()).await, AddedKey::Done);
    assert!(world.store.has_had_keys().await.unwrap());
    let identity = Identity {
        user_id: ada.id,
        name: "ada".to_owned(),
        role: "student".to_owned(),
        institution: Some("North".to_owned()),
        epoch: ada.epoch,
        credential: Presented::Key(new.id),
        scopes: new.scopes,
        expires_at: Some(at(60)),
    };
    assert_eq!(whose(world, 1, 59).await, Some(identity));
    assert_eq!(whose(world, 1, 60).await, None, "it has expired");
    assert_eq!(whose(world, 2, 0).await, None);
}

pub(crate) async fn a_key_reads_back_and_keys_come_latest_first(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    let mut expected = Vec::new();
    for number in 0..5_i64 {
        let new = key(world, ada.id, u64::try_from(number).unwrap());
        let new = NewKey { at: at(number / 2), ..new };
        assert_eq!(added(world, new.clone()).await, AddedKey::Done);
        expected.push(kept(&new));
    }
    expected.reverse();
    assert_eq!(all(world, ada.id, 200).await, expected);
    assert!(all(world, bob.id, 200).await.is_empty());
    for limit in [1, 2, 3, 5] {
        assert_eq!(all(world, ada.id, limit).await, expected, "{limit} a page");
    }
    let skipped = world.store.keys(ada.id, Page::parse(Some(2), Some(1), None).unwrap()).await.unwrap();
    assert_eq!(skipped.keys, expected[1..3]);
    let third = &expected[2];
    assert_eq!(world.store.key(third.id).await.unwrap(), Some((ada.id, third.clone())));
    assert_eq!(world.store.key(world.id()).await.unwrap(), None);
}

pub(crate) async fn a_key_of_an_account_that_is_put_aside_is_not_good(world: &World) {
    let ada = world.somebody("ada").await;
    assert_eq!(added(world, key(world, ada.id, 1)).await, AddedKey::Done);
    world.changed(ada.id, Change::Status(Status::Suspended), Action::SetStatus).await;
    assert_eq!(whose(world, 1, 1).await, None);
    let back = world.changed(ada.id, Change::Status(Status::Active), Action::SetStatus).await;
    assert_eq!(whose(world, 1, 1).await.unwrap().epoch, back.epoch);
    world.store.erase_account(world.erasure(ada.id)).await.unwrap();
    assert_eq!(whose(world, 1, 1).await, None);
}

pub(crate) async fn a_key_is_revoked_once_and_by_its_owner_alone(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    let new = key(world, ada.id, 1);
    assert_eq!(added(world, new.clone()).await, AddedKey::Done);
    let trail = world.trail_is().await;
    assert!(!world.store.revoke_key(revoke(world, bob.id, &new)).await.unwrap());
    assert_eq!(world.trail_is().await, trail);
    assert!(world.store.revoke_key(revoke(world, ada.id, &new)).await.unwrap());
    assert!(!world.store.revoke_key(revoke(world, ada.id, &new)).await.unwrap());
    assert_eq!(world.trail_is().await, trail + 1);
    assert_eq!(world.revoked_after(0).await, [(new.id.uuid(), None)]);
    assert_eq!(whose(world, 1, 11).await, None);
    let revoked = Key { revoked_at: Some(at(10)), ..kept(&new) };
    assert_eq!(all(world, ada.id, 200).await, [revoked]);
}

pub(crate) async fn when_a_key_was_used_only_grows(world: &World) {
    let ada = world.somebody("ada").await;
    let new = key(world, ada.id, 1);
    assert_eq!(added(world, new.clone()).await, AddedKey::Done);
    world.store.touch_keys(vec![(new.id, at(20)), (world.id(), at(20))]).await.unwrap();
    world.store.touch_keys(vec![(new.id, at(10))]).await.unwrap();
    assert_eq!(all(world, ada.id, 200).await[0].last_used_at, Some(at(20)));
}

pub(crate) async fn one_key_is_made_of_one_id_though_asked_for_at_once(world: &World) {
    let ada = world.somebody("ada").await;
    let id = world.id();
    let outcomes = at_once(8, |number| {
        let new = NewKey { id, ..key(world, ada.id, number as u64) };
        let store = world.shared();
        async move { store.add_key(new).await.unwrap() }
    });
    let outcomes = outcomes.await;
    let (done, others): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|one| *one == AddedKey::Done);
    assert_eq!(done.len(), 1);
    assert!(others.iter().all(|one| *one == AddedKey::Known), "{others:?}");
    assert_eq!(all(world, ada.id, 200).await.len(), 1);
    assert_eq!(world.trail_is().await, 2, "the account and its key");
}

pub(crate) async fn there_are_no_more_good_keys_than_one_may_have(world: &World) {
    let ada = world.somebody("ada").await;
    let outcomes = at_once(8, |number| {
        let new = NewKey { most: 3, ..key(world, ada.id, number as u64) };
        let store = world.shared();
        async move { store.add_key(new).await.unwrap() }
    });
    let outcomes = outcomes.await;
    let (done, others): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|one| *one == AddedKey::Done);
    assert_eq!(done.len(), 3);
    assert!(others.iter().all(|one| *one == AddedKey::TooMany), "{others:?}");
    assert_eq!(all(world, ada.id, 200).await.len(), 3);

    // Those that are good no more do not count.
    let trail = world.entry(Action::RevokeKey).on(ada.id, None);
    let id = all(world, ada.id, 200).await[0].id;
    assert!(world.store.revoke_key(RevokeKey { user: ada.id, id, at: at(1), trail }).await.unwrap());
    let short = NewKey { most: 3, expires_at: Some(at(5)), ..key(world, ada.id, 50) };
    assert_eq!(added(world, short).await, AddedKey::Done);
    let later = NewKey { most: 3, at: at(5), ..key(world, ada.id, 51) };
    assert_eq!(added(world, later).await, AddedKey::Done);
    let more = NewKey { most: 3, at: at(5), ..key(world, ada.id, 52) };
    assert_eq!(added(world, more).await, AddedKey::TooMany);
}

pub(crate) async fn who_is_not_there_gets_no_key_and_no_passkey(world: &World) {
    let ada = world.somebody("ada").await;
    world.store.erase_account(world.erasure(ada.id)).await.unwrap();
    let trail = world.trail_is().await;
    assert_eq!(added(world, key(world, ada.id, 1)).await, AddedKey::NoAccount);
    let nobody = NewKey { user: world.id(), ..key(world, ada.id, 2) };
    assert_eq!(added(world, nobody).await, AddedKey::NoAccount);
    let passkey = NewPasskey {
        id: world.id(),
        credential_id: vec![1; 20],
        user: ada.id,
        name: "late".to_owned(),
        credential: "{}".to_owned(),
        most: 3,
        at: at(70),
        trail: world.entry(Action::AddPasskey),
    };
    assert_eq!(world.store.add_passkey(passkey).await.unwrap(), AddedPasskey::NoAccount);
    assert_eq!(world.trail_is().await, trail);
}

pub(crate) async fn keys_that_have_ended_are_forgotten_in_time(world: &World) {
    let ada = world.somebody("ada").await;
    let (good, ended) = (key(world, ada.id, 1), key(world, ada.id, 2));
    let revoked = key(world, ada.id, 3);
    let later = NewKey { expires_at: Some(at(20)), ..key(world, ada.id, 4) };
    for new in [good.clone(), NewKey { expires_at: Some(at(10)), ..ended }, revoked.clone(), later.clone()] {
        assert_eq!(added(world, new).await, AddedKey::Done);
    }
    assert!(world.store.revoke_key(revoke(world, ada.id, &revoked)).await.unwrap());
    let left = async || -> Vec<_> { all(world, ada.id, 200).await.into_iter().map(|key| key.id).collect() };
    world.store.prune(at(9) + KEYS_KEPT_FOR).await.unwrap();
    assert_eq!(left().await.len(), 4);
    assert!(world.store.prune(at(10) + KEYS_KEPT_FOR).await.unwrap() >= 2);
    assert_eq!(left().await, [later.id, good.id]);
}

pub(crate) async fn the_first_key_is_made_once_and_with_its_account(world: &World) {
    let first = |number: u64| {
        let account =
            NewAccount { email: None, password: None, role: ADMIN.to_owned(), ..world.student("owner") };
        FirstKey { key: key(world, account.id, number), account }
    };
    let made = at_once(8, |number| {
        let (store, first) = (world.shared(), first(number as u64));
        async move { store.add_first_key(first).await.unwrap() }
    });
    assert_eq!(made.await.into_iter().filter(|made| *made).count(), 1);
    assert_eq!(world.store.account_stats(&Within::Everyone).await.unwrap().total, 1);
    assert_eq!(world.trail_is().await, 2);

    // That all keys are forgotten is no beginning.
    let mut owner = None;
    for number in 0..8 {
        owner = owner.or(whose(world, number, 1).await);
    }
    let owner = owner.unwrap();
    let Presented::Key(id) = owner.credential else { panic!("a key") };
    let trail = world.entry(Action::RevokeKey).on(owner.user_id, None);
    let revoke = RevokeKey { user: owner.user_id, id, at: at(10), trail };
    assert!(world.store.revoke_key(revoke).await.unwrap());
    world.store.prune(at(10) + KEYS_KEPT_FOR).await.unwrap();
    assert!(all(world, owner.user_id, 200).await.is_empty());
    assert!(world.store.has_had_keys().await.unwrap());
    assert!(!world.store.add_first_key(first(20)).await.unwrap());
}
