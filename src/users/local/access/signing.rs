//! The keys that sign access tokens: made, rotated on schedule and by command, handed out.
//!
//! A new key is published for a while before it signs, so that whoever keeps the key set for some
//! minutes has it by then; an old one verifies until the last token that it signed has expired.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use crate::kit::clock::SharedClock;
use crate::kit::error::ApiError;
use crate::kit::ids::{Entropy, Ids, SessionId};
use crate::users::account::Account;
use crate::users::api::PublicKey;
use crate::users::audit::{Action, Scribe};
use crate::users::local::seal::{Purpose, Seal};
use crate::users::store::{NewSigningKey, SigningKey, UserStore};
use crate::users::token::{Claims, TYPE, TokenRules};

/// How long a new key is published before it signs.
pub const PUBLISHED_BEFORE: SignedDuration = SignedDuration::from_mins(10);
/// How long the keys that were read are good for.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// How tokens are made out.
#[derive(Debug, Clone)]
pub struct SigningOptions {
    /// Issuer and audience.
    pub rules: TokenRules,
    /// How long a token is good.
    pub lifetime: SignedDuration,
    /// How long a key signs.
    pub rotate_after: SignedDuration,
}

/// Makes out access tokens.
#[derive(Debug)]
pub struct Signer {
    store: Arc<dyn UserStore>,
    seal: Arc<Seal>,
    scribe: Scribe,
    clock: SharedClock,
    ids: Ids,
    options: SigningOptions,
    ready: RwLock<Option<Ready>>,
}

/// The key that signs at the moment.
#[derive(Clone)]
struct Ready {
    kid: String,
    key: Arc<EncodingKey>,
    read_at: Timestamp,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kid)
    }
}

impl Signer {
    /// A signer with the keys in `store`.
    pub fn new(
        store: Arc<dyn UserStore>,
        seal: Arc<Seal>,
        scribe: Scribe,
        clock: SharedClock,
        ids: Ids,
        options: SigningOptions,
    ) -> Self {
        Self { store, seal, scribe, clock, ids, options, ready: RwLock::default() }
    }

    /// Whether this installation can open the key that signs now.
    ///
    /// # Errors
    /// The store's, or that it was sealed with another secret.
    pub async fn check(&self) -> Result<(), ApiError> {
        self.ready(self.clock.now()).await.map(drop)
    }

    /// How long a token is good.
    pub fn lifetime(&self) -> SignedDuration {
        self.options.lifetime
    }

    /// Makes out a token for `session` of `account`.
    ///
    /// # Errors
    /// When there is no key that this installation can read.
    pub async fn sign(&self, account: &Account, session: SessionId) -> Result<String, ApiError> {
        let now = self.clock.now();
        let ready = self.ready(now).await?;
        let TokenRules { issuer, audience } = self.options.rules.clone();
        let claims = Claims {
            iss: issuer,
            aud: audience,
            sub: account.id,
            sid: session,
            iat: now.as_second(),
            exp: now.saturating_add(self.options.lifetime).unwrap_or(Timestamp::MAX).as_second(),
            jti: self.ids.fresh::<uuid::Uuid>().simple().to_string(),
            name: account.name.clone(),
            role: account.role.clone(),
            institution: account.institution.clone(),
            epoch: account.epoch,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(ready.kid);
        jsonwebtoken::encode(&header, &claims, &ready.key).map_err(ApiError::internal)
    }

    /// The public halves of all keys that verify something.
    ///
    /// # Errors
    /// The store's.
    pub async fn public_keys(&self) -> Result<Vec<PublicKey>, ApiError> {
        let keys = self.store.signing_keys(self.clock.now()).await?;
        Ok(keys.iter().map(|key| PublicKey { kid: key.kid.clone(), x: base64url(&key.public) }).collect())
    }

    /// Makes the first key if there is none, and the next one when it is time.
    ///
    /// # Errors
    /// The store's.
    pub async fn keep_fresh(&self) -> Result<(), ApiError> {
        let now = self.clock.now();
        let keys = self.store.signing_keys(now).await?;
        match keys.last() {
            None => self.add(now, true).await,
            Some(newest) if now.duration_since(newest.active_at) >= self.options.rotate_after => {
                self.add(now.saturating_add(PUBLISHED_BEFORE).unwrap_or(now), false).await
            }
            Some(_) => Ok(()),
        }
    }

    /// Makes a new key: one that signs after it has been published for a while, or, when the old ones
    /// are not to be trusted any more, `at_once`; then what they signed is refused from now on.
    ///
    /// # Errors
    /// The store's.
    pub async fn rotate(&self, at_once: bool) -> Result<(), ApiError> {
        let now = self.clock.now();
        if at_once {
            return self.replace(now).await;
        }
        self.add(now.saturating_add(PUBLISHED_BEFORE).unwrap_or(now), false).await
    }

    async fn add(&self, active_at: Timestamp, first: bool) -> Result<(), ApiError> {
        let overlap = self.options.lifetime.saturating_add(SignedDuration::from_mins(1));
        self.keep(active_at, active_at.saturating_add(overlap).unwrap_or(Timestamp::MAX), first).await
    }

    async fn replace(&self, now: Timestamp) -> Result<(), ApiError> {
        self.keep(now, now, false).await
    }

    async fn keep(
        &self,
        active_at: Timestamp,
        others_expire_at: Timestamp,
        first: bool,
    ) -> Result<(), ApiError> {
        let pair = fresh_pair(self.ids.entropy())?;
        let kid = self.ids.fresh::<uuid::Uuid>().simple().to_string();
        let seed =
            self.seal.seal(Purpose::SigningKey, kid.as_bytes(), &pair.0).map_err(ApiError::internal)?;
        let trail = self.scribe.entry(Action::RotateSigningKey).with("kid", kid.as_str());
        let key = SigningKey { kid, seed, public: pair.1, active_at, expires_at: None };
        let at = self.clock.now();
        self.store.add_signing_key(NewSigningKey { key, first, others_expire_at, at, trail }).await?;
        *self.ready.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    async fn ready(&self, now: Timestamp) -> Result<Ready, ApiError> {
        let known = self.ready.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ready) = known
            && now.duration_since(ready.read_at).abs() < READ_AGAIN
        {
            return Ok(ready);
        }
        let keys = self.store.signing_keys(now).await?;
        let current = keys.iter().rev().find(|key| key.active_at <= now).or(keys.first());
        let Some(current) = current else {
            return Err(ApiError::internal(std::io::Error::other("there is no signing key")));
        };
        let der = self
            .seal
            .open(Purpose::SigningKey, current.kid.as_bytes(), &current.seed)
            .map_err(ApiError::internal)?;
        let key = Arc::new(EncodingKey::from_ed_der(&der));
        let ready = Ready { kid: current.kid.clone(), key, read_at: now };
        *self.ready.write().unwrap_or_else(PoisonError::into_inner) = Some(ready.clone());
        Ok(ready)
    }
}

/// A fresh pair: the private half as PKCS #8, the public half as 32 bytes.
fn fresh_pair(entropy: &Entropy) -> Result<(Vec<u8>, Vec<u8>), ApiError> {
    let failed = |_| ApiError::internal(std::io::Error::other("no Ed25519 key could be made"));
    let pair = Ed25519KeyPair::from_seed_unchecked(&entropy.bytes::<32>()).map_err(failed)?;
    let der: Pkcs8V1Der<'_> = pair
        .as_der()
        .map_err(|_| ApiError::internal(std::io::Error::other("no Ed25519 key could be written")))?;
    Ok((der.as_ref().to_vec(), pair.public_key().as_ref().to_vec()))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
