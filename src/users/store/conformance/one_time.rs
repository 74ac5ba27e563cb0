//! Tokens that are good once.

use super::stage::{World, at, at_once, hash, start};
use crate::kit::ids::UserId;
use crate::users::store::{OneTime, Purpose, Redeemed};

fn token(number: u64, purpose: Purpose, user: Option<UserId>) -> OneTime {
    OneTime {
        hash: hash(number),
        purpose,
        user,
        payload: Some(vec![1, 2, 3]),
        only: false,
        at: start(),
        expires_at: at(60),
    }
}

async fn redeem(world: &World, purpose: Purpose, number: u64, seconds: i64) -> Option<Redeemed> {
    world.store.redeem(purpose, &hash(number), at(seconds)).await.unwrap()
}

pub(crate) async fn a_token_is_redeemed_once_for_its_purpose_before_its_end(world: &World) {
    let ada = world.somebody("ada").await;
    for (number, user) in [(1, Some(ada.id)), (2, None), (3, Some(ada.id))] {
        world.store.issue(token(number, Purpose::Reset, user)).await.unwrap();
    }
    assert_eq!(redeem(world, Purpose::Verify, 1, 1).await, None, "it is for something else");
    assert_eq!(redeem(world, Purpose::Reset, 9, 1).await, None);
    let good = |user| Some(Redeemed { user, payload: Some(vec![1, 2, 3]) });
    assert_eq!(redeem(world, Purpose::Reset, 1, 59).await, good(Some(ada.id)));
    assert_eq!(redeem(world, Purpose::Reset, 1, 59).await, None);
    assert_eq!(redeem(world, Purpose::Reset, 2, 59).await, good(None));
    assert_eq!(redeem(world, Purpose::Reset, 3, 60).await, None, "it has expired");
}

pub(crate) async fn of_many_who_redeem_one_token_at_once_one_has_it(world: &World) {
    world.store.issue(token(1, Purpose::Invite, None)).await.unwrap();
    let redeemed = at_once(32, |_| {
        let store = world.shared();
        async move { store.redeem(Purpose::Invite, &hash(1), at(1)).await.unwrap() }
    });
    assert_eq!(redeemed.await.into_iter().flatten().count(), 1);
}

pub(crate) async fn a_newer_token_takes_the_place_of_earlier_ones_of_its_kind_alone(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    let others = [
        token(1, Purpose::Reset, Some(ada.id)),
        token(2, Purpose::Verify, Some(ada.id)),
        token(3, Purpose::Reset, Some(bob.id)),
        token(4, Purpose::Reset, None),
    ];
    for other in others {
        world.store.issue(other).await.unwrap();
    }
    world.store.issue(OneTime { only: true, ..token(5, Purpose::Reset, None) }).await.unwrap();
    world.store.issue(OneTime { only: true, ..token(6, Purpose::Reset, Some(ada.id)) }).await.unwrap();
    assert_eq!(redeem(world, Purpose::Reset, 1, 1).await, None);
    for (number, purpose) in [
        (2, Purpose::Verify),
        (3, Purpose::Reset),
        (4, Purpose::Reset),
        (5, Purpose::Reset),
        (6, Purpose::Reset),
    ] {
        assert!(redeem(world, purpose, number, 1).await.is_some(), "{number}");
    }
}

pub(crate) async fn tries_at_a_token_are_counted_even_at_once(world: &World) {
    let ada = world.somebody("ada").await;
    world.store.issue(token(1, Purpose::SecondFactor, Some(ada.id))).await.unwrap();
    let tries = at_once(20, |_| {
        let store = world.shared();
        async move { store.attempt(Purpose::SecondFactor, &hash(1), 5, at(1)).await.unwrap() }
    });
    let good: Vec<_> = tries.await.into_iter().flatten().collect();
    assert_eq!(good.len(), 5);
    assert!(good.iter().all(|one| one.user == Some(ada.id) && one.payload == Some(vec![1, 2, 3])));
    assert!(redeem(world, Purpose::SecondFactor, 1, 2).await.is_some(), "a try leaves it there");

    world.store.issue(token(2, Purpose::SecondFactor, Some(ada.id))).await.unwrap();
    for (purpose, number, seconds) in
        [(Purpose::Reset, 2, 1), (Purpose::SecondFactor, 9, 1), (Purpose::SecondFactor, 2, 60)]
    {
        let tried = world.store.attempt(purpose, &hash(number), 5, at(seconds)).await.unwrap();
        assert_eq!(tried, None, "{purpose:?} {number} {seconds}");
    }
}
