//! Access tokens: what stands in one, and how one is read.
//!
//! A JWT (RFC 7519) in the profile of RFC 9068: `typ` is `at+jwt`, the algorithm is `EdDSA` and
//! nothing else (RFC 8725 §3.1), issuer and audience are checked, the key is found by `kid` alone.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};

use crate::kit::auth::Presented;
use crate::kit::ids::{SessionId, UserId};
use crate::users::api::PublicKey;
use crate::users::identity::Identity;

/// The `typ` of an access token (RFC 9068 §2.1).
pub(super) const TYPE: &str = "at+jwt";

/// How far the clocks of two machines may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// Whose tokens are good, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
}

/// What stands in a token. Instants are whole seconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: UserId,
    /// The session (the name is `OpenID` Connect's).
    pub(super) sid: SessionId,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) jti: String,
    pub(super) name: String,
    pub(super) role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) institution: Option<String>,
    /// The account's epoch: grows when what the account may do changes.
    pub(super) epoch: u64,
}

/// Why a token is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadToken {
    /// Not a token at all, not for us, or not signed by us.
    #[error("the access token is not one that this installation made")]
    Invalid,
    /// Signed by a key that is not known here.
    #[error("the access token is signed with a key that is not known here")]
    UnknownKey,
    /// It was good once.
    #[error("the access token has expired: refresh it")]
    Expired,
}

/// The keys that tokens are verified with, by `kid`.
#[derive(Clone, Default)]
pub(super) struct VerifyingKeys(HashMap<String, DecodingKey>);

impl VerifyingKeys {
    /// Reads public keys; one that is none is passed over.
    pub(super) fn new(keys: &[PublicKey]) -> Self {
        let read = |key: &PublicKey| Some((key.kid.clone(), DecodingKey::from_ed_components(&key.x).ok()?));
        Self(keys.iter().filter_map(read).collect())
    }

    /// Whether `later` has all of these.
    pub(super) fn are_all_in(&self, later: &Self) -> bool {
        self.0.keys().all(|kid| later.0.contains_key(kid))
    }

    /// Reads a token, as of `now`.
    pub(super) fn read(&self, token: &str, rules: &TokenRules, now: Timestamp) -> Result<Identity, BadToken> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| BadToken::Invalid)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err(BadToken::Invalid);
        }
        let kid = header.kid.ok_or(BadToken::Invalid)?;
        let key = self.0.get(&kid).ok_or(BadToken::UnknownKey)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&rules.issuer]);
        validation.set_audience(&[&rules.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Below, by our own clock.
        validation.validate_exp = false;
        let claims: Claims =
            jsonwebtoken::decode(token, key, &validation).map_err(|_| BadToken::Invalid)?.claims;
        let instant = |seconds| Timestamp::from_second(seconds).map_err(|_| BadToken::Invalid);
        let (issued_at, expires_at) = (instant(claims.iat)?, instant(claims.exp)?);
        if issued_at.duration_since(now) > SKEW {
            return Err(BadToken::Invalid);
        }
        if now.duration_since(expires_at) >= SKEW {
            return Err(BadToken::Expired);
        }
        Ok(Identity {
            user_id: claims.sub,
            name: claims.name,
            role: claims.role,
            institution: claims.institution,
            epoch: claims.epoch,
            credential: Presented::Session(claims.sid),
            scopes: None,
            expires_at: Some(expires_at.saturating_add(SKEW).unwrap_or(expires_at)),
        })
    }
}

impl std::fmt::Debug for VerifyingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
