//! Accounts that administrators make.

use super::{Directory, forbidden, no_such_role};
use crate::kit::auth::{Principal, Reach, Scope};
use crate::kit::error::{ApiError, Code};
use crate::kit::ids::UserId;
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::audit::Action;
use crate::users::local::access::password::Password;
use crate::users::local::administration::{authority, description};
use crate::users::store::{Added, NewAccount, Within};

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

/// Whether somebody with `email` is asked in by `who` rather than made: whoever does not reach every
/// account is not to learn from a conflict that an address has one beyond that reach.
pub fn is_asked_in(who: &Principal, email: Option<&Email>) -> bool {
    who.reach != Reach::Everyone && email.is_some()
}

impl Directory {
    /// Makes an account.
    ///
    /// # Errors
    /// 403 for a role that permits more than the caller's credential, for an institution out of reach,
    /// and for a person who has to be invited ([`is_asked_in`]); 409 for an address that somebody has,
    /// 422 for what can't be an account.
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
        if is_asked_in(who, new.email.as_ref()) {
            return Err(forbidden("whoever does not reach every account invites people"));
        }
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
