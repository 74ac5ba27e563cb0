//! The users module's contract: who somebody is, and what every service has to know to see that for
//! itself.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::identity::Identity;
use crate::kit::auth::{Credential, Reach, Scope};
use crate::kit::error::ApiError;
use crate::kit::health::Probe;
use crate::kit::ids::UserId;

/// What other modules may ask of users.
#[async_trait]
pub trait Users: Probe {
    /// Whose API key this is. Access tokens need no such question: [`Trust`] is enough to read one.
    ///
    /// # Errors
    /// 401 for one that is unknown, expired or revoked; 503 when it can't be looked up now.
    async fn identify(&self, key: &Credential) -> Result<Identity, ApiError>;

    /// What verifies access tokens, what roles permit, and what was revoked after `position`.
    ///
    /// # Errors
    /// 503 when it can't be had now.
    async fn trust(&self, position: u64) -> Result<Trust, ApiError>;

    /// What somebody prefers.
    ///
    /// # Errors
    /// 404 for an account that there is not, 503 when it can't be had now.
    async fn preferences(&self, user: UserId) -> Result<Preferences, ApiError>;
}

/// What a service has to know to tell good tokens from bad ones by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The keys that may have signed a token that is still good.
    pub signing_keys: Vec<PublicKey>,
    /// All roles.
    pub roles: Vec<Role>,
    /// What was revoked since, oldest first.
    pub revocations: Vec<Revocation>,
    /// Where to go on from next time.
    pub position: u64,
    /// Whether more was revoked than went into this answer: who goes on from `position` learns it.
    #[serde(default)]
    pub more: bool,
}

/// The public half of an Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Its name, in the header of the tokens that it signed.
    pub kid: String,
    /// The key, base64url without padding, as the `x` of a JWK (RFC 8037 §2).
    pub x: String,
}

/// Something that is not good any more, though it has not expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// A session, a key, or an account.
    pub subject: Uuid,
    /// For an account: credentials of an earlier epoch are refused. Absent: all are.
    pub epoch: Option<u64>,
    /// When it may be forgotten, because everything that it concerns has expired.
    pub expires_at: Timestamp,
}

/// A set of permissions, and how far they go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Lower-case letters, digits and underscores.
    #[schema(example = "teacher")]
    pub name: String,
    /// For people.
    #[schema(example = "Uses voice commands and reads the figures")]
    pub description: String,
    /// What it permits.
    pub permissions: BTreeSet<Scope>,
    /// Whose accounts the permissions over accounts concern.
    pub reach: Reach,
    /// Whether it came with Voicera; such a role can't be changed or removed.
    pub built_in: bool,
}

/// What somebody prefers, for clients and for answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Preferences {
    /// A BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "de")]
    pub language: Option<String>,
    /// A name of the IANA time zone database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Berlin")]
    pub timezone: Option<String>,
    /// Which notifications are wanted; the names are the client's.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub notifications: Map<String, Value>,
    /// `light`, `dark` or `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "dark")]
    pub theme: Option<String>,
}

/// The body of the contract call `identify`.
#[derive(Serialize, Deserialize)]
pub(super) struct IdentifyRequest {
    /// The key as the client presented it.
    pub(super) key: String,
}

/// The body of the contract call `trust`.
#[derive(Serialize, Deserialize)]
pub(super) struct TrustRequest {
    /// The position of the last answer, 0 at first.
    pub(super) position: u64,
}

/// The body of the contract call `preferences`.
#[derive(Serialize, Deserialize)]
pub(super) struct PreferencesRequest {
    /// Whose.
    pub(super) user: UserId,
}

/// Where the contract calls are served, inside the installation only.
pub(super) const IDENTIFY: &str = "/internal/users/identify";
/// Likewise.
pub(super) const TRUST: &str = "/internal/users/trust";
/// Likewise.
pub(super) const PREFERENCES: &str = "/internal/users/preferences";

/// The paths that answer without a credential, each with all that is below it: they are how one gets
/// a credential.
pub const OPEN: &[&str] = &[
    "/api/auth/register",
    "/api/auth/verify",
    "/api/auth/login",
    "/api/auth/refresh",
    "/api/auth/reset",
    "/.well-known/jwks.json",
];
