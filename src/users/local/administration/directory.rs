//! The accounts, for their owners and for those who look after them.
//!
//! Everybody sees and describes the own account. Others are seen and changed by who has the scope for
//! it, as far as the own role reaches, and never where the account may do more than the caller
//! ([`authority`]). A change is made to the version of the account that was judged, or not at all.

mod members;

use std::sync::Arc;

use crate::kit::auth::{Principal, Reach, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::http::precondition::{IfMatch, stale};
use crate::kit::ids::{Ids, UserId};
use crate::users::account::{Account, Status};
use crate::users::api::Role;
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::mail::{About, Letter, Mail};
use crate::users::local::access::password::Passwords;
use crate::users::local::administration::authority;
use crate::users::local::administration::description;
use crate::users::store::{
    AccountPage, AccountQuery, AccountStats, Change, ChangeAccount, Changed, Description, UserStore, Within,
};

pub use members::{NewMember, is_asked_in};

/// How often a change is judged anew because another one came first.
pub(in crate::users) const TRIES: u32 = 5;

/// The accounts.
#[derive(Debug)]
pub struct Directory {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) passwords: Passwords,
    pub(in crate::users) mail: Mail,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
}

impl Directory {
    /// A page of the accounts within the caller's reach.
    ///
    /// # Errors
    /// 403 without `users:read`.
    pub async fn list(&self, who: &Principal, query: AccountQuery) -> Result<AccountPage, ApiError> {
        who.require(Scope::UsersRead)?;
        Ok(self.store.accounts(AccountQuery { within: Within::reach_of(who), ..query }).await?)
    }

    /// How many accounts there are within the caller's reach.
    ///
    /// # Errors
    /// 403 without `users:read`.
    pub async fn stats(&self, who: &Principal) -> Result<AccountStats, ApiError> {
        who.require(Scope::UsersRead)?;
        Ok(self.store.account_stats(&Within::reach_of(who)).await?)
    }

    /// One account: the caller's own, or one within reach.
    ///
    /// # Errors
    /// 403 without `users:read` for another's, 404 where there is none within reach.
    pub async fn get(&self, who: &Principal, id: UserId) -> Result<Account, ApiError> {
        let within = own_or(who, id, Scope::UsersRead)?;
        self.store.account(id, &within).await?.ok_or_else(|| ApiError::not_found("account"))
    }

    /// Changes what describes an account: the caller's own, or one within reach.
    ///
    /// # Errors
    /// As [`Directory::set_role`]; 422 for fields that break a rule.
    pub async fn describe(
        &self,
        who: &Principal,
        id: UserId,
        if_match: &IfMatch,
        description: Description,
    ) -> Result<Account, ApiError> {
        let description = description::checked(description)?;
        let within = own_or(who, id, Scope::UsersWrite)?;
        let trail = self.scribe.entry(Action::Update).with("fields", fields(&description));
        let institution = description.institution.clone();
        let moves = |account: &Account| match &institution {
            Some(new) if *new != account.institution => who.require(Scope::UsersWrite).and_then(|()| {
                let far = who.reach == Reach::Everyone;
                far.then_some(())
                    .ok_or_else(|| forbidden("this credential does not reach beyond one institution"))
            }),
            _ => Ok(()),
        };
        let change = Change::Describe(Box::new(description));
        self.change(Wish { who, id, within, if_match, change, trail }, |account, _| moves(account)).await
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// 403 without `users:admin`, or where the old or the new role permits more than the caller's
    /// credential; 404 where there is no account within reach; 409 for the last administrator; 412 for
    /// a version that `if_match` does not name; 422 for a role that there is not.
    pub async fn set_role(
        &self,
        who: &Principal,
        id: UserId,
        if_match: &IfMatch,
        role: String,
    ) -> Result<Account, ApiError> {
        who.require(Scope::UsersAdmin)?;
        let trail = self.scribe.entry(Action::SetRole).with("role", role.as_str());
        let given = |_: &Account, roles: &[Role]| {
            authority::over(who, authority::named(roles, &role).ok_or_else(no_such_role)?)
        };
        let (within, change) = (Within::reach_of(who), Change::Role(role.clone()));
        self.change(Wish { who, id, within, if_match, change, trail }, given).await
    }

    /// Locks an account, puts it aside or makes it active.
    ///
    /// # Errors
    /// As [`Directory::set_role`], with `users:write`; 422 for `pending`, which only registration makes.
    pub async fn set_status(
        &self,
        who: &Principal,
        id: UserId,
        if_match: &IfMatch,
        status: Status,
    ) -> Result<Account, ApiError> {
        who.require(Scope::UsersWrite)?;
        if status == Status::Pending {
            let why = "is `active`, `inactive` or `suspended`: `pending` is what an account is until its \
                       address is verified";
            return Err(ApiError::invalid("status", why));
        }
        let trail = self.scribe.entry(Action::SetStatus).with("status", status.as_str());
        let (within, change) = (Within::reach_of(who), Change::Status(status));
        self.change(Wish { who, id, within, if_match, change, trail }, |_, _| Ok(())).await
    }

    /// Takes the second factor and the passkeys of somebody off who has lost them: the account is logged
    /// out everywhere, and gets in by its password alone until it sets them up anew.
    ///
    /// # Errors
    /// As [`Directory::set_status`]; 403 for the own account, 404 where there is nothing to take off, 409
    /// for the last administrator that would have no way in.
    pub async fn reset_second_factor(
        &self,
        who: &Principal,
        id: UserId,
        if_match: &IfMatch,
    ) -> Result<(), ApiError> {
        who.require(Scope::UsersWrite)?;
        let trail = self.scribe.entry(Action::ResetSecondFactor);
        let others = |_: &Account, _: &[Role]| {
            if id == who.user_id {
                let instead = "take your own off with `DELETE /api/auth/totp`, and remove your passkeys";
                return Err(forbidden(instead));
            }
            Ok(())
        };
        let (within, change) = (Within::reach_of(who), Change::ResetSecondFactor);
        let known = self.store.account(id, &within).await?.ok_or_else(|| ApiError::not_found("account"))?;
        if !known.second_factor && self.store.passkeys(id).await?.is_empty() {
            return Err(ApiError::not_found("second factor"));
        }
        let account = self.change(Wish { who, id, within, if_match, change, trail }, others).await?;
        if let Some(to) = account.address() {
            self.mail.send(Letter { to, about: About::SecondFactorReset });
        }
        Ok(())
    }

    /// An account within `within`, if the caller may lay hands on it: it is his own, or may do no more
    /// than he. What is refused stands in the trail as `trail`.
    ///
    /// # Errors
    /// 403, 404.
    pub(in crate::users) async fn in_hand(
        &self,
        who: &Principal,
        id: UserId,
        within: &Within,
        trail: &Entry,
    ) -> Result<(Account, Vec<Role>), ApiError> {
        let account = self.store.account(id, within).await?.ok_or_else(|| ApiError::not_found("account"))?;
        let roles = self.store.roles().await?;
        if id != who.user_id
            && let Some(role) = authority::named(&roles, &account.role)
            && !authority::covers(who, role)
        {
            let refusal = forbidden("this account may do more than this credential");
            let trail = trail.clone().by(who).on(id, account.institution.as_deref());
            return Err(authority::refuse(self.store.as_ref(), trail, refusal).await);
        }
        Ok((account, roles))
    }

    async fn change(
        &self,
        wish: Wish<'_>,
        permit: impl Fn(&Account, &[Role]) -> Result<(), ApiError>,
    ) -> Result<Account, ApiError> {
        let Wish { who, id, within, if_match, change, trail } = wish;
        for _ in 0..TRIES {
            let (account, roles) = self.in_hand(who, id, &within, &trail).await?;
            let trail = trail.clone().by(who).on(id, account.institution.as_deref());
            match permit(&account, &roles) {
                Ok(()) => {}
                Err(refusal) if refusal.code() == Code::Forbidden => {
                    return Err(authority::refuse(self.store.as_ref(), trail, refusal).await);
                }
                Err(error) => return Err(error),
            }
            if_match.check(account.version)?;
            let change = ChangeAccount {
                id,
                within: within.clone(),
                if_version: Some(account.version),
                change: change.clone(),
                at: self.clock.now(),
                trail: trail.clone(),
            };
            match self.store.change_account(change).await? {
                Changed::Done(account) => {
                    trail.log();
                    return Ok(*account);
                }
                Changed::Missing => return Err(ApiError::not_found("account")),
                Changed::Stale if if_match.is_any() => {}
                Changed::Stale => return Err(stale()),
                Changed::LastAdmin => {
                    return Err(authority::refuse(self.store.as_ref(), trail, last_admin()).await);
                }
                Changed::NoSuchRole => return Err(no_such_role()),
            }
        }
        Err(busy())
    }
}

/// A change that somebody wants.
struct Wish<'a> {
    who: &'a Principal,
    id: UserId,
    within: Within,
    if_match: &'a IfMatch,
    change: Change,
    trail: Entry,
}

/// The own account, or with `scope` those within reach.
pub(in crate::users) fn own_or(who: &Principal, id: UserId, scope: Scope) -> Result<Within, ApiError> {
    if id == who.user_id {
        return Ok(Within::Only(id));
    }
    who.require(scope)?;
    Ok(Within::reach_of(who))
}

/// The error of who would leave nobody that may do everything.
pub(in crate::users) fn last_admin() -> ApiError {
    ApiError::new(Code::Conflict, "this is the last administrator: make another one first")
}

/// The error of who was overtaken each time.
pub(in crate::users) fn busy() -> ApiError {
    ApiError::new(Code::Conflict, "others change this account at this very moment: repeat")
}

fn forbidden(detail: &str) -> ApiError {
    ApiError::new(Code::Forbidden, detail)
}

fn no_such_role() -> ApiError {
    ApiError::invalid("role", "must be a role that there is: `GET /api/users/roles` lists them")
}

/// The names of what is described: the trail says what was changed, not to what.
fn fields(description: &Description) -> Vec<&'static str> {
    let Description { name, avatar, preferences, profile, metadata, institution } = description;
    [
        ("name", name.is_some()),
        ("avatar", avatar.is_some()),
        ("preferences", preferences.is_some()),
        ("profile", profile.is_some()),
        ("metadata", metadata.is_some()),
        ("institution", institution.is_some()),
    ]
    .into_iter()
    .filter_map(|(field, given)| given.then_some(field))
    .collect()
}

#[cfg(test)]
mod tests;
