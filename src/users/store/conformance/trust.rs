//! Signing keys and revocations.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::stage::{World, at, at_once, start};
use crate::kit::ids::SessionId;
use crate::users::account::Account;
use crate::users::audit::Action;
use crate::users::store::{EndSessions, NewSigningKey, REMEMBERED, SigningKey, Which};

fn signing_key(world: &World, kid: &str, active: i64) -> NewSigningKey {
    let key = SigningKey {
        kid: kid.to_owned(),
        seed: vec![1, 2],
        public: vec![3; 32],
        active_at: at(active),
        expires_at: None,
    };
    let others_expire_at = at(active + 100);
    let trail = world.entry(Action::RotateSigningKey);
    NewSigningKey { key, first: false, others_expire_at, at: start(), trail }
}

async fn kids(world: &World, seconds: i64) -> Vec<String> {
    let keys = world.store.signing_keys(at(seconds)).await.unwrap();
    keys.into_iter().map(|key| key.kid).collect()
}

async fn end(world: &World, account: &Account, session: SessionId, seconds: i64) {
    let trail = world.entry(Action::Logout).on(account.id, None);
    let end = EndSessions { user: account.id, which: Which::One(session), at: at(seconds), trail };
    assert_eq!(world.store.end_sessions(end).await.unwrap(), 1);
}

pub(crate) async fn the_first_signing_key_is_made_once(world: &World) {
    at_once(8, |number| {
        let key = signing_key(world, &format!("k{number}"), 0);
        let (key, store) = (NewSigningKey { first: true, ..key }, world.shared());
        async move { store.add_signing_key(key).await.unwrap() }
    })
    .await;
    assert_eq!(kids(world, 1).await.len(), 1);
    assert_eq!(world.trail_is().await, 1);
}

pub(crate) async fn a_new_signing_key_ends_the_others(world: &World) {
    for (kid, active) in [("a", 0), ("b", 1000), ("c", 500)] {
        world.store.add_signing_key(signing_key(world, kid, active)).await.unwrap();
    }
    // The third one is active before the second, and ends both it and the first at 600.
    let keys = world.store.signing_keys(at(1)).await.unwrap();
    let ends: Vec<_> = keys.iter().map(|key| (key.kid.as_str(), key.active_at, key.expires_at)).collect();
    assert_eq!(ends, [("a", at(0), Some(at(600))), ("c", at(500), None), ("b", at(1000), Some(at(600)))]);
    assert_eq!((&keys[0].seed, &keys[0].public), (&vec![1, 2], &vec![3; 32]));
    assert_eq!(kids(world, 600).await, ["c"]);
    let at_once = NewSigningKey { others_expire_at: at(550), ..signing_key(world, "d", 550) };
    world.store.add_signing_key(at_once).await.unwrap();
    assert_eq!(kids(world, 550).await, ["d"]);
    world.store.prune(at(700)).await.unwrap();
    assert_eq!(kids(world, 0).await, ["d"]);
}

pub(crate) async fn what_is_revoked_is_told_once_and_in_order(world: &World) {
    assert_eq!(world.revoked_after(0).await, []);
    let ada = world.somebody("ada").await;
    let mut sessions = Vec::new();
    for number in 0..4 {
        sessions.push(world.open(world.session(&ada, number)).await.id);
    }
    for (seconds, session) in (0..).zip(&sessions[..2]) {
        end(world, &ada, *session, seconds).await;
    }
    let (first, position) = world.store.revocations(0, 10_000).await.unwrap();
    let subjects: Vec<Uuid> = first.iter().map(|one| one.subject).collect();
    assert_eq!(subjects, [sessions[0].uuid(), sessions[1].uuid()]);
    assert_eq!(first[0].expires_at, start() + REMEMBERED);
    assert_eq!(world.store.revocations(position, 5).await.unwrap(), (vec![], position));
    end(world, &ada, sessions[2], 3).await;
    assert_eq!(world.revoked_after(position).await, [(sessions[2].uuid(), None)]);
    // A part at a time, and no more than was asked for.
    let (mut parts, mut position) = (Vec::new(), 0);
    for _ in 0..3 {
        let (part, next) = world.store.revocations(position, 1).await.unwrap();
        parts.extend(part.into_iter().map(|one| one.subject));
        position = next;
    }
    assert_eq!(parts, sessions[..3].iter().map(|id| id.uuid()).collect::<Vec<_>>());
}

pub(crate) async fn no_revocation_is_skipped_between_polls(world: &World) {
    let mut people = Vec::new();
    for number in 0..24_u64 {
        let account = world.somebody(&format!("s{number}")).await;
        let session = world.open(world.session(&account, number)).await.id;
        people.push((account, session));
    }
    let done = tokio_util::sync::CancellationToken::new();
    let (store, told) = (world.shared(), done.clone());
    let follower = tokio::spawn(async move {
        let (mut seen, mut position) = (Vec::new(), 0);
        loop {
            // Whether that was the last look is known before looking.
            let last = told.is_cancelled();
            let before = position;
            let (news, next) = store.revocations(before, 5).await.unwrap();
            assert!(next >= before);
            seen.extend(news.into_iter().map(|one| one.subject));
            position = next;
            if last && next == before {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    });
    at_once(people.len(), |number| {
        let (account, session) = &people[number];
        let trail = world.entry(Action::Logout).on(account.id, None);
        let end = EndSessions { user: account.id, which: Which::One(*session), at: at(1), trail };
        let store = world.shared();
        async move { store.end_sessions(end).await.unwrap() }
    })
    .await;
    done.cancel();
    let seen: BTreeSet<Uuid> = follower.await.unwrap().into_iter().collect();
    let expected: BTreeSet<Uuid> = people.iter().map(|(_, session)| session.uuid()).collect();
    assert_eq!(seen, expected);
}

pub(crate) async fn a_position_is_not_forgotten_with_what_has_expired(world: &World) {
    let ada = world.somebody("ada").await;
    let session = world.open(world.session(&ada, 1)).await.id;
    end(world, &ada, session, 1).await;
    let position = world.position().await;
    assert!(position > 0);
    let later = at(10) + REMEMBERED;
    world.store.prune(later).await.unwrap();
    assert_eq!(world.store.revocations(0, 10_000).await.unwrap(), (vec![], position));
    let session = world.open(world.session(&ada, 2)).await.id;
    end(world, &ada, session, 2).await;
    assert_eq!(world.revoked_after(position).await, [(session.uuid(), None)]);
}
