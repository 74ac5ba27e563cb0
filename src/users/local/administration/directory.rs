//! The accounts, for their owners and for those who look after them.
//!
//! Everybody sees and describes the own account. Others are seen and changed by who has the scope for
//! it, as far as the own role reaches, and never where the account may do more than the caller
//! ([`authority`]). A change is made to the version of the account that was judged, or not at all.

use std::sync::Arc;

use crate::kit::auth::{Principal, Reach, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::http::precondition::{IfMatch, stale};
use crate::kit::ids::{Ids, UserId};
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::api::Role;
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::mail::{About, Letter, Mail};
use crate::users::local::access::password::{Password, Passwords};
use crate::users::local::administration::authority;
use crate::users::local::administration::description;
use crate::users::store::{
    AccountPage, AccountQuery, AccountStats, Added, Change, ChangeAccount, Changed, Description, NewAccount,
    UserStore, Within,
};

/// How often a change is judged anew because another one came first.
const TRIES: u32 = 5;

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

/// An account that an administrator makes.
pub struct NewMember {
    /// Its id, where the client has named what it makes: sent again, it is not made again.
    pub id: Option<UserId>,
    /// A person or a service.
    pub kind: Kind,
    /// Its name, for people.
    pub name: String,
    /// A person's address.
    pub email: Option<Email>,
    /// A person's password; without one it is set with a message to the address.
    pub password: Option<String>,
    /// Its role.
    pub role: String,
    /// Its institution; the caller's if that is as far as he reaches.
    pub institution: Option<String>,
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

    /// Makes an account.
    ///
    /// # Errors
    /// 403 for a role that permits more than the caller's credential and for an institution out of
    /// reach, 409 for an address that somebody has, 422 for what can't be an account.
    pub async fn add(&self, who: &Principal, new: NewMember) -> Result<Account, ApiError> {
        who.require(Scope::UsersWrite)?;
        let name = description::name("name", new.name)?;
        let institution = new.institution.map(|text| description::name("institution", text)).transpose()?;
        may_log_in_so(new.kind, new.email.as_ref(), new.password.as_deref())?;
        let roles = self.store.roles().await?;
        let role = authority::named(&roles, &new.role).ok_or_else(no_such_role)?;
        let id = new.id.unwrap_or_else(|| self.ids.fresh());
        let trail = self
            .scribe
            .entry(Action::Create)
            .by(who)
            .on(id, who.institution.as_deref())
            .with("role", new.role.as_str())
            .with("kind", new.kind.as_str());
        let institution = match authority::over(who, role).and_then(|()| institution_by(who, institution)) {
            Ok(institution) => institution,
            Err(refusal) => return Err(authority::refuse(self.store.as_ref(), trail, refusal).await),
        };
        if new.id.is_some()
            && let Some(made) = self.made_before(id, new.kind, &name, new.email.as_ref()).await?
        {
            return Ok(made);
        }
        let password = match &new.password {
            Some(text) => Some(self.hash(text, &name, new.email.as_ref()).await?),
            None => None,
        };
        let trail = trail.on(id, institution.as_deref());
        let account = NewAccount {
            id,
            kind: new.kind,
            name: name.clone(),
            email: new.email.clone(),
            email_verified: false,
            password,
            // Whoever makes it vouches for it; the address is verified all the same, some day.
            status: Status::Active,
            role: new.role,
            institution,
            at: self.clock.now(),
            trail: trail.clone(),
        };
        if self.store.add_account(account).await? == Added::EmailTaken {
            // The same request a moment ago, or somebody else.
            let made = self.made_before(id, new.kind, &name, new.email.as_ref()).await?;
            return made.ok_or_else(|| {
                ApiError::new(Code::Conflict, "there is an account with this e-mail address")
            });
        }
        trail.log();
        self.store.account(id, &Within::Everyone).await?.ok_or_else(|| ApiError::not_found("account"))
    }

    /// The account that an earlier request of the same name brought.
    async fn made_before(
        &self,
        id: UserId,
        kind: Kind,
        name: &str,
        email: Option<&Email>,
    ) -> Result<Option<Account>, ApiError> {
        let Some(made) = self.store.account(id, &Within::Everyone).await? else { return Ok(None) };
        if made.kind == kind && made.name == name && made.email.as_deref() == email.map(Email::as_str) {
            return Ok(Some(made));
        }
        Err(ApiError::invalid("Idempotency-Key", "was used before, for another request"))
    }

    async fn hash(&self, text: &str, name: &str, email: Option<&Email>) -> Result<String, ApiError> {
        let own = [name, email.map_or("", Email::as_str)];
        let password = Password::fresh(text, &own).map_err(|why| ApiError::invalid("password", why))?;
        self.passwords.hash(&password).await
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
        let others = |_: &Account, _: &[Role]| match id == who.user_id {
            true => {
                Err(forbidden("take your own off with `DELETE /api/auth/totp`, and remove your passkeys"))
            }
            false => Ok(()),
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
                Changed::LastAdmin => return Err(last_admin()),
                Changed::NoSuchRole => return Err(no_such_role()),
            }
        }
        Err(ApiError::new(Code::Conflict, "others change this account at this very moment: repeat"))
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

fn forbidden(detail: &str) -> ApiError {
    ApiError::new(Code::Forbidden, detail)
}

fn no_such_role() -> ApiError {
    ApiError::invalid("role", "must be a role that there is: `GET /api/users/roles` lists them")
}

/// The institution of an account that `who` makes.
fn institution_by(who: &Principal, wanted: Option<String>) -> Result<Option<String>, ApiError> {
    match (who.reach, &who.institution) {
        (Reach::Everyone, _) => Ok(wanted),
        (Reach::Institution, Some(own)) if wanted.as_ref().is_none_or(|wanted| wanted == own) => {
            Ok(Some(own.clone()))
        }
        (Reach::Institution, Some(_)) => Err(forbidden("this credential reaches only its own institution")),
        (Reach::Institution, None) | (Reach::Own, _) => {
            Err(forbidden("this credential reaches no account but its own"))
        }
    }
}

fn may_log_in_so(kind: Kind, email: Option<&Email>, password: Option<&str>) -> Result<(), ApiError> {
    match kind {
        Kind::Person if email.is_none() => Err(ApiError::invalid("email", "is what a person logs in with")),
        Kind::Service if email.is_some() => {
            Err(ApiError::invalid("email", "is for people: a service has API keys"))
        }
        Kind::Service if password.is_some() => {
            Err(ApiError::invalid("password", "is for people: a service has API keys"))
        }
        _ => Ok(()),
    }
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
