//! The voice contract over HTTP.

use async_trait::async_trait;
use http::Method;

use crate::kit::error::ApiError;
use crate::kit::health::{Health, Probe};
use crate::kit::ids::UserId;
use crate::kit::peer::Peer;
use crate::voice::api::{ERASE, EXPORT, EraseRequest, ExportPage, ExportRequest, Voice};

/// The voice role at another address.
#[derive(Debug, Clone)]
pub struct RemoteVoice(Peer);

impl RemoteVoice {
    /// Calls `peer`, within its timeout.
    pub fn new(peer: Peer) -> Self {
        Self(peer)
    }
}

#[async_trait]
impl Voice for RemoteVoice {
    async fn export(&self, user: UserId, after: Option<String>) -> Result<ExportPage, ApiError> {
        self.0.call(Method::POST, EXPORT, Some(&ExportRequest { user, after })).await
    }

    async fn erase(&self, user: UserId) -> Result<(), ApiError> {
        self.0.call(Method::POST, ERASE, Some(&EraseRequest { user })).await
    }
}

#[async_trait]
impl Probe for RemoteVoice {
    async fn health(&self) -> Health {
        self.0.health().await
    }
}
