//! Logging in, staying in, and out again.
//!
//! A log-in costs the same whether there is such an account or not. A refresh token is good once;
//! one that comes back is theft and ends its session, except that who lost the answer (or has two
//! tabs) may ask again for a moment and gets the same successor (RFC 9700 §4.14.2).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::kit::auth::Principal;
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::http::client::network;
use crate::kit::http::context;
use crate::kit::ids::{Ids, SessionId, UserId};
use crate::users::account::{Account, Email, Status};
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::beat;
use crate::users::local::access::devices::{Device, Devices};
use crate::users::local::access::limits::{Limits, Try, Whence};
use crate::users::local::access::password::{Match, Password, Passwords};
use crate::users::local::access::signing::Signer;
use crate::users::local::seal::{Purpose as Sealing, Seal};
use crate::users::local::secret::{self, ONE_TIME_PREFIX, REFRESH_PREFIX};
use crate::users::store::{
    Change, ChangeAccount, EndSessions, Login, NETWORKS_KNOWN_FOR, NewSession, OneTime, Purpose, Rotate,
    Rotation, Session, UserStore, Which, Within,
};

/// How long a log-in may wait for its second factor.
pub const SECOND_FACTOR_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// How long sessions go on.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// Without a refresh.
    pub lifetime: SignedDuration,
    /// With refreshes.
    pub longest: SignedDuration,
    /// How long a refresh token that was used may come again.
    pub grace: SignedDuration,
}

/// What somebody gets who is in.
#[derive(Debug)]
pub struct Tokens {
    /// For requests.
    pub access: SecretString,
    /// How long that is good.
    pub expires_in: SignedDuration,
    /// For the next access token.
    pub refresh: SecretString,
    /// The session that they belong to.
    pub session: SessionId,
    /// By which the device is known the next time.
    pub device: SecretString,
    /// Whose it is.
    pub account: Account,
}

/// What a password comes to.
#[derive(Debug)]
pub enum LoggedIn {
    /// In.
    Yes(Box<Tokens>),
    /// Not before the second factor; the token stands for what was shown so far.
    SecondFactor(SecretString),
}

/// Sessions.
#[derive(Debug)]
pub struct Sessions {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) passwords: Passwords,
    pub(in crate::users) signer: Arc<Signer>,
    pub(in crate::users) seal: Arc<Seal>,
    pub(in crate::users) limits: Arc<Limits>,
    pub(in crate::users) devices: Devices,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
    pub(in crate::users) options: SessionOptions,
}

impl Sessions {
    /// Checks a password. `device` is what an earlier log-in gave the device that asks.
    ///
    /// # Errors
    /// 401 for a wrong one or an unknown address, 403 for an account that may not log in, 429 after
    /// too many tries.
    pub async fn log_in(
        &self,
        email: &str,
        password: &str,
        device: Option<&str>,
    ) -> Result<LoggedIn, ApiError> {
        let device = self.origin(device).await?;
        let begun = Instant::now();
        let email = Email::parse(email);
        let login = match &email {
            Ok(email) => self.store.by_email(email).await?,
            Err(_) => None,
        };
        let account = login.as_ref().map(|login| &login.account);
        let name = email.as_ref().map_or("", Email::key);
        let attempt = self.attempt(name, account.map(|account| account.id), device).await?;
        let password = Password::typed(password);
        let kept = login.as_ref().and_then(|login| login.password.as_deref());
        let matched = self.passwords.compare(&password, kept).await?;
        let (Some(login), Match::Yes { outdated }) = (&login, matched) else {
            self.refused(account, "password").await?;
            beat::next(begun).await;
            return Err(ApiError::new(Code::Unauthorized, "the e-mail address or the password is wrong"));
        };
        self.may_log_in(&login.account).await?;
        attempt.succeeded().await;
        if outdated && let Err(error) = self.rehash(login, &password).await {
            // It can be done at the next log-in as well.
            tracing::debug!(%error, "a password could not be hashed with today's parameters");
        }
        if login.totp.is_some() {
            return self.ask_second_factor(login.account.id).await.map(LoggedIn::SecondFactor);
        }
        self.open(login.account.clone(), "password").await.map(|tokens| LoggedIn::Yes(Box::new(tokens)))
    }

    /// Lets a request to get in come from where it comes from: the device that it answers with, if that
    /// is a known one.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub(in crate::users) async fn origin(&self, device: Option<&str>) -> Result<Option<Device>, ApiError> {
        let device = device.and_then(|token| self.devices.read(token));
        self.limits.origin_or(device).await?;
        Ok(device)
    }

    /// Lets a try at an account through, counted by where it comes from.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub(in crate::users) async fn attempt(
        &self,
        name: &str,
        user: Option<UserId>,
        device: Option<Device>,
    ) -> Result<Try<'_>, ApiError> {
        match device {
            Some(device) if Some(device.user) == user => {
                return self.limits.attempt(name, Whence::Device(device.id)).await;
            }
            // Somebody else's is no way around the limits of where it is.
            Some(_) => self.limits.origin().await?,
            None => {}
        }
        let origin = context::current().and_then(|context| context.client.address).map(network);
        let known = match origin {
            Some(network) => {
                let since = self.clock.now().saturating_sub(NETWORKS_KNOWN_FOR).unwrap_or(Timestamp::MIN);
                // Asked for nobody, too: it takes as long.
                let user = user.unwrap_or_else(|| uuid::Uuid::nil().into());
                self.store.knows_network(user, &network.to_string(), since).await?
            }
            None => true,
        };
        self.limits.attempt(name, if known { Whence::KnownNetwork } else { Whence::Elsewhere }).await
    }

    /// Whether an account may be used, once its owner has shown to be that.
    pub(in crate::users) async fn may_log_in(&self, account: &Account) -> Result<(), ApiError> {
        let why = match account.status {
            Status::Active => return Ok(()),
            Status::Pending => "verify the e-mail address first: a message with a token was sent to it",
            Status::Inactive => "this account is not in use; an administrator can activate it",
            Status::Suspended => "this account is suspended; ask an administrator",
        };
        self.refused(Some(account), account.status.as_str()).await?;
        Err(ApiError::new(Code::Forbidden, why))
    }

    /// Notes a log-in that was refused.
    pub(in crate::users) async fn refused(
        &self,
        account: Option<&Account>,
        why: &str,
    ) -> Result<(), ApiError> {
        metrics::counter!("voicera_users_logins_total", "outcome" => "refused").increment(1);
        let mut entry = self.scribe.entry(Action::Login).refused().with("why", why);
        if let Some(account) = account {
            entry = entry.on(account.id, account.institution.as_deref());
        }
        entry.log();
        Ok(self.store.append(entry).await?)
    }

    async fn rehash(&self, login: &Login, password: &Password) -> Result<(), ApiError> {
        let hash = self.passwords.hash(password).await?;
        let change = ChangeAccount {
            id: login.account.id,
            within: Within::Everyone,
            if_version: Some(login.account.version),
            change: Change::Rehash(hash),
            at: self.clock.now(),
            trail: self.scribe.entry(Action::ChangePassword),
        };
        // Another change came first: then it is for the next log-in.
        self.store.change_account(change).await.map(drop)?;
        Ok(())
    }

    async fn ask_second_factor(&self, user: UserId) -> Result<SecretString, ApiError> {
        let token = secret::fresh(ONE_TIME_PREFIX, self.ids.entropy());
        let now = self.clock.now();
        let expires_at = now.saturating_add(SECOND_FACTOR_WITHIN).unwrap_or(now);
        let one_time = OneTime {
            hash: secret::hash(&token),
            purpose: Purpose::SecondFactor,
            user: Some(user),
            payload: None,
            only: false,
            at: now,
            expires_at,
        };
        self.store.issue(one_time).await?;
        Ok(token)
    }

    /// Opens a session for somebody who has shown who they are by `method`.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(&self, account: Account, method: &str) -> Result<Tokens, ApiError> {
        let id: SessionId = self.ids.fresh();
        let refresh = secret::fresh(REFRESH_PREFIX, self.ids.entropy());
        let client = context::current().map(|context| context.client.clone()).unwrap_or_default();
        let now = self.clock.now();
        let mut trail = self
            .scribe
            .entry(Action::Login)
            .on(account.id, account.institution.as_deref())
            .with("method", method)
            .with("session", id.to_string());
        trail.actor = Some(account.id);
        let session = NewSession {
            id,
            user: account.id,
            epoch: account.epoch,
            device: client.device,
            address: client.address.map(|address| address.to_string()),
            network: client.address.map(|address| network(address).to_string()),
            method: method.to_owned(),
            refresh: secret::hash(&refresh),
            at: now,
            expires_at: now.saturating_add(self.options.lifetime).unwrap_or(Timestamp::MAX),
            trail: trail.clone(),
        };
        if !self.store.open_session(session).await? {
            let detail = "the account has changed since the log-in began: log in again";
            return Err(ApiError::new(Code::Unauthorized, detail));
        }
        trail.log();
        metrics::counter!("voicera_users_logins_total", "outcome" => "done").increment(1);
        self.tokens(account, id, refresh).await
    }

    async fn tokens(
        &self,
        account: Account,
        session: SessionId,
        refresh: SecretString,
    ) -> Result<Tokens, ApiError> {
        let access = self.signer.sign(&account, session).await?.into();
        let device = self.devices.token(Device { user: account.id, id: session.uuid() });
        Ok(Tokens { access, expires_in: self.signer.lifetime(), refresh, session, device, account })
    }

    /// Trades a refresh token for new tokens.
    ///
    /// # Errors
    /// 401 for one that is not known, or was used; 429 for a session that is refreshed without end, and
    /// for whoever brings many that are not known.
    pub async fn refresh(&self, presented: &str) -> Result<Tokens, ApiError> {
        let hash = secret::hash_of(presented);
        let Some(session) = self.store.refreshed_by(&hash).await? else {
            self.limits.origin().await?;
            return Err(not_good());
        };
        self.limits.refresh(session).await?;
        let salt: [u8; 32] = self.ids.entropy().bytes();
        let successor = self.successor(presented, &salt);
        let address = context::current().and_then(|context| context.client.address);
        let rotate = Rotate {
            presented: hash,
            successor: secret::hash(&successor),
            salt,
            grace: self.options.grace,
            lifetime: self.options.lifetime,
            longest: self.options.longest,
            address: address.map(|address| address.to_string()),
            network: address.map(|address| network(address).to_string()),
            at: self.clock.now(),
            reuse: self.scribe.entry(Action::Reuse),
        };
        let reuse = rotate.reuse.clone();
        match self.store.rotate(rotate).await? {
            Rotation::Next { session, account } => {
                count("done");
                self.tokens(*account, session, successor).await
            }
            Rotation::Again { session, account, salt } => {
                count("again");
                self.tokens(*account, session, self.successor(presented, &salt)).await
            }
            Rotation::Reused => {
                count("reused");
                reuse.log();
                Err(ApiError::new(
                    Code::Unauthorized,
                    "this refresh token was used before: the session has been ended, log in again",
                ))
            }
            Rotation::Unknown => Err(not_good()),
        }
    }

    /// The token after `presented`: who has that one and this installation's secret can make it
    /// again, nobody else.
    fn successor(&self, presented: &str, salt: &[u8; 32]) -> SecretString {
        let bits = self.seal.derive(Sealing::Refresh, &[presented.as_bytes(), salt]);
        secret::written(REFRESH_PREFIX, &bits)
    }

    /// Somebody's sessions, latest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, user: UserId) -> Result<Vec<Session>, ApiError> {
        Ok(self.store.sessions(user, self.clock.now()).await?)
    }

    /// Ends sessions of the caller's own; answers how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn end(&self, who: &Principal, which: Which) -> Result<u64, ApiError> {
        let trail = self.scribe.entry(Action::Logout).by(who).on(who.user_id, who.institution.as_deref());
        self.end_of(who.user_id, which, trail).await
    }

    async fn end_of(&self, user: UserId, which: Which, trail: Entry) -> Result<u64, ApiError> {
        trail.log();
        Ok(self.store.end_sessions(EndSessions { user, which, at: self.clock.now(), trail }).await?)
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("voicera_users_refreshes_total", "outcome" => outcome).increment(1);
}

/// The refusal of a refresh token that is unknown, or whose session is over.
fn not_good() -> ApiError {
    count("refused");
    ApiError::new(Code::Unauthorized, "this refresh token is not good: log in again")
}
