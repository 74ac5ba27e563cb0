//! The gateway role: the way in to services at other addresses.

use std::sync::Arc;

use async_trait::async_trait;

use crate::config::BaseUrl;
use crate::gateway::Gateway;

use crate::gateway::upstream::Upstream;
use crate::kit::health::{Health, Probe};
use crate::roles::host::Host;
use crate::roles::{RoleError, routes};

/// Serves the gateway alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let config = host.config();
    let timeout = config.gateway.upstream_timeout.get();
    let upstream = |url: &BaseUrl| {
        Upstream::remote(url.as_str(), timeout).map_err(|error| RoleError::Upstream(error.to_string()))
    };
    let voice = upstream(&config.gateway.voice_url)?;
    let users = upstream(&config.gateway.users_url)?;
    let analytics = upstream(&config.gateway.analytics_url)?;
    let gateway = Gateway {
        routes: routes(&voice, &users, &analytics),
        authenticator: host.authenticator(Arc::new(host.users_at(&config.gateway.users_url)?)),
        max_body_bytes: config.server.max_body_bytes as u64,
    };
    let peers = Peers {
        voice: Arc::new(host.voice_at(&config.gateway.voice_url)?),
        users: Arc::new(host.users_at(&config.gateway.users_url)?),
        analytics: Arc::new(host.analytics_at(&config.gateway.analytics_url)?),
    };
    host.serve(listener, gateway.router(), Arc::new(peers)).await;
    host.finish().await;
    Ok(())
}

/// The health of a gateway is that of the services behind it.
#[derive(Debug)]
pub(super) struct Peers {
    pub(super) voice: Arc<dyn Probe>,
    pub(super) users: Arc<dyn Probe>,
    pub(super) analytics: Arc<dyn Probe>,
}

#[async_trait]
impl Probe for Peers {
    async fn health(&self) -> Health {
        let (voice, users, analytics) =
            futures_util::join!(self.voice.health(), self.users.health(), self.analytics.health());
        Health::of([]).with("voice", voice).with("users", users).with("analytics", analytics)
    }
}
