//! Invitations: who is to have an account, with which role, and where.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::kit::auth::{Principal, Reach, Scope};
use crate::kit::error::{ApiError, Code};
use crate::kit::ids::UserId;
use crate::users::account::{Email, Status};
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::limits::Limits;
use crate::users::local::access::mail::{About, Letter, Mail};
use crate::users::local::access::one_time::{OneTimeTokens, not_good};
use crate::users::local::administration::{authority, description};
use crate::users::local::seal::{Purpose as Sealing, Seal};
use crate::users::local::secret::hash_of;
use crate::users::store::{Purpose, UserStore, Within};

/// How long an invitation is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// When somebody who has been written to often may be written to again.
const WRITE_AGAIN: Duration = Duration::from_mins(5);

/// Invitations.
#[derive(Debug)]
pub struct Invitations {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) one_time: OneTimeTokens,
    pub(in crate::users) seal: Arc<Seal>,
    pub(in crate::users) limits: Arc<Limits>,
    pub(in crate::users) mail: Mail,
    pub(in crate::users) scribe: Scribe,
    /// Whether anybody could accept one.
    pub(in crate::users) accepted: bool,
}

/// What somebody is invited to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The address that the invitation went to, as it is compared.
    email: String,
    /// The role.
    pub role: String,
    /// The institution.
    pub institution: Option<String>,
    /// Who invites.
    pub by: UserId,
}

impl Invitations {
    /// Invites somebody; answers until when that is good. Says nothing about whether the address has
    /// an account: who invites may not be one to know.
    ///
    /// # Errors
    /// 403 for what is beyond the inviter's own permissions or reach, 409 when registration is
    /// closed, 422 for what is no address or no role, 429 for an address that was written to often.
    pub async fn invite(
        &self,
        who: &Principal,
        email: &str,
        role: &str,
        institution: Option<&str>,
    ) -> Result<Timestamp, ApiError> {
        who.require(Scope::UsersWrite)?;
        if !self.accepted {
            return Err(ApiError::new(
                Code::Conflict,
                "registration is closed (`users.registration`): nobody could accept an invitation",
            ));
        }
        let email = Email::parse(email).map_err(|why| ApiError::invalid("email", why.to_string()))?;
        let roles = self.store.roles().await?;
        let role = authority::named(&roles, role)
            .ok_or_else(|| ApiError::invalid("role", "is no role; `GET /api/users/roles` lists them"))?;
        let asked = asked_for(institution)?;
        let trail = self.scribe.entry(Action::Invite).by(who).with("role", role.name.as_str());
        let institution = match authority::over(who, role).and_then(|()| within_reach(who, asked)) {
            Ok(institution) => institution,
            Err(refusal) => {
                let trail = Entry { institution: who.institution.clone(), ..trail };
                return Err(authority::refuse(self.store.as_ref(), trail, refusal).await);
            }
        };
        if !self.limits.may_write_to(email.key()).await {
            let detail = "this address has been written to often: wait as long as `retry-after` says";
            return Err(ApiError::new(Code::RateLimited, detail).retry_after(WRITE_AGAIN));
        }
        let invited = Invited {
            email: email.key().to_owned(),
            role: role.name.clone(),
            institution: institution.clone(),
            by: who.user_id,
        };
        let payload = serde_json::to_vec(&invited).map_err(ApiError::internal)?;
        let seal =
            |owner: &[u8]| self.seal.seal(Sealing::Payload, owner, &payload).map_err(ApiError::internal);
        let (token, expires_at) = self.one_time.issue_with(Purpose::Invite, GOOD_FOR, seal).await?;
        let trail = Entry { institution, ..trail };
        trail.log();
        self.store.append(trail).await?;
        self.mail.send(Letter { to: email, about: About::Invite(token) });
        Ok(expires_at)
    }

    /// What the invitation `token` for `email` is to. It stays good until it is accepted.
    ///
    /// # Errors
    /// 422 for one that is not good, or for another address.
    pub async fn read(&self, token: &str, email: &Email) -> Result<Invited, ApiError> {
        let refused = || not_good("invitation");
        let found = self
            .one_time
            .look_at(Purpose::Invite, token)
            .await
            .map_err(|error| if error.code() == Code::Invalid { refused() } else { error })?;
        let sealed = found.payload.ok_or_else(refused)?;
        let clear = self.seal.open(Sealing::Payload, &hash_of(token), &sealed).map_err(ApiError::internal)?;
        let invited: Invited = serde_json::from_slice(&clear).map_err(ApiError::internal)?;
        if invited.email != email.key() {
            return Err(ApiError::invalid("email", "must be the address that the invitation was sent to"));
        }
        // What somebody promised who is not trusted any more does not hold, nor does a role that is gone.
        if self.still_holds(&invited).await? { Ok(invited) } else { Err(refused()) }
    }

    /// Whether its sender could still send it: what somebody promised who may not any more does not hold.
    async fn still_holds(&self, invited: &Invited) -> Result<bool, ApiError> {
        let Some(inviter) = self.store.account(invited.by, &Within::Everyone).await? else {
            return Ok(false);
        };
        let roles = self.store.roles().await?;
        let named = |name: &str| authority::named(&roles, name);
        let (Some(own), Some(given)) = (named(&inviter.role), named(&invited.role)) else {
            return Ok(false);
        };
        let within = match own.reach {
            Reach::Everyone => true,
            Reach::Institution => inviter.institution.is_some() && inviter.institution == invited.institution,
            Reach::Own => false,
        };
        Ok(inviter.status == Status::Active
            && within
            && own.permissions.contains(&Scope::UsersWrite)
            && authority::role_covers(own, given))
    }

    /// Uses an invitation up. That it is gone already is no matter: its address has an account then.
    ///
    /// # Errors
    /// The store's.
    pub async fn accept(&self, token: &str) -> Result<(), ApiError> {
        match self.one_time.redeem(Purpose::Invite, token).await {
            Err(error) if error.code() != Code::Invalid => Err(error),
            _ => Ok(()),
        }
    }
}

/// The institution that was asked for, as it is kept.
fn asked_for(institution: Option<&str>) -> Result<Option<String>, ApiError> {
    let asked = institution.filter(|name| !name.trim().is_empty());
    asked.map(|name| description::name("institution", name.to_owned())).transpose()
}

/// The institution that an account gets which `who` invites.
fn within_reach(who: &Principal, asked: Option<String>) -> Result<Option<String>, ApiError> {
    match (who.reach, &who.institution) {
        (Reach::Everyone, _) => Ok(asked),
        (Reach::Institution, Some(own)) if asked.as_ref().is_none_or(|name| name == own) => {
            Ok(Some(own.clone()))
        }
        _ => Err(ApiError::new(Code::Forbidden, "you can invite into your own institution alone")),
    }
}

#[cfg(test)]
mod tests;
