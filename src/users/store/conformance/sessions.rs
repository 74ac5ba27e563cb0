//! Sessions: opened, listed, ended, forgotten.

use super::stage::{World, at, hash, start};
use crate::kit::ids::UserId;
use crate::users::account::{Account, Status};
use crate::users::audit::{Action, Entry};
use crate::users::store::{
    Change, EndSessions, NETWORKS_KNOWN_FOR, NewSession, OneTime, Purpose, Session, Which,
};

fn end(world: &World, user: UserId, which: Which) -> EndSessions {
    EndSessions { user, which, at: at(10), trail: world.entry(Action::Logout).on(user, None) }
}

async fn listed(world: &World, account: &Account) -> Vec<Session> {
    world.store.sessions(account.id, at(11)).await.unwrap()
}

pub(crate) async fn a_session_reads_back_as_it_was_opened(world: &World) {
    let ada = world.somebody("ada").await;
    let new = world.open(world.session(&ada, 1)).await;
    let session = Session {
        id: new.id,
        device: new.device,
        address: new.address,
        method: new.method,
        created_at: start(),
        last_seen_at: start(),
        expires_at: at(3600),
    };
    assert_eq!(listed(world, &ada).await, [session]);
    assert_eq!(world.now_is(ada.id).await.unwrap().last_active, Some(start()));
    let bare = NewSession { device: None, address: None, network: None, ..world.session(&ada, 2) };
    world.open(NewSession { at: at(1), ..bare }).await;
    let bare = &listed(world, &ada).await[0];
    assert_eq!((&bare.device, &bare.address), (&None, &None));
}

pub(crate) async fn who_has_changed_since_being_checked_gets_no_session(world: &World) {
    let ada = world.somebody("ada").await;
    let stale = world.session(&ada, 1);
    let password = Change::Password { hash: "$argon2id$new".to_owned(), keep: None };
    let ada = world.changed(ada.id, password, Action::ResetPassword).await;
    let trail = world.trail_is().await;
    assert!(!world.store.open_session(stale).await.unwrap(), "checked against the old password");
    let nobody = NewSession { user: world.id(), ..world.session(&ada, 2) };
    assert!(!world.store.open_session(nobody).await.unwrap());
    assert_eq!(world.trail_is().await, trail);

    let aside = world.changed(ada.id, Change::Status(Status::Inactive), Action::SetStatus).await;
    assert!(!world.store.open_session(world.session(&aside, 3)).await.unwrap());
    let bob = world.somebody("bob").await;
    world.store.erase_account(world.erasure(bob.id)).await.unwrap();
    let after = NewSession { epoch: bob.epoch + 1, ..world.session(&bob, 4) };
    assert!(!world.store.open_session(after).await.unwrap());
}

pub(crate) async fn sessions_are_listed_latest_first_while_they_last(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    let mut ids = Vec::new();
    for number in 0..3_i64 {
        let new = world.session(&ada, u64::try_from(number).unwrap());
        ids.push(world.open(NewSession { at: at(number), expires_at: at(10 + number), ..new }).await.id);
    }
    world.open(world.session(&bob, 9)).await;
    let seen = async |now| -> Vec<_> {
        world.store.sessions(ada.id, at(now)).await.unwrap().into_iter().map(|one| one.id).collect()
    };
    assert_eq!(seen(9).await, [ids[2], ids[1], ids[0]]);
    assert_eq!(seen(10).await, [ids[2], ids[1]]);
    assert!(seen(12).await.is_empty());
}

pub(crate) async fn sessions_end_one_by_one_all_but_one_or_all(world: &World) {
    let ada = world.somebody("ada").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(world.open(world.session(&ada, number)).await.id);
    }
    let left = async || -> Vec<_> {
        let mut left: Vec<_> = listed(world, &ada).await.into_iter().map(|one| one.id).collect();
        left.sort();
        left
    };
    let ends = async |which| world.store.end_sessions(end(world, ada.id, which)).await.unwrap();
    assert_eq!(ends(Which::One(ids[0])).await, 1);
    assert_eq!(left().await, ids[1..]);
    assert_eq!(ends(Which::Others(ids[1])).await, 3);
    assert_eq!(left().await, [ids[1]]);
    assert_eq!(ends(Which::All).await, 1);
    assert!(left().await.is_empty());

    let trail = world.trail_is().await;
    for which in [Which::All, Which::One(ids[0]), Which::Others(ids[0])] {
        assert_eq!(ends(which).await, 0);
    }
    assert_eq!(world.trail_is().await, trail, "where nothing ended there is nothing to tell");
    let told: Vec<Entry> =
        world.trail().await.into_iter().filter(|entry| entry.action == Action::Logout).collect();
    let mut counts: Vec<_> = told.iter().map(|entry| entry.detail["sessions"].as_u64().unwrap()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 3]);
    let mut revoked: Vec<_> = world.revoked_after(0).await.into_iter().map(|(subject, _)| subject).collect();
    revoked.sort();
    assert_eq!(revoked, ids.iter().map(|id| id.uuid()).collect::<Vec<_>>());
}

pub(crate) async fn another_persons_session_is_not_ended(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    let session = world.open(world.session(&ada, 1)).await;
    assert_eq!(world.store.end_sessions(end(world, bob.id, Which::One(session.id))).await.unwrap(), 0);
    assert_eq!(world.store.end_sessions(end(world, bob.id, Which::All)).await.unwrap(), 0);
    assert_eq!(listed(world, &ada).await.len(), 1);
}

pub(crate) async fn networks_of_earlier_log_ins_are_known(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    world.open(world.session(&ada, 1)).await;
    world.store.end_sessions(end(world, ada.id, Which::All)).await.unwrap();
    let knows =
        async |user, network: &str, since| world.store.knows_network(user, network, since).await.unwrap();
    assert!(knows(ada.id, "192.0.2.0/24", start()).await, "though the session is over");
    assert!(!knows(ada.id, "192.0.2.0/24", at(1)).await);
    assert!(!knows(ada.id, "198.51.100.0/24", start()).await);
    assert!(!knows(bob.id, "192.0.2.0/24", start()).await);
}

pub(crate) async fn what_has_expired_is_pruned_and_networks_are_kept(world: &World) {
    let ada = world.somebody("ada").await;
    world.open(world.session(&ada, 1)).await;
    let open = world.open(NewSession { expires_at: at(1_000_000), ..world.session(&ada, 2) }).await;
    for (number, ends) in [(1, 100), (2, 1_000_000)] {
        let token = OneTime {
            hash: hash(number),
            purpose: Purpose::Invite,
            user: None,
            payload: Some(vec![1]),
            only: false,
            at: start(),
            expires_at: at(ends),
        };
        world.store.issue(token).await.unwrap();
    }
    assert!(world.store.prune(at(3601)).await.unwrap() >= 2, "a refresh token and one sent by mail");
    assert_eq!(world.store.prune(at(3601)).await.unwrap(), 0);
    let left: Vec<_> = world.store.sessions(ada.id, at(3601)).await.unwrap();
    assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), [open.id]);
    assert!(world.store.knows_network(ada.id, "192.0.2.0/24", start()).await.unwrap());
    assert!(world.store.redeem(Purpose::Invite, &hash(2), at(3601)).await.unwrap().is_some());

    let long_after = at(1_000_001) + NETWORKS_KNOWN_FOR;
    assert!(world.store.prune(long_after).await.unwrap() >= 2);
    assert!(!world.store.knows_network(ada.id, "192.0.2.0/24", start()).await.unwrap());
}
