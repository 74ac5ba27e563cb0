//! API keys.

use super::stage::{World, at, hash, start};
use crate::kit::auth::{Presented, Scope};
use crate::kit::ids::UserId;
use crate::users::account::{Account, Status};
use crate::users::audit::Action;
use crate::users::identity::Identity;
use crate::users::store::{Change, Key, NewKey, RevokeKey};

fn key(world: &World, account: &Account, number: u64) -> NewKey {
    NewKey {
        id: world.id(),
        user: account.id,
        name: format!("key {number}"),
        prefix: format!("vk_{number}"),
        hash: hash(number),
        scopes: None,
        at: start(),
        expires_at: None,
        trail: world.entry(Action::CreateKey).on(account.id, None),
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

async fn whose(world: &World, number: u64, seconds: i64) -> Option<Identity> {
    world.store.by_key(&hash(number), at(seconds)).await.unwrap()
}

pub(crate) async fn a_key_tells_whose_it_is_while_it_is_good(world: &World) {
    assert!(!world.store.has_keys().await.unwrap());
    let ada = world.add(world.pupil("ada", "North")).await;
    let scopes = Some([Scope::VoiceRead, Scope::VoiceProcess].into());
    let new = NewKey { scopes, expires_at: Some(at(60)), ..key(world, &ada, 1) };
    world.store.add_key(new.clone()).await.unwrap();
    assert!(world.store.has_keys().await.unwrap());
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
        let new = key(world, &ada, u64::try_from(number).unwrap());
        let new = NewKey { at: at(number / 2), ..new };
        world.store.add_key(new.clone()).await.unwrap();
        expected.push(kept(&new));
    }
    expected.reverse();
    assert_eq!(world.store.keys(ada.id).await.unwrap(), expected);
    assert!(world.store.keys(bob.id).await.unwrap().is_empty());
}

pub(crate) async fn a_key_of_an_account_that_is_put_aside_is_not_good(world: &World) {
    let ada = world.somebody("ada").await;
    world.store.add_key(key(world, &ada, 1)).await.unwrap();
    world.changed(ada.id, Change::Status(Status::Suspended), Action::SetStatus).await;
    assert_eq!(whose(world, 1, 1).await, None);
    let back = world.changed(ada.id, Change::Status(Status::Active), Action::SetStatus).await;
    assert_eq!(whose(world, 1, 1).await.unwrap().epoch, back.epoch);
    world.store.erase_account(world.erasure(ada.id)).await.unwrap();
    assert_eq!(whose(world, 1, 1).await, None);
}

pub(crate) async fn a_key_is_revoked_once_and_by_its_owner_alone(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    let new = key(world, &ada, 1);
    world.store.add_key(new.clone()).await.unwrap();
    let trail = world.trail_is().await;
    assert!(!world.store.revoke_key(revoke(world, bob.id, &new)).await.unwrap());
    assert_eq!(world.trail_is().await, trail);
    assert!(world.store.revoke_key(revoke(world, ada.id, &new)).await.unwrap());
    assert!(!world.store.revoke_key(revoke(world, ada.id, &new)).await.unwrap());
    assert_eq!(world.trail_is().await, trail + 1);
    assert_eq!(world.revoked_after(0).await, [(new.id.uuid(), None)]);
    assert_eq!(whose(world, 1, 11).await, None);
    let revoked = Key { revoked_at: Some(at(10)), ..kept(&new) };
    assert_eq!(world.store.keys(ada.id).await.unwrap(), [revoked]);
}

pub(crate) async fn when_a_key_was_used_only_grows(world: &World) {
    let ada = world.somebody("ada").await;
    let new = key(world, &ada, 1);
    world.store.add_key(new.clone()).await.unwrap();
    world.store.touch_keys(vec![(new.id, at(20)), (world.id(), at(20))]).await.unwrap();
    world.store.touch_keys(vec![(new.id, at(10))]).await.unwrap();
    assert_eq!(world.store.keys(ada.id).await.unwrap()[0].last_used_at, Some(at(20)));
}
