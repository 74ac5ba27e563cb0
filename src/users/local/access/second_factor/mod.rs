//! The second factor: set up, asked for at a log-in, taken off.
//!
//! A code by the clock is good once, and so is a recovery code. A log-in that waits for its second
//! factor may be tried five times; what is tried counts against the account, too.

mod codes;
mod recovery;
#[cfg(test)]
mod tests;
mod totp;

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::SecretString;

pub(in crate::users) use codes::{Codes, label};
use totp::Totp;

use crate::kit::auth::Principal;
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::ids::Ids;
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::sessions::{Sessions, Tokens};
use crate::users::local::access::step_up::{Proof, StepUp, code_tries};
use crate::users::local::seal::{Purpose as Sealing, Seal};
use crate::users::local::secret::{self, ONE_TIME_PREFIX};
use crate::users::store::{
    DisableTotp, EnableTotp, Hash, OneTime, Purpose, Redeemed, RenewRecoveryCodes, UserStore,
};

/// How long setting up may take.
pub const ENROL_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// How often a challenge, or a secret that is being set up, may be tried.
const TRIES: u32 = 5;

/// Second factors.
#[derive(Debug)]
pub struct SecondFactors {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) sessions: Arc<Sessions>,
    pub(in crate::users) step_up: Arc<StepUp>,
    pub(in crate::users) codes: Arc<Codes>,
    pub(in crate::users) seal: Arc<Seal>,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
}

/// A second factor that is being set up.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret in base32, for who types it.
    pub secret: SecretString,
    /// The same for a QR code.
    pub uri: SecretString,
    /// What the first code is to be sent with.
    pub token: SecretString,
}

impl SecondFactors {
    /// Makes a secret; it counts once a code of it has been shown.
    ///
    /// # Errors
    /// 403 without proof of who one is, 409 when there is a second factor.
    pub async fn enrol(&self, who: &Principal, proof: &Proof) -> Result<Enrolment, ApiError> {
        let login = self.step_up.prove(who, proof, Action::EnableTotp).await?;
        if login.totp.is_some() {
            return Err(set_up_already());
        }
        let bits = totp::fresh_secret(self.ids.entropy());
        let totp = Totp::new(&bits, label(&login.account)).map_err(ApiError::internal)?;
        let token = secret::fresh(ONE_TIME_PREFIX, self.ids.entropy());
        let hash = secret::hash(&token);
        let payload = self.seal.seal(Sealing::Payload, &hash, &bits).map_err(ApiError::internal)?;
        let now = self.clock.now();
        let pending = OneTime {
            hash,
            purpose: Purpose::EnrolTotp,
            user: Some(who.user_id),
            payload: Some(payload),
            only: true,
            at: now,
            expires_at: now.saturating_add(ENROL_WITHIN).unwrap_or(now),
        };
        self.store.issue(pending).await?;
        let uri = totp.uri().map_err(ApiError::internal)?;
        Ok(Enrolment { secret: totp.base32().into(), uri: uri.into(), token })
    }

    /// Turns the second factor on, for who shows a code of it; answers the recovery codes.
    ///
    /// # Errors
    /// 422 for a wrong code, and for a token that has expired or was tried too often.
    pub async fn confirm(
        &self,
        who: &Principal,
        token: &str,
        code: &str,
    ) -> Result<Vec<SecretString>, ApiError> {
        who.session()?;
        let (hash, now) = (secret::hash_of(token), self.clock.now());
        let stale = || ApiError::invalid("token", "has expired or was tried too often: begin anew");
        let pending = self.store.attempt(Purpose::EnrolTotp, &hash, TRIES, now).await?.ok_or_else(stale)?;
        let Redeemed { user: Some(user), payload: Some(payload) } = pending else { return Err(stale()) };
        if user != who.user_id {
            return Err(stale());
        }
        let bits = self.seal.open(Sealing::Payload, &hash, &payload).map_err(ApiError::internal)?;
        // The label matters to nobody here.
        let totp = Totp::new(&bits, "account").map_err(ApiError::internal)?;
        let step = totp.step_of(code, now).ok_or_else(|| {
            ApiError::invalid("code", "is not the one of now: is the clock of the device right?")
        })?;
        self.store.redeem(Purpose::EnrolTotp, &hash, now).await?.ok_or_else(stale)?;
        let secret =
            self.seal.seal(Sealing::Totp, user.uuid().as_bytes(), &bits).map_err(ApiError::internal)?;
        let (codes, recovery) = self.fresh_codes();
        let trail = self.entry(who, Action::EnableTotp);
        let enable = EnableTotp { user, secret, step, recovery, at: now, trail: trail.clone() };
        if !self.store.enable_totp(enable).await? {
            return Err(set_up_already());
        }
        trail.log();
        Ok(codes)
    }

    /// Takes the second factor off, and the recovery codes with it.
    ///
    /// # Errors
    /// 403 without the password and a code, 404 when there is none.
    pub async fn take_off(&self, who: &Principal, proof: &Proof) -> Result<(), ApiError> {
        self.step_up.prove_fully(who, proof, Action::DisableTotp).await?;
        let trail = self.entry(who, Action::DisableTotp);
        let disable = DisableTotp { user: who.user_id, at: self.clock.now(), trail: trail.clone() };
        if !self.store.disable_totp(disable).await? {
            return Err(ApiError::not_found("second factor"));
        }
        trail.log();
        Ok(())
    }

    /// Makes new recovery codes; the earlier ones are good for nothing any more.
    ///
    /// # Errors
    /// 403 without the password and a code, 404 without a second factor.
    pub async fn renew(&self, who: &Principal, proof: &Proof) -> Result<Vec<SecretString>, ApiError> {
        self.step_up.prove_fully(who, proof, Action::RenewRecovery).await?;
        let (codes, recovery) = self.fresh_codes();
        let trail = self.entry(who, Action::RenewRecovery);
        let renew = RenewRecoveryCodes { user: who.user_id, recovery, trail: trail.clone() };
        if !self.store.renew_recovery_codes(renew).await? {
            return Err(ApiError::not_found("second factor"));
        }
        trail.log();
        Ok(codes)
    }

    /// Finishes a log-in that waits for its second factor.
    ///
    /// # Errors
    /// 401 for a wrong code and for a challenge that has expired or was tried too often, 403 for an
    /// account that may not log in, 429 after too many tries.
    pub async fn log_in(
        &self,
        challenge: &str,
        code: &str,
        device: Option<&str>,
    ) -> Result<Tokens, ApiError> {
        let device = self.sessions.origin(device).await?;
        let (hash, now) = (secret::hash_of(challenge), self.clock.now());
        let tried = self.store.attempt(Purpose::SecondFactor, &hash, TRIES, now).await?;
        let user = tried.and_then(|tried| tried.user).ok_or_else(stale_challenge)?;
        let login = self.store.login(user).await?.ok_or_else(stale_challenge)?;
        let attempt = self.sessions.attempt(&code_tries(&login.account), Some(user), device).await?;
        let Some(factor) = self.codes.accept(&login, code, now).await? else {
            self.sessions.refused(Some(&login.account), "second factor").await?;
            return Err(ApiError::new(Code::Unauthorized, "the code is wrong, or was used"));
        };
        attempt.succeeded().await;
        self.sessions.may_log_in(&login.account).await?;
        self.store.redeem(Purpose::SecondFactor, &hash, now).await?.ok_or_else(stale_challenge)?;
        self.sessions.open(login.account, factor.method()).await
    }

    fn fresh_codes(&self) -> (Vec<SecretString>, Vec<Hash>) {
        let codes = recovery::fresh(self.ids.entropy());
        let hashes = codes.iter().filter_map(|code| {
            use secrecy::ExposeSecret as _;
            recovery::read(code.expose_secret())
        });
        let hashes = hashes.collect();
        (codes, hashes)
    }

    fn entry(&self, who: &Principal, action: Action) -> Entry {
        self.scribe.entry(action).by(who).on(who.user_id, who.institution.as_deref())
    }
}

fn set_up_already() -> ApiError {
    ApiError::new(Code::Conflict, "a second factor is set up already: take it off first")
}

fn stale_challenge() -> ApiError {
    ApiError::new(Code::Unauthorized, "the challenge has expired or was tried too often: log in again")
}
