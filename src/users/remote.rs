//! The users contract over HTTP.

use async_trait::async_trait;
use http::Method;

use crate::kit::auth::Credential;
use crate::kit::error::ApiError;
use crate::kit::health::{Health, Probe};
use crate::kit::ids::UserId;
use crate::kit::peer::Peer;
use crate::users::api::{
    IDENTIFY, IdentifyRequest, Identity, PREFERENCES, Preferences, PreferencesRequest, TRUST, Trust,
    TrustRequest, Users,
};

/// The users role at another address.
#[derive(Debug, Clone)]
pub struct RemoteUsers(Peer);

impl RemoteUsers {
    /// Calls `peer`, within its timeout.
    pub fn new(peer: Peer) -> Self {
        Self(peer)
    }
}

#[async_trait]
impl Users for RemoteUsers {
    async fn identify(&self, key: &Credential) -> Result<Identity, ApiError> {
        let request = IdentifyRequest { key: key.expose().to_owned() };
        self.0.call(Method::POST, IDENTIFY, Some(&request)).await
    }

    async fn trust(&self, position: u64) -> Result<Trust, ApiError> {
        self.0.call(Method::POST, TRUST, Some(&TrustRequest { position })).await
    }

    async fn preferences(&self, user: UserId) -> Result<Preferences, ApiError> {
        self.0.call(Method::POST, PREFERENCES, Some(&PreferencesRequest { user })).await
    }
}

#[async_trait]
impl Probe for RemoteUsers {
    async fn health(&self) -> Health {
        self.0.health().await
    }
}
