//! The audit trail.

use serde_json::json;

use super::stage::{World, at, every_entry, hash, page};
use crate::kit::auth::Presented;
use crate::kit::http::page::Page;
use crate::kit::ids::UserId;
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::store::{AuditQuery, Change, NewAccount, NewSession, Within};

/// An entry with all that one can say.
fn full(world: &World, target: UserId) -> Entry {
    let entry = world.entry(Action::Update).on(target, Some("North")).refused();
    Entry {
        actor: Some(world.id()),
        credential: Some(Presented::Key(world.id())),
        address: Some("192.0.2.7".to_owned()),
        device: Some("a browser".to_owned()),
        request_id: Some("r".to_owned()),
        ..entry.with("fields", json!(["name"])).with("a.b", 3).with("$c", json!({ "d": null }))
    }
}

pub(crate) async fn every_change_is_in_the_trail_with_all_that_it_says(world: &World) {
    let ada: UserId = world.id();
    let entry = full(world, ada);
    world.store.append(entry.clone()).await.unwrap();
    assert_eq!(world.trail().await, [entry]);

    let trail = full(world, ada);
    let new = NewAccount { id: ada, trail: trail.clone(), ..world.student("ada") };
    let ada = world.add(new).await;
    assert!(world.trail().await.contains(&trail), "written with the account");
    let login = world.session(&ada, 1);
    let trail = login.trail.clone();
    world.open(login).await;
    assert!(world.trail().await.contains(&trail));
}

pub(crate) async fn what_was_refused_leaves_no_trace_in_the_trail(world: &World) {
    let ada = world.somebody("ada").await;
    let trail = world.trail().await;
    let taken = NewAccount { id: world.id(), ..world.student("ada") };
    world.store.add_account(taken).await.unwrap();
    let nobody = world.change(world.id(), Change::Verified, Action::Verify);
    world.store.change_account(nobody).await.unwrap();
    world.store.erase_account(world.erasure(world.id())).await.unwrap();
    let late = NewSession { epoch: ada.epoch + 1, refresh: hash(5), ..world.session(&ada, 5) };
    world.store.open_session(late).await.unwrap();
    assert_eq!(world.trail().await, trail);
    // A change that fails half way takes its entry with it: the entry's id is there already.
    let twice = NewAccount { trail: trail[0].clone(), ..world.student("bob") };
    let bob = twice.id;
    assert!(world.store.add_account(twice).await.is_err());
    assert_eq!(world.now_is(bob).await, None);
    assert_eq!(world.trail().await, trail);
}

pub(crate) async fn entries_are_found_by_who_whom_what_and_when(world: &World) {
    let (ada, bob): (UserId, UserId) = (world.id(), world.id());
    let entries: Vec<Entry> = [
        (Action::Login, Some(ada), ada, Outcome::Done, 0),
        (Action::Login, None, ada, Outcome::Refused, 10),
        (Action::SetRole, Some(bob), ada, Outcome::Done, 20),
        (Action::Login, Some(bob), bob, Outcome::Done, 30),
    ]
    .into_iter()
    .map(|(action, actor, target, outcome, seconds)| Entry {
        actor,
        target: Some(target),
        outcome,
        at: at(seconds),
        ..world.entry(action)
    })
    .collect();
    for entry in &entries {
        world.store.append(entry.clone()).await.unwrap();
    }
    let cases = [
        (every_entry(), vec![3, 2, 1, 0]),
        (AuditQuery { actor: Some(bob), ..every_entry() }, vec![3, 2]),
        (AuditQuery { target: Some(ada), ..every_entry() }, vec![2, 1, 0]),
        (AuditQuery { action: Some(Action::Login), ..every_entry() }, vec![3, 1, 0]),
        (AuditQuery { outcome: Some(Outcome::Refused), ..every_entry() }, vec![1]),
        (AuditQuery { from: Some(at(10)), to: Some(at(30)), ..every_entry() }, vec![2, 1]),
        (AuditQuery { actor: Some(bob), target: Some(ada), ..every_entry() }, vec![2]),
        (
            AuditQuery { action: Some(Action::Login), target: Some(ada), to: Some(at(10)), ..every_entry() },
            vec![0],
        ),
    ];
    for (query, expected) in cases {
        let found = world.store.audit(query.clone()).await.unwrap().entries;
        let expected: Vec<Entry> =
            expected.into_iter().map(|number: usize| entries[number].clone()).collect();
        assert_eq!(found, expected, "{query:?}");
    }
}

pub(crate) async fn pages_of_the_trail_hold_every_entry_once(world: &World) {
    let mut expected = Vec::new();
    for number in 0..23 {
        // Two share each instant, so that the id has to decide.
        let entry = Entry { at: at(number / 2), ..world.entry(Action::Login) };
        world.store.append(entry.clone()).await.unwrap();
        expected.push(entry);
    }
    expected.reverse();
    for limit in [1, 2, 7, 23, 200] {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let query = AuditQuery { page: page(limit, after.as_deref()), ..every_entry() };
            let found = world.store.audit(query).await.unwrap();
            assert!(found.entries.len() <= limit as usize);
            all.extend(found.entries);
            let Some(next) = found.next else { break };
            after = Some(next.to_string());
        }
        assert_eq!(all, expected, "{limit} a page");
    }
    let skipped = AuditQuery { page: Page::parse(Some(5), Some(20), None).unwrap(), ..every_entry() };
    assert_eq!(world.store.audit(skipped).await.unwrap().entries, expected[20..]);
}

pub(crate) async fn the_trail_ends_where_the_reach_does(world: &World) {
    let (ada, bob): (UserId, UserId) = (world.id(), world.id());
    let entries = [
        world.entry(Action::Login).on(ada, Some("North")),
        world.entry(Action::Login).on(bob, Some("South")),
        Entry { actor: Some(ada), ..world.entry(Action::SetRole).on(bob, None) },
        world.entry(Action::RotateSigningKey),
    ];
    for entry in &entries {
        world.store.append(entry.clone()).await.unwrap();
    }
    let cases = [
        (Within::Institution("North".to_owned()), vec![0]),
        (Within::Institution("West".to_owned()), vec![]),
        (Within::Only(ada), vec![0]),
        (Within::Only(bob), vec![2, 1]),
        (Within::Everyone, vec![3, 2, 1, 0]),
    ];
    for (within, expected) in cases {
        let query = AuditQuery { within: within.clone(), ..every_entry() };
        let found = world.store.audit(query).await.unwrap().entries;
        let expected: Vec<Entry> =
            expected.into_iter().map(|number: usize| entries[number].clone()).collect();
        assert_eq!(found, expected, "{within:?}");
    }
    let beyond = AuditQuery { within: Within::Only(ada), target: Some(bob), ..every_entry() };
    assert!(world.store.audit(beyond).await.unwrap().entries.is_empty());
}
