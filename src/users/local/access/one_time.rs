//! Tokens that are good once and go out by message.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::kit::clock::SharedClock;
use crate::kit::error::ApiError;
use crate::kit::ids::{Ids, UserId};
use crate::users::local::secret::{self, ONE_TIME_PREFIX, hash_of};
use crate::users::store::{OneTime, Purpose, Redeemed, UserStore};

/// How often a token may be looked at before it is used: whoever mistypes the new password needs
/// more than one try, nobody needs many.
const LOOKS: u32 = 50;

/// Makes tokens and takes them back.
#[derive(Debug, Clone)]
pub struct OneTimeTokens {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
}

impl OneTimeTokens {
    /// A token about the account `user`, in the place of earlier ones; with the time when it ends.
    ///
    /// # Errors
    /// The store's.
    pub async fn issue(
        &self,
        purpose: Purpose,
        user: UserId,
        good_for: SignedDuration,
    ) -> Result<SecretString, ApiError> {
        let token = self.fresh();
        self.keep(&token, purpose, Some(user), None, good_for).await?;
        Ok(token)
    }

    /// A token that carries `payload` (of its own hash) and is about no account yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn issue_with(
        &self,
        purpose: Purpose,
        good_for: SignedDuration,
        payload: impl FnOnce(&[u8]) -> Result<Vec<u8>, ApiError>,
    ) -> Result<(SecretString, Timestamp), ApiError> {
        let token = self.fresh();
        let payload = payload(&secret::hash(&token))?;
        let expires_at = self.keep(&token, purpose, None, Some(payload), good_for).await?;
        Ok((token, expires_at))
    }

    /// Writes what a token would, for nobody: so that it takes as long where there is no account.
    ///
    /// # Errors
    /// The store's.
    pub async fn pretend(&self, purpose: Purpose) -> Result<(), ApiError> {
        self.keep(&self.fresh(), purpose, None, None, SignedDuration::ZERO).await.map(drop)
    }

    /// Looks at a token, which stays.
    ///
    /// # Errors
    /// 422 for one that is not good.
    pub async fn look_at(&self, purpose: Purpose, token: &str) -> Result<Redeemed, ApiError> {
        let found = self.store.attempt(purpose, &hash_of(token), LOOKS, self.clock.now()).await?;
        found.ok_or_else(|| not_good("token"))
    }

    /// Uses a token up.
    ///
    /// # Errors
    /// 422 for one that is not good.
    pub async fn redeem(&self, purpose: Purpose, token: &str) -> Result<Redeemed, ApiError> {
        let found = self.store.redeem(purpose, &hash_of(token), self.clock.now()).await?;
        found.ok_or_else(|| not_good("token"))
    }

    fn fresh(&self) -> SecretString {
        secret::fresh(ONE_TIME_PREFIX, self.ids.entropy())
    }

    async fn keep(
        &self,
        token: &SecretString,
        purpose: Purpose,
        user: Option<UserId>,
        payload: Option<Vec<u8>>,
        good_for: SignedDuration,
    ) -> Result<Timestamp, ApiError> {
        let at = self.clock.now();
        let expires_at = at.saturating_add(good_for).unwrap_or(Timestamp::MAX);
        let hash = secret::hash(token);
        let token = OneTime { hash, purpose, user, payload, only: user.is_some(), at, expires_at };
        self.store.issue(token).await?;
        Ok(expires_at)
    }
}

/// The refusal of a token in `field`.
pub(in crate::users) fn not_good(field: &str) -> ApiError {
    ApiError::invalid(
        field,
        "is not good: it was used, has expired, or there is a later one; ask for another",
    )
}
