//! Roles.

use super::stage::{World, at, at_once, start};
use crate::kit::auth::{Reach, Scope};
use crate::users::account::Account;
use crate::users::api::Role;
use crate::users::audit::Action;
use crate::users::roles::built_in;
use crate::users::store::{Change, Changed, RoleChange};

pub(super) fn guest() -> Role {
    Role {
        name: "guest".to_owned(),
        description: "Looks on".to_owned(),
        permissions: [Scope::VoiceRead].into(),
        reach: Reach::Own,
        built_in: false,
    }
}

async fn put(world: &World, role: Role) -> RoleChange {
    world.store.put_role(role, at(1), world.entry(Action::DefineRole)).await.unwrap()
}

async fn remove(world: &World, name: &str) -> RoleChange {
    world.store.remove_role(name, world.entry(Action::RemoveRole)).await.unwrap()
}

async fn named(world: &World, name: &str) -> Option<Role> {
    world.store.roles().await.unwrap().into_iter().find(|role| role.name == name)
}

pub(crate) async fn roles_read_back_by_name(world: &World) {
    assert_eq!(put(world, guest()).await, RoleChange::Done);
    let mut expected = built_in();
    expected.push(guest());
    expected.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(world.store.roles().await.unwrap(), expected);

    let wider = Role {
        permissions: [Scope::VoiceRead, Scope::UsersRead].into(),
        reach: Reach::Institution,
        ..guest()
    };
    assert_eq!(put(world, wider.clone()).await, RoleChange::Done);
    assert_eq!(named(world, "guest").await, Some(wider));
    assert_eq!(remove(world, "guest").await, RoleChange::Done);
    assert_eq!(named(world, "guest").await, None);
    assert_eq!(world.trail_is().await, 3);
}

pub(crate) async fn built_in_roles_stay_what_they_are(world: &World) {
    let own = Role { name: "student".to_owned(), ..guest() };
    assert_eq!(put(world, own).await, RoleChange::BuiltIn);
    assert_eq!(remove(world, "student").await, RoleChange::BuiltIn);
    assert_eq!(remove(world, "nobody").await, RoleChange::Missing);
    assert_eq!(world.trail_is().await, 0);
    // Another version of Voicera says something else of them; what others made stays.
    put(world, guest()).await;
    let mut later = built_in();
    later[0].description = "May do everything".to_owned();
    world.store.seed_roles(later, start()).await.unwrap();
    assert_eq!(named(world, "admin").await.unwrap().description, "May do everything");
    assert_eq!(named(world, "guest").await, Some(guest()));
}

pub(crate) async fn a_role_that_somebody_has_is_not_removed(world: &World) {
    put(world, guest()).await;
    let ada = world.somebody("ada").await;
    world.changed(ada.id, Change::Role("guest".to_owned()), Action::SetRole).await;
    let trail = world.trail_is().await;
    assert_eq!(remove(world, "guest").await, RoleChange::InUse);
    assert_eq!(world.trail_is().await, trail);
    world.store.erase_account(world.erasure(ada.id)).await.unwrap();
    assert_eq!(remove(world, "guest").await, RoleChange::Done, "who is forgotten has none");
}

pub(crate) async fn a_role_is_not_given_while_it_is_removed(world: &World) {
    for round in 0..5 {
        put(world, guest()).await;
        let ada: Account = world.somebody(&format!("ada{round}")).await;
        let done = at_once(2, |number| {
            let store = world.shared();
            let give = world.change(ada.id, Change::Role("guest".to_owned()), Action::SetRole);
            let trail = world.entry(Action::RemoveRole);
            async move {
                match number {
                    0 => matches!(store.change_account(give).await.unwrap(), Changed::Done(_)),
                    _ => store.remove_role("guest", trail).await.unwrap() == RoleChange::Done,
                }
            }
        });
        let done = done.await;
        assert_ne!(done[0], done[1], "given or removed");
        let held = world.now_is(ada.id).await.unwrap().role;
        assert!(named(world, &held).await.is_some(), "nobody has a role that there is not");
        world.changed(ada.id, Change::Role("student".to_owned()), Action::SetRole).await;
    }
}
