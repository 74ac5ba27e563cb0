//! How passwords change: by who knows the old one, and by who reads the messages to the account's
//! address.

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::SecretString;

use crate::kit::auth::Principal;
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::ids::{Ids, SessionId};
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::devices::Device;
use crate::users::local::access::limits::Limits;
use crate::users::local::access::mail::{About, Letter, Mail};
use crate::users::local::access::one_time::{OneTimeTokens, not_good};
use crate::users::local::access::password::{Match, Password, Passwords};
use crate::users::local::access::registration::own_words;
use crate::users::local::access::sessions::Sessions;
use crate::users::store::{Change, ChangeAccount, Changed, Purpose, UserStore, Within};

/// How long a message to reset a password is good.
const RESET_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Passwords, and how they change.
#[derive(Debug)]
pub struct Credentials {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) passwords: Passwords,
    pub(in crate::users) sessions: Arc<Sessions>,
    pub(in crate::users) one_time: OneTimeTokens,
    pub(in crate::users) limits: Arc<Limits>,
    pub(in crate::users) mail: Mail,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
}

impl Credentials {
    /// Sends a message with which the password can be set, if the address has an account.
    ///
    /// # Errors
    /// 422 for what is no address, 429 after too many tries; never a word on whether the address has
    /// an account.
    pub async fn ask_reset(&self, email: &str) -> Result<(), ApiError> {
        self.limits.origin().await?;
        let email = Email::parse(email).map_err(|why| ApiError::invalid("email", why.to_string()))?;
        let may_write = self.limits.may_write_to(email.key()).await;
        let account = self.store.by_email(&email).await?.map(|login| login.account);
        let account = account.filter(|account| account.kind == Kind::Person);
        let mut entry = self.scribe.entry(Action::AskReset);
        if let Some(account) = &account {
            entry = entry.on(account.id, account.institution.as_deref());
        }
        entry.log();
        self.store.append(entry).await?;
        // Without a message the earlier one has to stay good.
        match account.filter(|_| may_write) {
            Some(account) => {
                let token = self.one_time.issue(Purpose::Reset, account.id, RESET_WITHIN).await?;
                self.mail.send(Letter { to: account.address().unwrap_or(email), about: About::Reset(token) });
                Ok(())
            }
            None => self.one_time.pretend(Purpose::Reset).await,
        }
    }

    /// Sets the password of the account that `token` is about, and ends all of its sessions. Who has
    /// the token reads the messages to the address, so that is verified, too. Answers with a token for the
    /// device: nobody's guesses make its owner wait.
    ///
    /// # Errors
    /// 422 for a token that is not good, or a password that is too easy: then the token stays good.
    pub async fn reset(&self, token: &str, password: &str) -> Result<SecretString, ApiError> {
        self.limits.origin().await?;
        let found = self.one_time.look_at(Purpose::Reset, token).await?;
        let account = match found.user {
            Some(user) => self.store.account(user, &Within::Everyone).await?,
            None => None,
        };
        let account = account.ok_or_else(|| not_good("token"))?;
        let password = fresh("password", password, &account)?;
        let hash = self.passwords.hash(&password).await?;
        self.one_time.redeem(Purpose::Reset, token).await?;
        let trail = |action| {
            let mut entry = self.scribe.entry(action).on(account.id, account.institution.as_deref());
            entry.actor = Some(account.id);
            entry
        };
        self.set(&account, hash, None, trail(Action::ResetPassword)).await?;
        if !account.email_verified || account.status == Status::Pending {
            self.change(&account, None, Change::Verified, trail(Action::Verify)).await?;
        }
        let device = Device { user: account.id, id: self.ids.fresh() };
        Ok(self.sessions.devices.token(device))
    }

    /// Sets the password of who knows the old one, and ends the other sessions.
    ///
    /// # Errors
    /// 403 for an API key, 422 for a wrong old password or a new one that is too easy, 429 after too
    /// many tries.
    pub async fn change_password(&self, who: &Principal, current: &str, new: &str) -> Result<(), ApiError> {
        let session = who.session()?;
        let login = self.store.login(who.user_id).await?.ok_or_else(|| ApiError::not_found("account"))?;
        let account = &login.account;
        let email = account.address();
        let own_name = who.user_id.to_string();
        // By the name under which log-ins are counted, so that the one is no way around the other.
        let name = email.as_ref().map_or(own_name.as_str(), Email::key);
        let device = Device { user: who.user_id, id: session.uuid() };
        let attempt = self.sessions.attempt(name, Some(who.user_id), Some(device)).await?;
        let matched = self.passwords.compare(&Password::typed(current), login.password.as_deref()).await?;
        let entry =
            self.scribe.entry(Action::ChangePassword).by(who).on(account.id, account.institution.as_deref());
        if matched == Match::No {
            let refused = entry.refused();
            refused.log();
            self.store.append(refused).await?;
            return Err(ApiError::invalid("current", "is not the password of this account"));
        }
        attempt.succeeded().await;
        let hash = self.passwords.hash(&fresh("new", new, account)?).await?;
        self.set(account, hash, Some(session), entry).await
    }

    async fn set(
        &self,
        account: &Account,
        hash: String,
        keep: Option<SessionId>,
        trail: Entry,
    ) -> Result<(), ApiError> {
        self.change(account, Some(account.version), Change::Password { hash, keep }, trail).await?;
        if let Some(to) = account.address() {
            self.mail.send(Letter { to, about: About::PasswordChanged });
        }
        Ok(())
    }

    /// Changes an account; one that is as it was when `if_version` names that.
    async fn change(
        &self,
        account: &Account,
        if_version: Option<u64>,
        change: Change,
        trail: Entry,
    ) -> Result<(), ApiError> {
        trail.log();
        let at = self.clock.now();
        let change =
            ChangeAccount { id: account.id, within: Within::Everyone, if_version, change, at, trail };
        match self.store.change_account(change).await? {
            Changed::Done(_) => Ok(()),
            Changed::Stale => {
                Err(ApiError::new(Code::Conflict, "the account was changed at the same time: try again"))
            }
            _ => Err(ApiError::not_found("account")),
        }
    }
}

/// The password in `text`, if it is good enough for the account.
fn fresh(field: &str, text: &str, account: &Account) -> Result<Password, ApiError> {
    let email = account.email.as_deref().unwrap_or_default();
    Password::fresh(text, &own_words(&account.name, email)).map_err(|why| ApiError::invalid(field, why))
}

#[cfg(test)]
mod tests;
