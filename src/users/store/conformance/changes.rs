//! Accounts: changed.

use serde_json::json;

use super::stage::{World, at, at_once, hash};
use crate::users::account::{Profile, Status};
use crate::users::api::Preferences;
use crate::users::audit::Action;
use crate::users::store::{
    Change, ChangeAccount, Changed, Description, NewAccount, OneTime, Purpose, Within,
};

fn renamed(name: &str) -> Change {
    Change::Describe(Box::new(Description { name: Some(name.to_owned()), ..Description::default() }))
}

fn moved(institution: Option<&str>) -> Change {
    let institution = Some(institution.map(str::to_owned));
    Change::Describe(Box::new(Description { institution, ..Description::default() }))
}

pub(crate) async fn a_description_changes_what_it_names_alone(world: &World) {
    let ada = world.somebody("ada").await;
    let full = Description {
        name: Some("Ada L.".to_owned()),
        avatar: Some(Some("https://example.org/ada.png".to_owned())),
        preferences: Some(Preferences { language: Some("de".to_owned()), ..Preferences::default() }),
        profile: Some(Profile {
            bio: Some("counts".to_owned()),
            links: [("web".to_owned(), json!("https://example.org"))].into_iter().collect(),
            ..Profile::default()
        }),
        metadata: Some([("a.b".to_owned(), json!({ "$c": [1, null, "d"] }))].into_iter().collect()),
        institution: None,
    };
    let change = Change::Describe(Box::new(full.clone()));
    let described = world.changed(ada.id, change, Action::Update).await;
    assert_eq!(world.now_is(ada.id).await.as_ref(), Some(&described));
    assert_eq!(described.name, "Ada L.");
    assert_eq!(described.avatar, full.avatar.unwrap());
    assert_eq!(Some(&described.preferences), full.preferences.as_ref());
    assert_eq!(Some(&described.profile), full.profile.as_ref());
    assert_eq!(Some(&described.metadata), full.metadata.as_ref(), "whatever clients call their fields");
    assert_eq!((described.version, described.epoch), (ada.version + 1, ada.epoch));
    assert_eq!((described.created_at, described.updated_at), (ada.created_at, at(60)));

    let without = Description { avatar: Some(None), ..Description::default() };
    let without = world.changed(ada.id, Change::Describe(Box::new(without)), Action::Update).await;
    assert_eq!((without.avatar, without.profile), (None, described.profile));
}

pub(crate) async fn a_change_to_another_version_is_stale_and_leaves_nothing(world: &World) {
    let ada = world.somebody("ada").await;
    let trail = world.trail_is().await;
    for version in [ada.version + 1, ada.version - 1] {
        let change = world.change(ada.id, renamed("Bob"), Action::Update);
        let change = ChangeAccount { if_version: Some(version), ..change };
        assert_eq!(world.store.change_account(change).await.unwrap(), Changed::Stale);
    }
    assert_eq!(world.now_is(ada.id).await.as_ref(), Some(&ada));
    assert_eq!(world.trail_is().await, trail);
    let change = world.change(ada.id, renamed("Bob"), Action::Update);
    let change = ChangeAccount { if_version: Some(ada.version), ..change };
    assert!(matches!(world.store.change_account(change).await.unwrap(), Changed::Done(_)));
}

pub(crate) async fn of_many_changes_to_one_version_one_is_done(world: &World) {
    let ada = world.somebody("ada").await;
    let changes = at_once(12, |number| {
        let change = world.change(ada.id, renamed(&format!("ada {number}")), Action::Update);
        let change = ChangeAccount { if_version: Some(ada.version), ..change };
        let store = world.shared();
        async move { store.change_account(change).await.unwrap() }
    });
    let (done, stale): (Vec<_>, Vec<_>) =
        changes.await.into_iter().partition(|changed| matches!(changed, Changed::Done(_)));
    assert_eq!(done.len(), 1);
    assert!(stale.iter().all(|changed| *changed == Changed::Stale), "{stale:?}");
    let now = world.now_is(ada.id).await.unwrap();
    assert_eq!(done, [Changed::Done(Box::new(now))]);
    assert_eq!(world.trail_is().await, 2, "its registration and one change");
}

pub(crate) async fn a_role_outdates_what_was_made_out_before(world: &World) {
    let ada = world.somebody("ada").await;
    let change = Change::Role("teacher".to_owned());
    let teacher = world.changed(ada.id, change, Action::SetRole).await;
    assert_eq!((teacher.role.as_str(), teacher.epoch), ("teacher", ada.epoch + 1));
    assert_eq!(world.revoked_after(0).await, [(ada.id.uuid(), Some(teacher.epoch))]);
}

pub(crate) async fn a_role_that_there_is_not_is_not_given(world: &World) {
    let ada = world.somebody("ada").await;
    let trail = world.trail_is().await;
    let change = world.change(ada.id, Change::Role("wizard".to_owned()), Action::SetRole);
    assert_eq!(world.store.change_account(change).await.unwrap(), Changed::NoSuchRole);
    assert_eq!(world.now_is(ada.id).await, Some(ada));
    assert_eq!(world.trail_is().await, trail);
}

pub(crate) async fn a_move_to_another_institution_outdates_and_staying_does_not(world: &World) {
    let ada = world.add(world.pupil("ada", "North")).await;
    let stays = world.changed(ada.id, moved(Some("North")), Action::Update).await;
    assert_eq!(stays.epoch, ada.epoch);
    assert!(world.revoked_after(0).await.is_empty());
    let moves = world.changed(ada.id, moved(Some("South")), Action::Update).await;
    assert_eq!((moves.institution.as_deref(), moves.epoch), (Some("South"), ada.epoch + 1));
    assert_eq!(world.revoked_after(0).await, [(ada.id.uuid(), Some(moves.epoch))]);
    assert!(world.store.account(ada.id, &Within::Institution("North".to_owned())).await.unwrap().is_none());
    let leaves = world.changed(ada.id, moved(None), Action::Update).await;
    assert_eq!(leaves.institution, None);
}

pub(crate) async fn an_account_that_is_put_aside_has_no_sessions(world: &World) {
    let ada = world.somebody("ada").await;
    let session = world.open(world.session(&ada, 1)).await;
    let aside = world.changed(ada.id, Change::Status(Status::Suspended), Action::SetStatus).await;
    assert_eq!((aside.status, aside.epoch), (Status::Suspended, ada.epoch + 1));
    assert!(world.store.sessions(ada.id, at(61)).await.unwrap().is_empty());
    let mut revoked = world.revoked_after(0).await;
    revoked.sort();
    let mut expected = vec![(session.id.uuid(), None), (ada.id.uuid(), Some(aside.epoch))];
    expected.sort();
    assert_eq!(revoked, expected);
    let back = world.changed(ada.id, Change::Status(Status::Active), Action::SetStatus).await;
    assert_eq!(back.status, Status::Active);
    assert!(world.store.sessions(ada.id, at(61)).await.unwrap().is_empty(), "they do not come back");
}

pub(crate) async fn a_password_ends_every_session_but_the_one_it_was_changed_in(world: &World) {
    let ada = world.somebody("ada").await;
    let kept = world.open(world.session(&ada, 1)).await;
    let other = world.open(world.session(&ada, 2)).await;
    for (number, purpose) in [(1, Purpose::Reset), (2, Purpose::Verify)] {
        let token = OneTime {
            hash: hash(number),
            purpose,
            user: Some(ada.id),
            payload: None,
            only: true,
            at: at(0),
            expires_at: at(600),
        };
        world.store.issue(token).await.unwrap();
    }
    let change = Change::Password { hash: "$argon2id$new".to_owned(), keep: Some(kept.id) };
    let changed = world.changed(ada.id, change, Action::ChangePassword).await;
    assert_eq!((changed.epoch, changed.version), (ada.epoch + 1, ada.version + 1));
    let login = world.store.login(ada.id).await.unwrap().unwrap();
    assert_eq!(login.password.as_deref(), Some("$argon2id$new"));
    let left: Vec<_> =
        world.store.sessions(ada.id, at(61)).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(left, [kept.id]);
    assert!(world.revoked_after(0).await.contains(&(other.id.uuid(), None)));
    let redeemed = world.store.redeem(Purpose::Reset, &hash(1), at(61)).await.unwrap();
    assert_eq!(redeemed, None, "what was begun with the old password is not finished");
    assert!(world.store.redeem(Purpose::Verify, &hash(2), at(61)).await.unwrap().is_some());

    let change = Change::Password { hash: "$argon2id$newer".to_owned(), keep: None };
    world.changed(ada.id, change, Action::ResetPassword).await;
    assert!(world.store.sessions(ada.id, at(61)).await.unwrap().is_empty());
}

pub(crate) async fn a_rehash_is_seen_by_nobody(world: &World) {
    let ada = world.somebody("ada").await;
    let session = world.open(world.session(&ada, 1)).await;
    let (before, trail) = (world.now_is(ada.id).await, world.trail_is().await);
    world.changed(ada.id, Change::Rehash("$argon2id$harder".to_owned()), Action::Login).await;
    let login = world.store.login(ada.id).await.unwrap().unwrap();
    assert_eq!(login.password.as_deref(), Some("$argon2id$harder"));
    assert_eq!(Some(login.account), before);
    assert_eq!(world.trail_is().await, trail);
    assert_eq!(world.store.sessions(ada.id, at(61)).await.unwrap()[0].id, session.id);
}

pub(crate) async fn a_verified_address_makes_a_pending_account_active_and_no_other(world: &World) {
    for (status, then) in [(Status::Pending, Status::Active), (Status::Suspended, Status::Suspended)] {
        let name = status.as_str();
        let new = NewAccount { status, email_verified: false, ..world.student(name) };
        let added = world.add(new).await;
        assert!(!added.email_verified);
        let verified = world.changed(added.id, Change::Verified, Action::Verify).await;
        assert_eq!((verified.email_verified, verified.status), (true, then));
        assert_eq!(verified.epoch, added.epoch);
    }
}
