//! Second factors.

use super::stage::{World, at, at_once, hash};
use crate::kit::ids::UserId;
use crate::users::audit::Action;
use crate::users::roles::ADMIN;
use crate::users::store::{
    Change, Changed, DisableTotp, EnableTotp, NewAccount, NewPasskey, OneTime, Purpose, RenewRecoveryCodes,
};

fn enable(world: &World, user: UserId) -> EnableTotp {
    EnableTotp {
        user,
        secret: vec![9, 8, 7],
        step: 100,
        recovery: vec![hash(1), hash(2)],
        at: at(1),
        trail: world.entry(Action::EnableTotp).on(user, None),
    }
}

fn disable(world: &World, user: UserId) -> DisableTotp {
    DisableTotp { user, at: at(2), trail: world.entry(Action::DisableTotp).on(user, None) }
}

fn renew(world: &World, user: UserId) -> RenewRecoveryCodes {
    let trail = world.entry(Action::RenewRecovery).on(user, None);
    RenewRecoveryCodes { user, recovery: vec![hash(3)], trail }
}

fn passkey(world: &World, user: UserId, number: u8) -> NewPasskey {
    NewPasskey {
        id: world.id(),
        credential_id: vec![number; 20],
        user,
        name: "a passkey".to_owned(),
        credential: "{}".to_owned(),
        most: 3,
        at: at(1),
        trail: world.entry(Action::AddPasskey).on(user, None),
    }
}

/// A token of somebody's, good for an hour.
fn waiting(user: UserId, number: u64, purpose: Purpose) -> OneTime {
    OneTime {
        hash: hash(number),
        purpose,
        user: Some(user),
        payload: None,
        only: false,
        at: at(0),
        expires_at: at(3600),
    }
}

pub(crate) async fn a_second_factor_is_set_up_once(world: &World) {
    let ada = world.somebody("ada").await;
    assert!(world.store.enable_totp(enable(world, ada.id)).await.unwrap());
    let with = world.store.login(ada.id).await.unwrap().unwrap();
    assert_eq!(with.totp, Some(vec![9, 8, 7]));
    assert!(with.account.second_factor);
    assert_eq!((with.account.version, with.account.updated_at), (ada.version + 1, at(1)));

    let trail = world.trail_is().await;
    let other = EnableTotp { secret: vec![1], ..enable(world, ada.id) };
    assert!(!world.store.enable_totp(other).await.unwrap());
    assert!(!world.store.enable_totp(enable(world, world.id())).await.unwrap(), "whose?");
    assert_eq!(world.store.login(ada.id).await.unwrap().unwrap().totp, Some(vec![9, 8, 7]));
    assert_eq!(world.trail_is().await, trail);

    assert!(world.store.disable_totp(disable(world, ada.id)).await.unwrap());
    assert!(!world.store.disable_totp(disable(world, ada.id)).await.unwrap());
    assert_eq!(world.trail_is().await, trail + 1);
    let without = world.store.login(ada.id).await.unwrap().unwrap();
    assert!(without.totp.is_none() && !without.account.second_factor);
    assert!(!world.store.use_recovery_code(ada.id, &hash(1), at(3)).await.unwrap());
    assert!(!world.store.use_totp_step(ada.id, 200).await.unwrap());
}

pub(crate) async fn a_code_is_good_for_one_time_step_and_no_earlier_one(world: &World) {
    let ada = world.somebody("ada").await;
    world.store.enable_totp(enable(world, ada.id)).await.unwrap();
    for (step, good) in [(100, false), (99, false), (101, true), (101, false), (103, true), (102, false)] {
        assert_eq!(world.store.use_totp_step(ada.id, step).await.unwrap(), good, "{step}");
    }
    assert!(!world.store.use_totp_step(world.id(), 200).await.unwrap());
}

pub(crate) async fn of_many_uses_of_one_code_at_once_one_is_good(world: &World) {
    let ada = world.somebody("ada").await;
    world.store.enable_totp(enable(world, ada.id)).await.unwrap();
    let used = at_once(32, |_| {
        let store = world.shared();
        async move { store.use_totp_step(ada.id, 101).await.unwrap() }
    });
    assert_eq!(used.await.into_iter().filter(|good| *good).count(), 1);
}

pub(crate) async fn a_recovery_code_is_used_up_even_at_once(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    world.store.enable_totp(enable(world, ada.id)).await.unwrap();
    assert!(!world.store.use_recovery_code(bob.id, &hash(1), at(3)).await.unwrap(), "it is hers");
    assert!(!world.store.use_recovery_code(ada.id, &hash(9), at(3)).await.unwrap());
    let used = at_once(32, |_| {
        let store = world.shared();
        async move { store.use_recovery_code(ada.id, &hash(1), at(3)).await.unwrap() }
    });
    assert_eq!(used.await.into_iter().filter(|good| *good).count(), 1);
    assert!(world.store.use_recovery_code(ada.id, &hash(2), at(3)).await.unwrap(), "the other is good yet");
}

pub(crate) async fn new_recovery_codes_take_the_place_of_the_old(world: &World) {
    let ada = world.somebody("ada").await;
    world.store.enable_totp(enable(world, ada.id)).await.unwrap();
    assert!(world.store.renew_recovery_codes(renew(world, ada.id)).await.unwrap());
    assert!(!world.store.use_recovery_code(ada.id, &hash(1), at(3)).await.unwrap());
    assert!(world.store.use_recovery_code(ada.id, &hash(3), at(3)).await.unwrap());
    assert_eq!(world.trail().await[0].action, Action::RenewRecovery);
}

pub(crate) async fn without_a_second_factor_there_are_no_recovery_codes(world: &World) {
    let ada = world.somebody("ada").await;
    let trail = world.trail_is().await;
    assert!(!world.store.renew_recovery_codes(renew(world, ada.id)).await.unwrap());
    assert!(!world.store.use_recovery_code(ada.id, &hash(3), at(3)).await.unwrap());
    assert_eq!(world.trail_is().await, trail);
}

pub(crate) async fn what_was_lost_is_taken_off_whole_and_ends_what_was_begun_with_it(world: &World) {
    let (ada, bob) = (world.somebody("ada").await, world.somebody("bob").await);
    for (account, number) in [(&ada, 1), (&bob, 2)] {
        world.store.enable_totp(enable(world, account.id)).await.unwrap();
        world.store.add_passkey(passkey(world, account.id, number)).await.unwrap();
        world.open(world.session(account, number.into())).await;
        for (token, purpose) in [(10, Purpose::SecondFactor), (20, Purpose::Verify)] {
            world.store.issue(waiting(account.id, token + u64::from(number), purpose)).await.unwrap();
        }
    }
    let before = world.now_is(ada.id).await.unwrap();
    let (trail, position) = (world.trail_is().await, world.position().await);
    let now = world.changed(ada.id, Change::ResetSecondFactor, Action::ResetSecondFactor).await;

    assert_eq!(world.now_is(ada.id).await.as_ref(), Some(&now));
    assert!(!now.second_factor);
    assert_eq!((now.version, now.epoch), (before.version + 1, before.epoch + 1));
    let login = world.store.login(ada.id).await.unwrap().unwrap();
    assert!(login.totp.is_none() && login.password.is_some());
    assert!(!world.store.use_recovery_code(ada.id, &hash(1), at(61)).await.unwrap());
    assert_eq!(world.store.passkeys(ada.id).await.unwrap(), []);
    assert_eq!(world.store.passkey(&[1; 20]).await.unwrap(), None);
    assert_eq!(world.store.sessions(ada.id, at(61)).await.unwrap(), []);
    assert_eq!(world.revoked_after(position).await.len(), 2, "the session, and tokens made out before");
    assert!(world.store.redeem(Purpose::SecondFactor, &hash(11), at(61)).await.unwrap().is_none());
    assert!(world.store.redeem(Purpose::Verify, &hash(21), at(61)).await.unwrap().is_some());
    assert_eq!(world.trail_is().await, trail + 1);

    assert!(world.now_is(bob.id).await.unwrap().second_factor, "somebody else's stays");
    assert!(world.store.use_recovery_code(bob.id, &hash(1), at(61)).await.unwrap());
    assert_eq!(world.store.passkeys(bob.id).await.unwrap().len(), 1);
    assert_eq!(world.store.sessions(bob.id, at(61)).await.unwrap().len(), 1);
    assert!(world.store.redeem(Purpose::SecondFactor, &hash(12), at(61)).await.unwrap().is_some());
}

pub(crate) async fn the_last_administrator_is_left_a_way_in(world: &World) {
    let new = NewAccount { password: None, role: ADMIN.to_owned(), ..world.student("root") };
    let root = world.add(new).await;
    world.store.add_passkey(passkey(world, root.id, 1)).await.unwrap();
    let reset = || world.change(root.id, Change::ResetSecondFactor, Action::ResetSecondFactor);
    assert_eq!(world.store.change_account(reset()).await.unwrap(), Changed::LastAdmin);
    assert_eq!(world.store.passkeys(root.id).await.unwrap().len(), 1);
    let hash = "$argon2id$a hash".to_owned();
    world.changed(root.id, Change::Password { hash, keep: None }, Action::ResetPassword).await;
    assert!(matches!(world.store.change_account(reset()).await.unwrap(), Changed::Done(_)));

    let other = NewAccount { password: None, role: ADMIN.to_owned(), ..world.student("other") };
    let other = world.add(other).await;
    world.store.add_passkey(passkey(world, other.id, 2)).await.unwrap();
    let reset = world.change(other.id, Change::ResetSecondFactor, Action::ResetSecondFactor);
    let reset = world.store.change_account(reset).await.unwrap();
    assert!(matches!(reset, Changed::Done(_)), "there is another one who gets in");
}
