//! The users contract over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kit::auth::Credential;
use crate::kit::error::{ApiError, Code};
use crate::kit::health::{Health, Probe};
use crate::kit::ids::UserId;
use crate::kit::peer::Peer;
use crate::users::api::{
    IDENTIFY, IdentifyRequest, Identity, PREFERENCES, Preferences, PreferencesRequest, TRUST, Trust,
    TrustRequest, Users,
};

/// The users role at other addresses, each of which answers all questions alike.
#[derive(Debug, Clone)]
pub struct RemoteUsers {
    peers: Vec<Peer>,
    /// Which of them answered last, or follows one that did not.
    answered: Arc<AtomicUsize>,
}

impl RemoteUsers {
    /// Calls one of `peers`, of which there has to be one at least, within its timeout; where it can't be
    /// reached, the next one.
    pub fn new(peers: Vec<Peer>) -> Self {
        Self { peers, answered: Arc::default() }
    }

    async fn call<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
    ) -> Result<A, ApiError> {
        let first = self.answered.load(Ordering::Relaxed);
        let mut away = ApiError::new(Code::Unavailable, "there is no users service");
        for at in (0..self.peers.len()).map(|next| (first + next) % self.peers.len()) {
            match self.peers[at].call(Method::POST, path, Some(question)).await {
                Err(error) if error.code() == Code::Unavailable => away = error,
                outcome => {
                    // One that hangs has used up the time of this question, but not of the next.
                    let hangs = outcome.as_ref().is_err_and(|error| error.code() == Code::Timeout);
                    self.answered.store(at + usize::from(hangs), Ordering::Relaxed);
                    return outcome;
                }
            }
        }
        Err(away)
    }
}

#[async_trait]
impl Users for RemoteUsers {
    async fn identify(&self, key: &Credential) -> Result<Identity, ApiError> {
        self.call(IDENTIFY, &IdentifyRequest { key: key.expose().to_owned() }).await
    }

    async fn trust(&self, position: u64) -> Result<Trust, ApiError> {
        self.call(TRUST, &TrustRequest { position }).await
    }

    async fn preferences(&self, user: UserId) -> Result<Preferences, ApiError> {
        self.call(PREFERENCES, &PreferencesRequest { user }).await
    }
}

#[async_trait]
impl Probe for RemoteUsers {
    async fn health(&self) -> Health {
        let all = join_all(self.peers.iter().map(Peer::health)).await;
        all.into_iter().min_by_key(|health| health.status).unwrap_or_else(|| Health::of([]))
    }
}
