//! How accounts begin: registration, with or without an invitation, and the address that it has to
//! be shown to reach.
//!
//! Whether an address has an account is nobody's business: the answer is the same and takes as long
//! (one password hash, two writes), and only the message to that address says more.

mod unverified;

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::SecretString;

use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code, FieldError};
use crate::kit::ids::{Ids, UserId};
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::devices::{Device, Devices};
use crate::users::local::access::invitations::{Invitations, Invited};
use crate::users::local::access::limits::Limits;
use crate::users::local::access::mail::{About, Letter, Mail};
use crate::users::local::access::one_time::{OneTimeTokens, not_good};
use crate::users::local::access::password::{Match, Password, Passwords};
use crate::users::local::administration::directory::busy;
use crate::users::store::{Added, Change, ChangeAccount, Changed, NewAccount, Purpose, UserStore, Within};

/// How long an address may take to be verified.
const VERIFY_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// The longest name of a person, in characters.
const LONGEST_NAME: usize = 100;

/// How often an account is looked at again that was changed meanwhile.
const TRIES: u32 = 5;

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everybody.
    Open,
    /// Whoever was invited.
    Invitation,
    /// Nobody.
    Closed,
}

/// How accounts begin.
#[derive(Debug, Clone)]
pub struct RegistrationOptions {
    /// Who may register.
    pub mode: Mode,
    /// The role of whoever does without an invitation.
    pub default_role: String,
    /// How long an account may wait for its address to be verified.
    pub unverified_for: SignedDuration,
}

/// Registration.
#[derive(Debug)]
pub struct Registration {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) passwords: Passwords,
    pub(in crate::users) invitations: Arc<Invitations>,
    pub(in crate::users) one_time: OneTimeTokens,
    pub(in crate::users) limits: Arc<Limits>,
    pub(in crate::users) devices: Devices,
    pub(in crate::users) mail: Mail,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
    pub(in crate::users) options: RegistrationOptions,
}

/// Who wants an account, as it was typed.
#[derive(Clone, Copy)]
pub struct Applicant<'a> {
    /// The name.
    pub name: &'a str,
    /// The address.
    pub email: &'a str,
    /// The password.
    pub password: &'a str,
    /// The token of an invitation.
    pub invitation: Option<&'a str>,
}

/// The same, read.
struct Checked {
    name: String,
    email: Email,
    password: Password,
}

impl Registration {
    /// Makes an account, unless the address has one.
    ///
    /// # Errors
    /// 403 when registration is closed, 422 for fields that are not good, 429 after too many tries;
    /// never a word on whether the address has an account.
    pub async fn register(&self, applicant: Applicant<'_>) -> Result<(), ApiError> {
        self.limits.origin().await?;
        if self.options.mode == Mode::Closed {
            return Err(ApiError::new(
                Code::Forbidden,
                "registration is closed: ask an administrator for an account",
            ));
        }
        let Checked { name, email, password } = check(&applicant)?;
        let invited = match applicant.invitation {
            Some(token) => Some(self.invitations.read(token, &email).await?),
            None if self.options.mode == Mode::Invitation => {
                return Err(ApiError::invalid(
                    "invitation",
                    "is missing: one registers here by invitation alone",
                ));
            }
            None => {
                self.check_default_role().await?;
                None
            }
        };
        let hash = self.passwords.hash(&password).await?;
        let known = self.store.by_email(&email).await?.map(|login| login.account);
        let has_account = match (known, &invited) {
            (None, _) => self.begin(name, email, hash, invited.as_ref()).await?,
            (Some(account), Some(invited)) => self.take_over(account, email, hash, invited).await?,
            (Some(account), None) if self.may_begin_again(&account) => {
                self.begin_again(&account, email, hash).await?
            }
            (Some(account), None) => self.refuse(Some(&account), email).await?,
        };
        match applicant.invitation.filter(|_| has_account) {
            Some(token) => self.invitations.accept(token).await,
            None => Ok(()),
        }
    }

    /// An account of a role that there is not would be good for nothing.
    async fn check_default_role(&self) -> Result<(), ApiError> {
        let role = &self.options.default_role;
        if self.store.roles().await?.iter().any(|known| known.name == *role) {
            return Ok(());
        }
        let why = format!("users.default_role is `{role}`, and there is no such role");
        Err(ApiError::internal(std::io::Error::other(why)))
    }

    async fn begin(
        &self,
        name: String,
        email: Email,
        hash: String,
        invited: Option<&Invited>,
    ) -> Result<bool, ApiError> {
        let id: UserId = self.ids.fresh();
        let institution = invited.and_then(|invited| invited.institution.clone());
        let mut trail = self.entry(Action::Register, id, institution.as_deref());
        if let Some(invited) = invited {
            trail = trail.with("invitedBy", invited.by.to_string());
        }
        trail.log();
        let account = NewAccount {
            id,
            kind: Kind::Person,
            name,
            email: Some(email.clone()),
            email_verified: invited.is_some(),
            password: Some(hash.clone()),
            status: if invited.is_some() { Status::Active } else { Status::Pending },
            role: invited.map_or(&self.options.default_role, |invited| &invited.role).clone(),
            institution,
            at: self.clock.now(),
            trail,
        };
        match self.store.add_account(account).await? {
            Added::EmailTaken => match (self.store.by_email(&email).await?, invited) {
                (Some(login), Some(invited)) => self.take_over(login.account, email, hash, invited).await,
                _ => self.refuse(None, email).await,
            },
            Added::Done if invited.is_some() => Ok(true),
            Added::Done => {
                let token = self.one_time.issue(Purpose::Verify, id, VERIFY_WITHIN).await?;
                if self.limits.may_write_to(email.key()).await {
                    self.mail.send(Letter { to: email, about: About::Verify(token) });
                }
                Ok(true)
            }
        }
    }

    /// Whether nobody has shown yet that the address is theirs, and nobody else has given the account
    /// anything.
    fn may_begin_again(&self, account: &Account) -> bool {
        account.status == Status::Pending
            && !account.email_verified
            && account.role == self.options.default_role
            && account.institution.is_none()
    }

    /// Somebody registers with an address that was registered and never verified. The later password
    /// counts: whoever came first with an address that is not theirs must not find the door open once
    /// its owner has verified it.
    async fn begin_again(&self, account: &Account, email: Email, hash: String) -> Result<bool, ApiError> {
        // Without a message the earlier one has to stay good.
        if !self.limits.may_write_to(email.key()).await {
            self.pretend(Some(account)).await?;
            return Ok(false);
        }
        let trail = self.entry(Action::Register, account.id, account.institution.as_deref());
        let change = Change::Password { hash, keep: None };
        if !self.change(account, Some(account.version), change, trail).await? {
            // It was verified in between.
            return self.refuse(None, email).await;
        }
        let token = self.one_time.issue(Purpose::Verify, account.id, VERIFY_WITHIN).await?;
        let to = account.address().unwrap_or(email);
        self.mail.send(Letter { to, about: About::Verify(token) });
        Ok(true)
    }

    /// Somebody is invited whose address was registered and never verified: the invitation shows
    /// whose it is. Another registration that comes between is taken over as well.
    async fn take_over(
        &self,
        mut account: Account,
        email: Email,
        hash: String,
        invited: &Invited,
    ) -> Result<bool, ApiError> {
        for _ in 0..TRIES {
            if account.status != Status::Pending {
                return self.refuse(Some(&account), email).await;
            }
            let trail = self
                .entry(Action::Register, account.id, invited.institution.as_deref())
                .with("invitedBy", invited.by.to_string())
                .with("role", invited.role.as_str());
            let change = Change::TakeOver {
                hash: hash.clone(),
                role: invited.role.clone(),
                institution: invited.institution.clone(),
            };
            if self.change(&account, Some(account.version), change, trail).await? {
                return Ok(true);
            }
            match self.store.account(account.id, &Within::Everyone).await? {
                Some(again) => account = again,
                None => break,
            }
        }
        Err(busy())
    }

    /// Tells the owner of an address, and nobody else, that it has an account.
    async fn refuse(&self, account: Option<&Account>, email: Email) -> Result<bool, ApiError> {
        self.pretend(account).await?;
        if self.limits.may_write_to(email.key()).await {
            let to = account.and_then(Account::address).unwrap_or(email);
            self.mail.send(Letter { to, about: About::Registered });
        }
        Ok(false)
    }

    /// Writes as much as where an account begins.
    async fn pretend(&self, account: Option<&Account>) -> Result<(), ApiError> {
        let mut entry = self.scribe.entry(Action::Register).refused();
        if let Some(account) = account {
            entry = entry.on(account.id, account.institution.as_deref());
        }
        entry.log();
        self.store.append(entry).await?;
        self.one_time.pretend(Purpose::Verify).await
    }

    /// Shows that an address reaches somebody, and that it is who chose the password: a stranger may
    /// have registered the address with one of his own. Answers with a token for the device.
    ///
    /// # Errors
    /// 422 for a token or a password that is not good, 429 after too many tries.
    pub async fn verify(&self, token: &str, password: &str) -> Result<SecretString, ApiError> {
        self.limits.origin().await?;
        let found = self.one_time.look_at(Purpose::Verify, token).await?;
        let login = match found.user {
            Some(user) => self.store.login(user).await?,
            None => None,
        };
        let login = login.ok_or_else(|| not_good("token"))?;
        let kept = login.password.as_deref();
        if self.passwords.compare(&Password::typed(password), kept).await? == Match::No {
            return Err(ApiError::invalid(
                "password",
                "is not the one that this address was registered with last: register again to choose one",
            ));
        }
        self.one_time.redeem(Purpose::Verify, token).await?;
        let account = login.account;
        let trail = self.entry(Action::Verify, account.id, account.institution.as_deref());
        if self.change(&account, Some(account.version), Change::Verified, trail).await? {
            return Ok(self.devices.token(Device { user: account.id, id: self.ids.fresh() }));
        }
        Err(not_good("token"))
    }

    /// Sends the message to verify an address once more, if it has an account that waits for it.
    ///
    /// # Errors
    /// 422 for what is no address, 429 after too many tries.
    pub async fn resend(&self, email: &str) -> Result<(), ApiError> {
        self.limits.origin().await?;
        let email = Email::parse(email).map_err(|why| ApiError::invalid("email", why.to_string()))?;
        let may_write = self.limits.may_write_to(email.key()).await;
        let login = self.store.by_email(&email).await?;
        match login.filter(|login| login.account.status == Status::Pending && may_write) {
            Some(login) => {
                let token = self.one_time.issue(Purpose::Verify, login.account.id, VERIFY_WITHIN).await?;
                let to = login.account.address().unwrap_or(email);
                self.mail.send(Letter { to, about: About::Verify(token) });
                Ok(())
            }
            None => self.one_time.pretend(Purpose::Verify).await,
        }
    }

    /// An entry of what the owner of an account does about it, before there is a session.
    fn entry(&self, action: Action, user: UserId, institution: Option<&str>) -> Entry {
        let mut entry = self.scribe.entry(action).on(user, institution);
        entry.actor = Some(user);
        entry
    }

    /// Changes an account; false if it is gone or another version.
    async fn change(
        &self,
        account: &Account,
        if_version: Option<u64>,
        change: Change,
        trail: Entry,
    ) -> Result<bool, ApiError> {
        trail.log();
        let at = self.clock.now();
        let change =
            ChangeAccount { id: account.id, within: Within::Everyone, if_version, change, at, trail };
        Ok(matches!(self.store.change_account(change).await?, Changed::Done(_)))
    }
}

fn check(applicant: &Applicant<'_>) -> Result<Checked, ApiError> {
    let wrong = |field: &str, message: String| FieldError { field: field.to_owned(), message };
    let name = name(applicant.name).map_err(|why| wrong("name", why));
    let email = Email::parse(applicant.email).map_err(|why| wrong("email", why.to_string()));
    let password = Password::fresh(applicant.password, &own_words(applicant.name, applicant.email))
        .map_err(|why| wrong("password", why));
    match (name, email, password) {
        (Ok(name), Ok(email), Ok(password)) => Ok(Checked { name, email, password }),
        (name, email, password) => Err(ApiError::invalid_fields(
            [name.err(), email.err(), password.err()].into_iter().flatten().collect(),
        )),
    }
}

/// The name of an account, without blanks around it.
///
/// # Errors
/// What is wrong with it.
pub(in crate::users) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(format!("must have 1 to {LONGEST_NAME} characters, in one line"));
    }
    Ok(name.to_owned())
}

/// What an attacker who knows somebody tries first.
pub(in crate::users) fn own_words<'a>(name: &'a str, email: &'a str) -> Vec<&'a str> {
    let local = email.split('@').next().unwrap_or_default();
    // The estimate takes longer with every word, and a stranger chooses the name.
    name.split_whitespace().take(8).chain([name, email, local, "voicera"]).collect()
}

#[cfg(test)]
mod tests;
