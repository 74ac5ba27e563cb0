//! Passkeys: added, used to log in, removed.
//!
//! The device verifies its owner, so a passkey takes the place of password and second factor. It is
//! found by the device itself: a log-in names nobody, and its first answer tells nothing of who has
//! an account here.

mod relying_party;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use webauthn_rs::prelude::{
    CreationChallengeResponse, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, RequestChallengeResponse, WebauthnError,
};

pub use relying_party::{BadRelyingParty, RelyingParty};

use crate::kit::auth::Principal;
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::ids::{Ids, PasskeyId, UserId};
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::access::sessions::{Sessions, Tokens};
use crate::users::local::access::step_up::{Proof, StepUp};
use crate::users::local::seal::{Purpose as Sealing, Seal};
use crate::users::local::secret::{self, ONE_TIME_PREFIX};
use crate::users::store::{
    AddedPasskey, NewPasskey, OneTime, Purpose, RemovePasskey, RemovedPasskey, StoredPasskey, UsedPasskey,
    UserStore, Within,
};

/// How long a browser has for its answer.
pub const CEREMONY_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// How many passkeys somebody may have.
const MOST: u32 = 20;
/// Bytes of an answer that are looked at. The longest honest ones, with the certificates of a TPM,
/// are a third of that.
const LONGEST: usize = 16 * 1024;
/// Characters of a name.
const NAME: std::ops::RangeInclusive<usize> = 1..=100;

/// Passkeys.
#[derive(Debug)]
pub struct Passkeys {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) sessions: Arc<Sessions>,
    pub(in crate::users) step_up: Arc<StepUp>,
    pub(in crate::users) party: RelyingParty,
    pub(in crate::users) seal: Arc<Seal>,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
}

/// The first half of a ceremony.
#[derive(Debug)]
pub struct Ceremony<T> {
    /// What the browser is to be given.
    pub options: T,
    /// What its answer is to be sent with.
    pub token: SecretString,
}

impl Passkeys {
    /// Begins to add a passkey.
    ///
    /// # Errors
    /// 403 for an API key, and without proof of who one is: after a while, and always where there is a
    /// second factor.
    pub async fn start_adding(
        &self,
        who: &Principal,
        proof: &Proof,
    ) -> Result<Ceremony<CreationChallengeResponse>, ApiError> {
        let login = self.step_up.prove_for_passkey(who, proof).await?;
        let known = self.store.passkeys(who.user_id).await?;
        let known = known.into_iter().map(|passkey| passkey.credential_id).collect();
        let (options, state) = self.party.creation(&login.account, known)?;
        let token = self.keep(Purpose::AddPasskey, Some(who.user_id), &state).await?;
        Ok(Ceremony { options, token })
    }

    /// Keeps the passkey that a browser made.
    ///
    /// # Errors
    /// 422 for an answer that is not to this question, 409 for a passkey that is known and for one too
    /// many.
    pub async fn add(
        &self,
        who: &Principal,
        token: &str,
        name: &str,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<StoredPasskey, ApiError> {
        who.session()?;
        let name = name.trim();
        if !NAME.contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(ApiError::invalid(
                "name",
                format!("must have {} to {} characters, all of them visible", NAME.start(), NAME.end()),
            ));
        }
        let size = answer.response.attestation_object.len() + answer.response.client_data_json.len();
        if size > LONGEST {
            return Err(ApiError::invalid("credential", "is longer than any passkey's answer"));
        }
        let stale = || ApiError::invalid("token", "has expired or was used: begin anew");
        let (user, state) =
            self.taken::<PasskeyRegistration>(Purpose::AddPasskey, token).await?.ok_or_else(stale)?;
        if user != Some(who.user_id) {
            return Err(stale());
        }
        if answer.extensions.cred_props.as_ref().is_some_and(|props| props.rk == Some(false)) {
            let why = "is one that the device would not find by itself: take another device or browser";
            return Err(ApiError::invalid("credential", why));
        }
        let passkey = self.party.created(answer, &state).map_err(|error| {
            ApiError::invalid("credential", format!("is not a good answer: {}", in_words(&error)))
        })?;
        self.keep_passkey(who, name, &passkey).await
    }

    async fn keep_passkey(
        &self,
        who: &Principal,
        name: &str,
        passkey: &Passkey,
    ) -> Result<StoredPasskey, ApiError> {
        let (id, now) = (self.ids.fresh::<PasskeyId>(), self.clock.now());
        let trail = self.entry(who, Action::AddPasskey).with("passkey", id.to_string());
        let credential = serde_json::to_string(passkey).map_err(ApiError::internal)?;
        let stored = StoredPasskey {
            id,
            credential_id: passkey.cred_id().clone(),
            user: who.user_id,
            name: name.to_owned(),
            credential: credential.clone(),
            created_at: now,
            last_used_at: None,
        };
        let new = NewPasskey {
            id,
            credential_id: stored.credential_id.clone(),
            user: stored.user,
            name: stored.name.clone(),
            credential,
            most: MOST,
            at: now,
            trail: trail.clone(),
        };
        match self.store.add_passkey(new).await? {
            AddedPasskey::Done => {
                trail.log();
                Ok(stored)
            }
            AddedPasskey::Known => Err(ApiError::new(Code::Conflict, "this passkey is known already")),
            AddedPasskey::NoAccount => Err(ApiError::not_found("account")),
            AddedPasskey::TooMany => Err(ApiError::new(
                Code::Conflict,
                format!("there are {MOST} passkeys already: remove one first"),
            )),
        }
    }

    /// Somebody's passkeys, earliest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, user: UserId) -> Result<Vec<StoredPasskey>, ApiError> {
        Ok(self.store.passkeys(user).await?)
    }

    /// Removes a passkey of the caller's own.
    ///
    /// # Errors
    /// 403 without proof of who one is after a while, 404 for none of one's own, 409 for the last way
    /// to log in.
    pub async fn remove(&self, who: &Principal, id: PasskeyId, proof: &Proof) -> Result<(), ApiError> {
        self.step_up.prove_unless_fresh(who, proof, Action::RemovePasskey).await?;
        let trail = self.entry(who, Action::RemovePasskey).with("passkey", id.to_string());
        let remove = RemovePasskey { id, user: who.user_id, trail: trail.clone() };
        match self.store.remove_passkey(remove).await? {
            RemovedPasskey::Done => {
                trail.log();
                Ok(())
            }
            RemovedPasskey::Missing => Err(ApiError::not_found("passkey")),
            RemovedPasskey::LastWayIn => Err(ApiError::new(
                Code::Conflict,
                "this is the only way to log in: add another passkey or set a password first",
            )),
        }
    }

    /// Begins a log-in, by whomever.
    ///
    /// # Errors
    /// 429 when they come too often.
    pub async fn start_log_in(
        &self,
        device: Option<&str>,
    ) -> Result<Ceremony<RequestChallengeResponse>, ApiError> {
        self.sessions.origin(device).await?;
        let (options, state) = self.party.request()?;
        let token = self.keep(Purpose::UsePasskey, None, &state).await?;
        Ok(Ceremony { options, token })
    }

    /// Finishes it.
    ///
    /// # Errors
    /// 401 for an answer that is not to this question, or from no passkey that is known; 403 for an
    /// account that may not log in, 429 when they come too often.
    pub async fn log_in(
        &self,
        token: &str,
        answer: &PublicKeyCredential,
        device: Option<&str>,
    ) -> Result<Tokens, ApiError> {
        self.sessions.origin(device).await?;
        let taken = self.taken::<DiscoverableAuthentication>(Purpose::UsePasskey, token).await?;
        let (_, state) = taken.ok_or_else(|| {
            ApiError::new(Code::Unauthorized, "the log-in took too long, or was finished before: begin anew")
        })?;
        let Some((stored, mut passkey)) = self.named(answer).await? else {
            return Err(self.refuse(None, "passkey").await);
        };
        let user = stored.user;
        let result = match self.party.answered(answer, state, &passkey) {
            Ok(result) => result,
            Err(WebauthnError::CredentialPossibleCompromise) => return Err(self.cloned(user).await),
            Err(_) => return Err(self.refuse(Some(user), "passkey").await),
        };
        passkey.update_credential(&result);
        let used = UsedPasskey {
            id: stored.id,
            credential: serde_json::to_string(&passkey).map_err(ApiError::internal)?,
            counter: result.counter(),
            at: self.clock.now(),
        };
        // Here two answers with one counter meet, though each was checked by itself.
        if !self.store.use_passkey(used).await? {
            return Err(self.cloned(user).await);
        }
        let Some(login) = self.store.login(user).await? else {
            return Err(self.refuse(None, "passkey").await);
        };
        self.sessions.may_log_in(&login.account).await?;
        self.sessions.open(login.account, "passkey").await
    }

    /// The passkey that an answer names, if it is the one's that the answer says it is from.
    async fn named(
        &self,
        answer: &PublicKeyCredential,
    ) -> Result<Option<(StoredPasskey, Passkey)>, ApiError> {
        let parts = &answer.response;
        let size = parts.authenticator_data.len() + parts.client_data_json.len() + parts.signature.len();
        if size > LONGEST {
            return Ok(None);
        }
        let stored = self.store.passkey(answer.get_credential_id()).await?;
        let Some(stored) = stored.filter(|stored| RelyingParty::says(answer) == Some(stored.user)) else {
            return Ok(None);
        };
        let passkey = serde_json::from_str(&stored.credential).map_err(ApiError::internal)?;
        Ok(Some((stored, passkey)))
    }

    async fn refuse(&self, user: Option<UserId>, why: &str) -> ApiError {
        let refused = self.refused(user, why).await;
        refused.err().unwrap_or_else(|| {
            ApiError::new(Code::Unauthorized, "this passkey is not good for a log-in here")
        })
    }

    async fn cloned(&self, user: UserId) -> ApiError {
        let refused = self.refused(Some(user), "passkey counter").await;
        refused.err().unwrap_or_else(|| {
            ApiError::new(
                Code::Unauthorized,
                "this passkey has signed less often than before: there seems to be a copy of it",
            )
        })
    }

    async fn refused(&self, user: Option<UserId>, why: &str) -> Result<(), ApiError> {
        let account = match user {
            Some(user) => self.store.account(user, &Within::Everyone).await?,
            None => None,
        };
        self.sessions.refused(account.as_ref(), why).await
    }

    /// Keeps the state of a ceremony under a fresh token.
    async fn keep<T: Serialize + Sync>(
        &self,
        purpose: Purpose,
        user: Option<UserId>,
        state: &T,
    ) -> Result<SecretString, ApiError> {
        let token = secret::fresh(ONE_TIME_PREFIX, self.ids.entropy());
        let hash = secret::hash(&token);
        let state = serde_json::to_vec(state).map_err(ApiError::internal)?;
        let payload = self.seal.seal(Sealing::Payload, &hash, &state).map_err(ApiError::internal)?;
        let now = self.clock.now();
        let expires_at = now.saturating_add(CEREMONY_WITHIN).unwrap_or(now);
        let one_time = OneTime {
            hash,
            purpose,
            user,
            payload: Some(payload),
            only: user.is_some(),
            at: now,
            expires_at,
        };
        self.store.issue(one_time).await?;
        Ok(token)
    }

    /// Takes the state of a ceremony, once.
    async fn taken<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> Result<Option<(Option<UserId>, T)>, ApiError> {
        let hash = secret::hash_of(token);
        let Some(redeemed) = self.store.redeem(purpose, &hash, self.clock.now()).await? else {
            return Ok(None);
        };
        let payload = redeemed.payload.unwrap_or_default();
        let state = self.seal.open(Sealing::Payload, &hash, &payload).map_err(ApiError::internal)?;
        let state = serde_json::from_slice(&state).map_err(ApiError::internal)?;
        Ok(Some((redeemed.user, state)))
    }

    fn entry(&self, who: &Principal, action: Action) -> Entry {
        self.scribe.entry(action).by(who).on(who.user_id, who.institution.as_deref())
    }
}

/// Why an answer was not taken, for who writes the page.
fn in_words(error: &WebauthnError) -> &'static str {
    match error {
        WebauthnError::MismatchedChallenge => "it is to another question",
        WebauthnError::InvalidRPOrigin => "it comes from another origin than users.passkeys.origin",
        WebauthnError::InvalidRPIDHash => "it is for another domain than users.passkeys.domain",
        WebauthnError::UserNotPresent | WebauthnError::UserNotVerified => {
            "the device has not verified its owner"
        }
        WebauthnError::InvalidClientDataType => "it is to a question of another kind",
        _ => "it cannot be read, or is of a kind that is not known here",
    }
}
