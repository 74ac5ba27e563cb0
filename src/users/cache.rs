//! Principals that were checked a moment ago, so that not every request costs a look-up.
//!
//! Keyed by the credential's SHA-256: the cache holds no secret. An entry lives for a few seconds,
//! which is how long a revoked key may go on.

use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::kit::auth::{Credential, Principal};

/// The SHA-256 of a credential.
pub(super) type CredentialHash = [u8; 32];

/// The hash under which a credential is cached and stored.
pub(super) fn hash(credential: &Credential) -> CredentialHash {
    Sha256::digest(credential.expose().as_bytes()).into()
}

/// A bounded cache of principals.
#[derive(Debug, Clone)]
pub(super) struct PrincipalCache(Cache<CredentialHash, Principal>);

impl PrincipalCache {
    pub(super) fn new(entries: u64, ttl: Duration) -> Self {
        Self(Cache::builder().max_capacity(entries).time_to_live(ttl).build())
    }

    pub(super) fn get(&self, hash: &CredentialHash) -> Option<Principal> {
        self.0.get(hash)
    }

    pub(super) fn put(&self, hash: CredentialHash, principal: Principal) {
        self.0.insert(hash, principal);
    }
}
