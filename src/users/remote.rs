//! The users contract over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use http::Method;

use crate::kit::auth::{Authenticator, Credential, Principal};
use crate::kit::error::ApiError;
use crate::kit::health::{Health, Probe};
use crate::kit::peer::Peer;
use crate::users::api::{AUTHENTICATE, AuthenticateRequest, Users};
use crate::users::cache::{PrincipalCache, hash};

/// The users role at another address.
#[derive(Debug, Clone)]
pub struct RemoteUsers {
    peer: Peer,
    cache: PrincipalCache,
}

impl RemoteUsers {
    /// Calls `peer`, within its timeout; a checked credential is not asked about again for `cache_ttl`.
    pub fn new(peer: Peer, cache_entries: u64, cache_ttl: Duration) -> Self {
        Self { peer, cache: PrincipalCache::new(cache_entries, cache_ttl) }
    }
}

#[async_trait]
impl Authenticator for RemoteUsers {
    async fn authenticate(&self, credential: &Credential) -> Result<Principal, ApiError> {
        let hash = hash(credential);
        if let Some(principal) = self.cache.get(&hash) {
            return Ok(principal);
        }
        let request = AuthenticateRequest { credential: credential.expose().to_owned() };
        let principal: Principal = self.peer.call(Method::POST, AUTHENTICATE, Some(&request)).await?;
        self.cache.put(hash, principal.clone());
        Ok(principal)
    }
}

#[async_trait]
impl Probe for RemoteUsers {
    async fn health(&self) -> Health {
        self.peer.health().await
    }
}

impl Users for RemoteUsers {}
