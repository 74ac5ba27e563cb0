//! The analytics contract over HTTP.

use async_trait::async_trait;
use http::Method;

use crate::analytics::api::{Analytics, Batch, RECORD};
use crate::kit::error::ApiError;
use crate::kit::health::{Health, Probe};
use crate::kit::peer::Peer;

/// The analytics role at another address.
#[derive(Debug, Clone)]
pub struct RemoteAnalytics(Peer);

impl RemoteAnalytics {
    /// Calls `peer`, within its timeout.
    pub fn new(peer: Peer) -> Self {
        Self(peer)
    }
}

#[async_trait]
impl Analytics for RemoteAnalytics {
    async fn record(&self, batch: Batch) -> Result<(), ApiError> {
        self.0.call(Method::POST, RECORD, Some(&batch)).await
    }
}

#[async_trait]
impl Probe for RemoteAnalytics {
    async fn health(&self) -> Health {
        self.0.health().await
    }
}
