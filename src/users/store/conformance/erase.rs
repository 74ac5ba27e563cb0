//! Forgetting who an account belonged to.

use serde_json::json;

use super::keys::key;
use super::stage::{World, at, email, hash, hexadecimal, start};
use crate::kit::ids::UserId;
use crate::users::account::{Account, Profile};
use crate::users::api::Preferences;
use crate::users::audit::Action;
use crate::users::store::{
    Change, Changed, Description, DueErasure, EnableTotp, EraseAccount, NewAccount, NewKey, NewPasskey,
    OneTime, Purpose, Rotate, Rotation, Within,
};

/// What every word that somebody left begins with.
const MARK: &str = "zanzibar";

fn marked(what: &str) -> String {
    format!("{MARK} {what}")
}

/// Bytes that somebody left, and what they look like.
fn bytes() -> (Vec<u8>, String) {
    let bytes: Vec<u8> = (0xc0..0xd8).collect();
    let shown = hexadecimal(&bytes);
    (bytes, shown)
}

/// Somebody who has left something everywhere.
pub(super) async fn who_uses_everything(world: &World) -> Account {
    let (bytes, _) = bytes();
    let new = NewAccount {
        email: Some(email(&format!("{MARK}@example.org"))),
        password: Some(marked("password")),
        institution: Some(marked("institution")),
        ..world.student(&format!("{MARK} name"))
    };
    let ada = world.add(new).await;
    let description = Description {
        avatar: Some(Some(marked("avatar"))),
        preferences: Some(Preferences { timezone: Some(marked("timezone")), ..Preferences::default() }),
        profile: Some(Profile { phone: Some(marked("phone")), ..Profile::default() }),
        metadata: Some([(MARK.to_owned(), json!(MARK))].into_iter().collect()),
        ..Description::default()
    };
    let ada = world.changed(ada.id, Change::Describe(Box::new(description)), Action::Update).await;
    let mut session = world.session(&ada, 1);
    (session.device, session.address, session.network) =
        (Some(marked("device")), Some(marked("ip")), Some(marked("net")));
    world.open(session).await;
    for presented in [1, 2] {
        let rotate = Rotate {
            presented: hash(presented),
            successor: hash(presented + 1),
            salt: hash(1_000),
            grace: jiff::SignedDuration::ZERO,
            lifetime: jiff::SignedDuration::from_hours(1),
            longest: jiff::SignedDuration::from_hours(2),
            address: Some(marked("later ip")),
            network: Some(marked("later net")),
            at: at(1),
            reuse: world.entry(Action::Reuse),
        };
        assert!(matches!(world.store.rotate(rotate).await.unwrap(), Rotation::Next { .. }));
    }
    let key = NewKey {
        name: format!("{MARK} key"),
        trail: world.entry(Action::CreateKey),
        ..key(world, ada.id, 20)
    };
    world.store.add_key(key).await.unwrap();
    let passkey = NewPasskey {
        id: world.id(),
        credential_id: bytes.clone(),
        user: ada.id,
        name: format!("{MARK} passkey"),
        credential: format!("{MARK} credential"),
        most: 10,
        at: start(),
        trail: world.entry(Action::AddPasskey),
    };
    world.store.add_passkey(passkey).await.unwrap();
    let trail = world.entry(Action::EnableTotp);
    let totp = EnableTotp {
        user: ada.id,
        secret: bytes.clone(),
        step: 1,
        recovery: vec![hash(30)],
        at: at(1),
        trail,
    };
    assert!(world.store.enable_totp(totp).await.unwrap());
    let token = OneTime {
        hash: hash(40),
        purpose: Purpose::Reset,
        user: Some(ada.id),
        payload: Some(bytes),
        only: true,
        at: start(),
        expires_at: at(3600),
    };
    world.store.issue(token).await.unwrap();
    world.now_is(ada.id).await.unwrap()
}

async fn erased(world: &World, id: UserId) -> Changed {
    world.store.erase_account(world.erasure(id)).await.unwrap()
}

pub(crate) async fn of_who_is_forgotten_nothing_is_kept_but_the_trail(world: &World) {
    let bob = world.somebody("bob").await;
    world.open(world.session(&bob, 50)).await;
    let ada = who_uses_everything(world).await;
    let (_, shown) = bytes();
    let hashes = [1, 2, 3, 20, 30, 40].map(|number| hexadecimal(&hash(number)));
    let traces: Vec<&str> =
        [MARK, shown.as_str()].into_iter().chain(hashes.iter().map(String::as_str)).collect();
    let found = async || -> Vec<(String, String)> {
        let tables = world.place.tables().await;
        let mut found = Vec::new();
        for (table, rows) in tables.iter().filter(|(table, _)| table != "audit") {
            for trace in &traces {
                if rows.contains(trace) {
                    found.push((table.clone(), (*trace).to_owned()));
                }
            }
        }
        found
    };
    for trace in &traces {
        assert!(found().await.iter().any(|(_, there)| there == trace), "{trace} was kept at first");
    }
    assert!(matches!(erased(world, ada.id).await, Changed::Done(_)));
    // What was noted before and is written after.
    world.store.touch_accounts(vec![(ada.id, at(100))]).await.unwrap();
    assert_eq!(found().await, []);
    let rows = world.place.tables().await;
    let sessions = rows.iter().filter(|(table, _)| table.contains("session"));
    assert!(sessions.map(|(_, rows)| rows).any(|rows| rows.contains("192.0.2.7")), "others' are there");
    let trail = world.trail().await;
    let told = trail.iter().find(|entry| entry.action == Action::Erase).unwrap();
    assert_eq!(told.target, Some(ada.id));
    assert!(trail.iter().any(|entry| entry.action == Action::Register && entry.target == Some(ada.id)));
}

pub(crate) async fn who_is_forgotten_is_not_there_any_more(world: &World) {
    let ada = who_uses_everything(world).await;
    let Changed::Done(before) = erased(world, ada.id).await else { panic!("erased") };
    assert_eq!(before.email, ada.email, "what it was, for a last message");
    assert_eq!(world.now_is(ada.id).await, None);
    assert!(world.store.login(ada.id).await.unwrap().is_none());
    let address = email(&format!("{MARK}@example.org"));
    assert!(world.store.by_email(&address).await.unwrap().is_none());
    assert_eq!(world.revoked_after(0).await.last(), Some(&(ada.id.uuid(), None)));
    assert_eq!(world.store.by_key(&hash(20), at(61)).await.unwrap(), None);
    assert!(world.store.sessions(ada.id, at(61)).await.unwrap().is_empty());
    assert!(world.store.passkeys(ada.id).await.unwrap().is_empty());
    assert!(world.store.redeem(Purpose::Reset, &hash(40), at(61)).await.unwrap().is_none());
    assert!(!world.store.use_totp_step(ada.id, 1000).await.unwrap());
    let change = world.change(ada.id, Change::Verified, Action::Verify);
    assert_eq!(world.store.change_account(change).await.unwrap(), Changed::Missing);
    assert_eq!(erased(world, ada.id).await, Changed::Missing);
    let trail = world.entry(Action::EnableTotp);
    let totp = EnableTotp { user: ada.id, secret: vec![1], step: 1, recovery: Vec::new(), at: at(61), trail };
    assert!(!world.store.enable_totp(totp).await.unwrap());
}

pub(crate) async fn an_erased_address_can_be_used_again(world: &World) {
    let ada = world.somebody("ada").await;
    erased(world, ada.id).await;
    let again = world.somebody("ada").await;
    assert_ne!(again.id, ada.id);
    let bob = world.somebody("bob").await;
    erased(world, bob.id).await;
    erased(world, again.id).await;
}

pub(crate) async fn an_erasure_is_due_until_it_is_settled(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    erased(world, ada.id).await;
    let later = EraseAccount { due_at: at(90), ..world.erasure(bob.id) };
    world.store.erase_account(later).await.unwrap();
    let due = async |seconds, limit| world.store.due_erasures(at(seconds), limit).await.unwrap();
    assert_eq!(due(59, 10).await, []);
    let (first, second) = (DueErasure { user: ada.id, passes: 0 }, DueErasure { user: bob.id, passes: 0 });
    assert_eq!(due(60, 10).await, [first]);
    assert_eq!(due(100, 10).await, [first, second]);
    assert_eq!(due(100, 1).await, [first]);
    world.store.settle_erasure(ada.id, Some(at(200))).await.unwrap();
    assert_eq!(due(100, 10).await, [second]);
    assert_eq!(due(200, 10).await, [second, DueErasure { passes: 1, ..first }]);
    for user in [ada.id, bob.id] {
        world.store.settle_erasure(user, None).await.unwrap();
    }
    assert_eq!(due(1000, 10).await, []);
}

pub(crate) async fn an_erasure_out_of_reach_or_of_another_version_is_refused(world: &World) {
    let ada = world.add(world.pupil("ada", "North")).await;
    let trail = world.trail_is().await;
    let within = Within::Institution("South".to_owned());
    let beyond = EraseAccount { within, ..world.erasure(ada.id) };
    assert_eq!(world.store.erase_account(beyond).await.unwrap(), Changed::Missing);
    let stale = EraseAccount { if_version: Some(ada.version + 1), ..world.erasure(ada.id) };
    assert_eq!(world.store.erase_account(stale).await.unwrap(), Changed::Stale);
    assert_eq!(world.now_is(ada.id).await.as_ref(), Some(&ada));
    assert_eq!(world.store.due_erasures(at(1000), 10).await.unwrap(), []);
    assert_eq!(world.trail_is().await, trail);
}
