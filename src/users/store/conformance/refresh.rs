//! Refresh tokens: traded, forgiven, stolen.

use jiff::SignedDuration;

use super::stage::{World, at, at_once, hash, start};
use crate::users::account::Status;
use crate::users::audit::Action;
use crate::users::store::{Change, EndSessions, Rotate, Rotation, Which};

/// A trade of the token `presented` for `successor`, so many seconds after the start.
fn trade(world: &World, presented: u64, successor: u64, seconds: i64) -> Rotate {
    Rotate {
        presented: hash(presented),
        successor: hash(successor),
        salt: hash(successor + 1_000_000),
        grace: SignedDuration::from_secs(30),
        lifetime: SignedDuration::from_secs(3600),
        longest: SignedDuration::from_secs(7200),
        address: Some("198.51.100.3".to_owned()),
        network: Some("198.51.100.0/24".to_owned()),
        at: at(seconds),
        reuse: world.entry(Action::Reuse),
    }
}

async fn traded(world: &World, presented: u64, successor: u64, seconds: i64) -> Rotation {
    world.store.rotate(trade(world, presented, successor, seconds)).await.unwrap()
}

pub(crate) async fn a_refresh_keeps_the_session_going_but_not_for_ever(world: &World) {
    let ada = world.somebody("ada").await;
    let opened = world.open(world.session(&ada, 1)).await;
    let Rotation::Next { session, account } = traded(world, 1, 2, 600).await else {
        panic!("the current token is good")
    };
    assert_eq!((session, account.id, account.epoch), (opened.id, ada.id, ada.epoch));
    let session = &world.store.sessions(ada.id, at(600)).await.unwrap()[0];
    assert_eq!((session.created_at, session.last_seen_at), (start(), at(600)));
    assert_eq!(session.expires_at, at(4200), "an hour from now");
    assert_eq!(session.address.as_deref(), Some("198.51.100.3"));
    assert_eq!(world.now_is(ada.id).await.unwrap().last_active, Some(at(600)));
    assert!(world.store.knows_network(ada.id, "198.51.100.0/24", at(600)).await.unwrap());

    let from_nowhere = Rotate { address: None, network: None, ..trade(world, 2, 3, 4000) };
    assert!(matches!(world.store.rotate(from_nowhere).await.unwrap(), Rotation::Next { .. }));
    let session = &world.store.sessions(ada.id, at(4000)).await.unwrap()[0];
    assert_eq!(session.expires_at, at(7200), "two hours from its beginning");
    assert_eq!(session.address.as_deref(), Some("198.51.100.3"));
    assert!(matches!(traded(world, 3, 4, 7199).await, Rotation::Next { .. }));
    assert!(matches!(traded(world, 4, 5, 7200).await, Rotation::Unknown));
    assert!(matches!(traded(world, 99, 100, 700).await, Rotation::Unknown));
}

pub(crate) async fn of_two_hundred_refreshes_at_once_all_get_the_one_successor(world: &World) {
    let ada = world.somebody("ada").await;
    world.open(world.session(&ada, 1)).await;
    let outcomes = at_once(200, |number| {
        let trade = trade(world, 1, 1000 + number as u64, 600);
        let (salt, store) = (trade.salt, world.shared());
        async move { (salt, store.rotate(trade).await.unwrap()) }
    })
    .await;
    let first: Vec<_> = outcomes
        .iter()
        .filter_map(|(salt, outcome)| matches!(outcome, Rotation::Next { .. }).then_some(*salt))
        .collect();
    assert_eq!(first.len(), 1, "one family lives");
    for (_, outcome) in &outcomes {
        match outcome {
            Rotation::Next { .. } => {}
            Rotation::Again { salt, .. } => assert_eq!(*salt, first[0]),
            other => panic!("somebody was logged out: {other:?}"),
        }
    }
    assert_eq!(world.store.sessions(ada.id, at(601)).await.unwrap().len(), 1);
    assert!(world.revoked_after(0).await.is_empty());
}

pub(crate) async fn a_lost_reply_is_forgiven_for_a_while(world: &World) {
    let ada = world.somebody("ada").await;
    let opened = world.open(world.session(&ada, 1)).await;
    assert!(matches!(traded(world, 1, 2, 600).await, Rotation::Next { .. }));
    for seconds in [600, 630] {
        let Rotation::Again { session, account, salt } = traded(world, 1, 77, seconds).await else {
            panic!("within the grace")
        };
        assert_eq!((session, account.id, salt), (opened.id, ada.id, hash(1_000_002)));
    }
    assert!(matches!(traded(world, 2, 3, 640).await, Rotation::Next { .. }), "and its successor is good");

    world.open(world.session(&ada, 11)).await;
    assert!(matches!(traded(world, 11, 12, 600).await, Rotation::Next { .. }));
    assert!(matches!(traded(world, 11, 13, 631).await, Rotation::Reused), "too late");
}

pub(crate) async fn a_used_token_that_comes_back_ends_its_session_alone(world: &World) {
    let ada = world.somebody("ada").await;
    let stolen = world.open(world.session(&ada, 1)).await;
    let other = world.open(world.session(&ada, 21)).await;
    for (presented, seconds) in [(1, 600), (2, 601), (3, 602)] {
        assert!(matches!(traded(world, presented, presented + 1, seconds).await, Rotation::Next { .. }));
    }
    let trail = world.trail_is().await;
    // The successor of the second was used, and the first is older still: no grace for either.
    assert!(matches!(traded(world, 1, 9, 603).await, Rotation::Reused));
    assert!(matches!(traded(world, 4, 5, 604).await, Rotation::Unknown), "whoever has the current one");
    assert!(matches!(traded(world, 1, 9, 605).await, Rotation::Unknown));
    let told = world.trail().await;
    assert_eq!(told.len(), trail + 1);
    let told = told.iter().find(|entry| entry.action == Action::Reuse).unwrap();
    assert_eq!(told.target, Some(ada.id));
    assert_eq!(told.detail["session"], stolen.id.to_string());
    assert_eq!(world.revoked_after(0).await, [(stolen.id.uuid(), None)]);
    let left = world.store.sessions(ada.id, at(606)).await.unwrap();
    assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), [other.id]);
}

pub(crate) async fn a_token_of_a_session_that_is_over_is_unknown(world: &World) {
    let ada = world.somebody("ada").await;
    let ended = world.open(world.session(&ada, 1)).await;
    world.open(world.session(&ada, 11)).await;
    let trail = world.entry(Action::Logout).on(ada.id, None);
    let end = EndSessions { user: ada.id, which: Which::One(ended.id), at: at(10), trail };
    world.store.end_sessions(end).await.unwrap();
    assert!(matches!(traded(world, 1, 2, 11).await, Rotation::Unknown));
    assert!(matches!(traded(world, 11, 12, 3600).await, Rotation::Unknown), "expired");
}

pub(crate) async fn an_account_that_is_put_aside_does_not_refresh(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    world.open(world.session(&ada, 1)).await;
    world.open(world.session(&bob, 11)).await;
    world.changed(ada.id, Change::Status(Status::Suspended), Action::SetStatus).await;
    world.store.erase_account(world.erasure(bob.id)).await.unwrap();
    for presented in [1, 11] {
        assert!(matches!(traded(world, presented, 99, 100).await, Rotation::Unknown));
    }
    world.changed(ada.id, Change::Status(Status::Active), Action::SetStatus).await;
    assert!(matches!(traded(world, 1, 99, 100).await, Rotation::Unknown), "nor when it is back");
}

pub(crate) async fn a_refresh_token_tells_its_session_whatever_became_of_it(world: &World) {
    let ada = world.somebody("ada").await;
    let session = world.open(world.session(&ada, 1)).await.id;
    assert!(matches!(traded(world, 1, 2, 600).await, Rotation::Next { .. }));
    let trail = world.entry(Action::Logout).on(ada.id, None);
    let end = EndSessions { user: ada.id, which: Which::One(session), at: at(700), trail };
    for ended in [false, true] {
        for token in [1, 2] {
            let found = world.store.refreshed_by(&hash(token)).await.unwrap();
            assert_eq!(found, Some(session), "token {token}, ended: {ended}");
        }
        world.store.end_sessions(end.clone()).await.unwrap();
    }
    assert_eq!(world.store.refreshed_by(&hash(3)).await.unwrap(), None);
}
