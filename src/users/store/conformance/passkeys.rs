//! Passkeys.

use super::stage::{World, at, at_once};
use crate::kit::ids::{PasskeyId, UserId};
use crate::users::account::Account;
use crate::users::audit::Action;
use crate::users::store::{
    AddedPasskey, NewAccount, NewPasskey, RemovePasskey, RemovedPasskey, StoredPasskey, UsedPasskey,
};

fn passkey(world: &World, user: UserId, number: u8) -> NewPasskey {
    NewPasskey {
        id: world.id(),
        credential_id: vec![number; 20],
        user,
        name: format!("passkey {number}"),
        credential: format!("{{\"number\":{number}}}"),
        most: 3,
        at: at(number.into()),
        trail: world.entry(Action::AddPasskey).on(user, None),
    }
}

async fn added(world: &World, user: UserId, number: u8) -> NewPasskey {
    let new = passkey(world, user, number);
    assert_eq!(world.store.add_passkey(new.clone()).await.unwrap(), AddedPasskey::Done);
    new
}

fn remove(world: &World, user: UserId, id: PasskeyId) -> RemovePasskey {
    RemovePasskey { id, user, trail: world.entry(Action::RemovePasskey).on(user, None) }
}

/// Somebody who has no password.
async fn without_password(world: &World) -> Account {
    world.add(NewAccount { password: None, ..world.student("ada") }).await
}

pub(crate) async fn a_passkey_reads_back_and_is_known_once(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    let (first, second) = (added(world, ada.id, 1).await, added(world, ada.id, 2).await);
    let stored = |new: &NewPasskey| StoredPasskey {
        id: new.id,
        credential_id: new.credential_id.clone(),
        user: new.user,
        name: new.name.clone(),
        credential: new.credential.clone(),
        created_at: new.at,
        last_used_at: None,
    };
    assert_eq!(world.store.passkeys(ada.id).await.unwrap(), [stored(&first), stored(&second)]);
    assert_eq!(world.store.passkey(&[1; 20]).await.unwrap(), Some(stored(&first)));
    assert_eq!(world.store.passkey(&[9; 20]).await.unwrap(), None);
    let trail = world.trail_is().await;
    for who in [ada.id, bob.id] {
        let again = passkey(world, who, 1);
        assert_eq!(world.store.add_passkey(again).await.unwrap(), AddedPasskey::Known);
    }
    assert_eq!(world.trail_is().await, trail);
    assert!(world.store.passkeys(bob.id).await.unwrap().is_empty());
}

pub(crate) async fn there_are_no_more_passkeys_than_one_may_have(world: &World) {
    let ada = world.somebody("ada").await;
    let outcomes = at_once(8, |number| {
        let new = passkey(world, ada.id, u8::try_from(number).unwrap());
        let store = world.shared();
        async move { store.add_passkey(new).await.unwrap() }
    });
    let done = outcomes.await.into_iter().filter(|outcome| *outcome == AddedPasskey::Done).count();
    assert_eq!(done, 3);
    assert_eq!(world.store.passkeys(ada.id).await.unwrap().len(), 3);
    let late = passkey(world, ada.id, 99);
    assert_eq!(world.store.add_passkey(late).await.unwrap(), AddedPasskey::TooMany);
}

pub(crate) async fn the_counter_of_a_passkey_only_grows(world: &World) {
    let ada = world.somebody("ada").await;
    let (counts, does_not) = (added(world, ada.id, 1).await, added(world, ada.id, 2).await);
    let used =
        |id, counter| UsedPasskey { id, credential: format!("{{\"at\":{counter}}}"), counter, at: at(50) };
    let cases = [
        (counts.id, 0, true),
        (counts.id, 5, true),
        (counts.id, 5, false),
        (counts.id, 4, false),
        (counts.id, 0, false),
        (counts.id, u32::MAX, true),
        (does_not.id, 0, true),
        (does_not.id, 0, true),
        (world.id(), 1, false),
    ];
    for (id, counter, good) in cases {
        assert_eq!(world.store.use_passkey(used(id, counter)).await.unwrap(), good, "{id} {counter}");
    }
    let now = world.store.passkey(&counts.credential_id).await.unwrap().unwrap();
    assert_eq!((now.credential.as_str(), now.last_used_at), ("{\"at\":4294967295}", Some(at(50))));
    let twice = at_once(16, |_| {
        let (store, used) = (world.shared(), used(does_not.id, 7));
        async move { store.use_passkey(used).await.unwrap() }
    });
    assert_eq!(twice.await.into_iter().filter(|good| *good).count(), 1);
}

pub(crate) async fn the_last_way_in_is_not_removed(world: &World) {
    let (ada, bob) = (without_password(world).await, world.somebody("bob").await);
    let (first, second) = (added(world, ada.id, 1).await, added(world, ada.id, 2).await);
    let bobs = added(world, bob.id, 3).await;
    let trail = world.trail_is().await;
    let removed = async |user, id| world.store.remove_passkey(remove(world, user, id)).await.unwrap();
    assert_eq!(removed(bob.id, first.id).await, RemovedPasskey::Missing, "it is hers");
    assert_eq!(removed(ada.id, first.id).await, RemovedPasskey::Done);
    assert_eq!(removed(ada.id, first.id).await, RemovedPasskey::Missing);
    assert_eq!(removed(ada.id, second.id).await, RemovedPasskey::LastWayIn);
    assert_eq!(removed(bob.id, bobs.id).await, RemovedPasskey::Done, "he has a password");
    assert_eq!(world.trail_is().await, trail + 2);
    assert_eq!(world.store.passkeys(ada.id).await.unwrap().len(), 1);
}

pub(crate) async fn of_two_last_passkeys_removed_at_once_one_stays(world: &World) {
    let ada = without_password(world).await;
    let both = [added(world, ada.id, 1).await.id, added(world, ada.id, 2).await.id];
    let outcomes = at_once(2, |number| {
        let (store, remove) = (world.shared(), remove(world, ada.id, both[number]));
        async move { store.remove_passkey(remove).await.unwrap() }
    });
    let outcomes = outcomes.await;
    assert!(outcomes.contains(&RemovedPasskey::Done), "{outcomes:?}");
    assert!(outcomes.contains(&RemovedPasskey::LastWayIn), "{outcomes:?}");
}
