//! The voice contract over HTTP.

use async_trait::async_trait;

use crate::kit::health::{Health, Probe};
use crate::kit::peer::Peer;
use crate::voice::api::Voice;

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
impl Probe for RemoteVoice {
    async fn health(&self) -> Health {
        self.0.health().await
    }
}

impl Voice for RemoteVoice {}
