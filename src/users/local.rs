//! The users module itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use secrecy::{ExposeSecret, SecretString};

use crate::kit::auth::{Authenticator, Credential, Principal, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::health::{Check, Health, Probe};
use crate::kit::ids::Ids;
use crate::kit::storage::StorageError;
use crate::users::api::Users;
use crate::users::cache::{PrincipalCache, hash};
use crate::users::store::{NewAccount, UserStore};
use crate::users::{http, key};

/// The name of the account that the first start makes.
const OWNER: &str = "owner";

/// The users module in this process.
#[derive(Debug)]
pub struct LocalUsers {
    store: Arc<dyn UserStore>,
    cache: PrincipalCache,
    clock: SharedClock,
    ids: Ids,
}

impl LocalUsers {
    /// The module over `store`; a checked key is not looked up again for `cache_ttl`.
    pub fn new(
        store: Arc<dyn UserStore>,
        clock: SharedClock,
        ids: Ids,
        cache_entries: u64,
        cache_ttl: Duration,
    ) -> Self {
        Self { store, cache: PrincipalCache::new(cache_entries, cache_ttl), clock, ids }
    }

    /// Makes the first account and its key, good for everything, if there is no key at all.
    ///
    /// `keep` has to put the key where its owner finds it; the account is made after that, so that
    /// a crash in between leaves nothing that nobody has the key to.
    ///
    /// # Errors
    /// The store's, or what `keep` says.
    pub async fn bootstrap<E: From<StorageError>>(
        &self,
        keep: impl FnOnce(&SecretString) -> Result<(), E>,
    ) -> Result<Option<SecretString>, E> {
        if self.store.has_keys().await? {
            return Ok(None);
        }
        let secret = key::fresh(self.ids.entropy());
        keep(&secret)?;
        let account = NewAccount {
            user_id: self.ids.fresh(),
            name: OWNER.to_owned(),
            key_id: self.ids.fresh(),
            hash: hash(&Credential::new(secret.expose_secret())),
            scopes: Scope::ALL.iter().copied().collect(),
            created_at: self.clock.now(),
        };
        self.store.add(account).await?;
        Ok(Some(secret))
    }

    /// The public endpoints.
    pub fn router(&self) -> Router {
        http::me::routes().into()
    }

    /// The contract over HTTP, for other roles alone.
    pub fn internal_router(self: &Arc<Self>) -> Router {
        http::internal::routes(Arc::clone(self))
    }
}

#[async_trait]
impl Authenticator for LocalUsers {
    async fn authenticate(&self, credential: &Credential) -> Result<Principal, ApiError> {
        let hash = hash(credential);
        if let Some(principal) = self.cache.get(&hash) {
            return Ok(principal);
        }
        let principal = self
            .store
            .by_key(&hash)
            .await?
            .ok_or_else(|| ApiError::new(Code::Unauthorized, "this API key is not known here"))?;
        self.cache.put(hash, principal.clone());
        Ok(principal)
    }
}

#[async_trait]
impl Probe for LocalUsers {
    async fn health(&self) -> Health {
        let store = match self.store.check().await {
            Ok(()) => Check::up(),
            Err(error) => Check::down(error.to_string()),
        };
        Health::of([("store".to_owned(), store)])
    }
}

impl Users for LocalUsers {}
