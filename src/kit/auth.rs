//! Who asks, and what he may do.
//!
//! A [`Credential`] becomes a [`Principal`] through an [`Authenticator`], which is the users module
//! or a client of it. The layer [`authenticate`] puts the principal into the request; handlers take
//! it as an extractor and ask for a [`Scope`].

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::kit::error::{ApiError, Code};
use crate::kit::http::context;
use crate::kit::ids::{KeyId, SessionId, UserId};

/// `x-api-key`.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Something secret that a client presents to say who it is; never printed.
#[derive(Debug, Clone)]
pub struct Credential(SecretString);

impl Credential {
    /// The longest that is looked at.
    pub const LONGEST: usize = 4096;

    /// A credential as it was presented.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(SecretString::from(secret.into()))
    }

    /// The secret itself; for whoever checks it or passes it on.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Finds the credential in `Authorization: Bearer …` (RFC 6750 §2.1) or `X-API-Key`.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let bearer = || {
            let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        };
        let key = || headers.get(API_KEY)?.to_str().ok().map(str::trim);
        bearer()
            .or_else(key)
            .filter(|secret| !secret.is_empty() && secret.len() <= Self::LONGEST)
            .map(Self::new)
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// One thing that a credential may be good for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[derive(utoipa::ToSchema)]
        pub enum Scope { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The scope as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

scopes! {
    /// Send commands, and cancel one's own.
    VoiceProcess = "voice:process";
    /// Read one's own commands, results and figures.
    VoiceRead = "voice:read";
    /// See and retry anybody's dead jobs.
    VoiceAdmin = "voice:admin";
    /// Read the counters of the whole installation.
    AnalyticsRead = "analytics:read";
    /// See the accounts within reach.
    UsersRead = "users:read";
    /// Make, change, suspend and invite accounts within reach.
    UsersWrite = "users:write";
    /// Give roles to accounts within reach, and erase them.
    UsersAdmin = "users:admin";
    /// Define roles.
    RolesWrite = "roles:write";
    /// Read the audit trail within reach.
    AuditRead = "audit:read";
    /// Make and revoke API keys of one's own, and with `users:admin` those of accounts within reach.
    KeysWrite = "keys:write";
    /// See what the gateway knows of the services behind it.
    GatewayRead = "gateway:read";
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A word that is no [`Scope`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a scope")]
pub struct UnknownScope(String);

/// How far a role's permissions over other people's accounts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// To every account.
    Everyone,
    /// To the accounts of the same institution.
    Institution,
    /// To no account but one's own.
    Own,
}

impl Reach {
    /// Whether it goes as far as `other` at least.
    pub const fn covers(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Everyone, _) | (Self::Institution, Self::Institution | Self::Own) | (Self::Own, Self::Own)
        )
    }
}

/// What a caller presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Presented {
    /// An API key.
    Key(KeyId),
    /// An access token of a session.
    Session(SessionId),
}

/// A caller whose credential was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// The account.
    pub user_id: UserId,
    /// Its name, for people.
    #[schema(example = "owner")]
    pub name: String,
    /// Its role.
    #[schema(example = "admin")]
    pub role: String,
    /// How far the role's permissions go.
    pub reach: Reach,
    /// The institution that the account belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    /// The credential that was presented.
    pub credential: Presented,
    /// What the credential is good for.
    pub scopes: BTreeSet<Scope>,
}

impl Principal {
    /// Asks for a scope.
    ///
    /// # Errors
    /// 403 naming the scope that is missing.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(ApiError::new(
            Code::Forbidden,
            format!("this needs the scope `{scope}`, which the credential lacks"),
        ))
    }

    /// Asks for a session: what a person does about the own log-in is not for API keys, which are
    /// narrower than the account.
    ///
    /// # Errors
    /// 403 for an API key.
    pub fn session(&self) -> Result<SessionId, ApiError> {
        match self.credential {
            Presented::Session(id) => Ok(id),
            Presented::Key(_) => Err(ApiError::new(
                Code::Forbidden,
                "this is for somebody who has logged in, not for an API key",
            )),
        }
    }
}

/// Whoever can tell a caller by its credential.
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync {
    /// Checks a credential.
    ///
    /// # Errors
    /// 401 for one that is unknown, expired or revoked; 503 when it can't be checked now.
    async fn authenticate(&self, credential: &Credential) -> Result<Principal, ApiError>;
}

/// The layer: finds out who asks and puts the [`Principal`] into the request, or answers 401.
pub async fn authenticate(
    State(authenticator): State<Arc<dyn Authenticator>>,
    mut request: Request,
    next: Next,
) -> Response {
    match identify(authenticator.as_ref(), &mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Finds out who sends `request` and puts the [`Principal`] into it.
///
/// A principal that is there already was put there in this same process (a client can send
/// headers, not extensions) and is not checked twice.
///
/// # Errors
/// 401 without a valid credential.
pub async fn identify(authenticator: &dyn Authenticator, request: &mut Request) -> Result<(), ApiError> {
    if request.extensions().get::<Principal>().is_some() {
        return Ok(());
    }
    let credential = Credential::from_headers(request.headers()).ok_or_else(|| {
        ApiError::new(
            Code::Unauthorized,
            "send an access token or an API key as `Authorization: Bearer …`, or a key as `X-API-Key: …`; the first key stands in the data folder, in `api-key`",
        )
    })?;
    let principal = authenticator.authenticate(&credential).await?;
    if let Some(context) = context::current() {
        let _ = context.principal.set(principal.user_id);
    }
    request.extensions_mut().insert(principal);
    Ok(())
}

/// The layer in front of the contract calls: only a peer that holds the service key passes.
pub async fn service_key(State(key): State<Arc<SecretString>>, request: Request, next: Next) -> Response {
    // Hashes are compared: how long that takes says nothing about the key.
    let digest = |secret: &str| Sha256::digest(secret.as_bytes());
    match Credential::from_headers(request.headers()) {
        Some(presented) if digest(presented.expose()) == digest(key.expose_secret()) => {
            next.run(request).await
        }
        // Not 401: that would be read as a word about the credential that the call is about.
        _ => ApiError::new(Code::Forbidden, "this is for Voicera's own services").into_response(),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            ApiError::new(Code::Unauthorized, "the request carries no credential that was checked")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn found(pairs: &[(HeaderName, &str)]) -> Option<String> {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        Credential::from_headers(&headers.collect()).map(|found| found.expose().to_owned())
    }

    #[test]
    fn a_credential_comes_as_bearer_or_as_key() {
        assert_eq!(found(&[(header::AUTHORIZATION, "bearer  abc ")]).as_deref(), Some("abc"));
        assert_eq!(found(&[(API_KEY, "abc")]).as_deref(), Some("abc"));
        assert_eq!(found(&[(header::AUTHORIZATION, "Basic abc")]), None);
        assert_eq!(found(&[(API_KEY, &"k".repeat(5000))]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_credential_never_prints() {
        assert!(!format!("{:?}", Credential::new("vk_secret")).contains("vk_secret"));
    }

    #[test]
    fn scopes_read_back_from_their_text() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse::<Scope>().unwrap(), *scope);
        }
        assert!("voice:everything".parse::<Scope>().is_err());
    }
}
