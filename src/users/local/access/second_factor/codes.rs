//! Whether a code is somebody's second factor, now and for the first time.

use std::sync::Arc;

use jiff::Timestamp;

use super::recovery;
use super::totp::Totp;
use crate::kit::error::ApiError;
use crate::users::account::Account;
use crate::users::local::seal::{Purpose as Sealing, Seal};
use crate::users::store::{Login, UserStore};

/// What a code turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::users) enum Factor {
    /// One by the clock.
    Totp,
    /// A recovery code.
    Recovery,
}

impl Factor {
    /// How a log-in with a password and this was done.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Totp => "password+totp",
            Self::Recovery => "password+recovery",
        }
    }
}

/// Checks codes and uses them up.
#[derive(Debug)]
pub(in crate::users) struct Codes {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) seal: Arc<Seal>,
}

impl Codes {
    /// Checks a code of somebody's and uses it up; `None` for a wrong or a used one.
    ///
    /// # Errors
    /// The store's, or a seal that is not this installation's.
    pub(in crate::users) async fn accept(
        &self,
        login: &Login,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<Factor>, ApiError> {
        let Some(sealed) = &login.totp else { return Ok(None) };
        let user = login.account.id;
        // First: these open no seal, so they let in who has lost that, too.
        if let Some(hash) = recovery::read(code) {
            let used = self.store.use_recovery_code(user, &hash, now).await?;
            return Ok(used.then_some(Factor::Recovery));
        }
        let secret =
            self.seal.open(Sealing::Totp, user.uuid().as_bytes(), sealed).map_err(ApiError::internal)?;
        let totp = Totp::new(&secret, label(&login.account)).map_err(ApiError::internal)?;
        let Some(step) = totp.step_of(code, now) else { return Ok(None) };
        let used = self.store.use_totp_step(user, step).await?;
        Ok(used.then_some(Factor::Totp))
    }
}

/// What an authenticator calls an account.
pub(in crate::users) fn label(account: &Account) -> &str {
    match &account.email {
        Some(email) => email,
        None if account.name.is_empty() => "account",
        None => &account.name,
    }
}
