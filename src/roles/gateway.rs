//! The gateway role: the way in to services at other addresses.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::config::BaseUrl;
use crate::gateway::Gateway;
use crate::gateway::pool::{self, BreakerOptions, Discovery, Ejection, HealthCheck, Pool, PoolOptions};
use crate::gateway::upstream::Upstream;
use crate::kit::health::{Check, Health, Probe, Status};
use crate::roles::host::Host;
use crate::roles::{RoleError, routes};

/// Serves the gateway alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let config = host.config();
    let gateway = &config.gateway;
    pool::describe();
    let stop = CancellationToken::new();
    let upstream = |name: &'static str, urls: &[BaseUrl]| -> Result<Upstream, RoleError> {
        let (clock, entropy) = (Arc::clone(host.clock()), host.ids().entropy().clone());
        let pool = Pool::new(pool_options(name, urls, gateway.upstream_timeout.get()), clock, entropy);
        let pool = Arc::new(pool.map_err(|error| RoleError::Upstream(error.to_string()))?);
        host.tasks().spawn(Arc::clone(&pool).watch(stop.clone()));
        Ok(Upstream::Remote(pool))
    };
    let voice = upstream("voice", &gateway.voice_urls)?;
    let users = upstream("users", &gateway.users_urls)?;
    let analytics = upstream("analytics", &gateway.analytics_urls)?;
    // The configuration has been checked to name one at least.
    let first = gateway.users_urls.first().cloned().unwrap_or_default();
    let peers = Peers {
        voice: fleet(&gateway.voice_urls, |url| Ok(Arc::new(host.voice_at(url)?)))?,
        users: fleet(&gateway.users_urls, |url| Ok(Arc::new(host.users_at(url)?)))?,
        analytics: fleet(&gateway.analytics_urls, |url| Ok(Arc::new(host.analytics_at(url)?)))?,
        redis: None,
    };
    let gateway = Gateway {
        routes: routes(&voice, &users, &analytics),
        authenticator: host.authenticator(Arc::new(host.users_at(&first)?)),
        max_body_bytes: config.server.max_body_bytes as u64,
    };
    host.serve(listener, gateway.router(), Arc::new(peers)).await;
    stop.cancel();
    for upstream in [voice, users, analytics] {
        if let Upstream::Remote(pool) = upstream {
            pool.close().await;
        }
    }
    host.finish().await;
    Ok(())
}

/// How the role `name` is called.
fn pool_options(name: &str, urls: &[BaseUrl], timeout: Duration) -> PoolOptions {
    let second = Duration::from_secs(1);
    PoolOptions {
        name: name.to_owned(),
        addresses: urls.iter().map(|url| url.as_str().to_owned()).collect(),
        discovery: Discovery::Fixed,
        connect_timeout: (2 * second).min(timeout),
        timeout,
        idle_timeout: 60 * second,
        stream_idle_timeout: 3600 * second,
        health: Some(HealthCheck { path: "/health/ready".to_owned(), every: second, timeout: second }),
        ejection: Ejection { consecutive_failures: 5, base: 5 * second, longest: 300 * second, share: 0.5 },
        breaker: BreakerOptions {
            failure_share: 0.5,
            window: 10 * second,
            minimum_calls: 20,
            open_for: second,
        },
        retry_ratio: 0.2,
        max_in_flight: 10_000,
        max_streams: 10_000,
    }
}

/// The health of a gateway is that of the services behind it.
#[derive(Debug)]
pub(super) struct Peers {
    pub(super) voice: Arc<dyn Probe>,
    pub(super) users: Arc<dyn Probe>,
    pub(super) analytics: Arc<dyn Probe>,
    /// What they share, where they share it in this process.
    pub(super) redis: Option<Arc<dyn Probe>>,
}

#[async_trait]
impl Probe for Peers {
    async fn health(&self) -> Health {
        let (voice, users, analytics) =
            futures_util::join!(self.voice.health(), self.users.health(), self.analytics.health());
        let health = Health::of([]).with("voice", voice).with("users", users).with("analytics", analytics);
        match &self.redis {
            Some(redis) => health.with("redis", redis.health().await),
            None => health,
        }
    }
}

fn fleet(
    urls: &[BaseUrl],
    peer: impl Fn(&BaseUrl) -> Result<Arc<dyn Probe>, RoleError>,
) -> Result<Arc<dyn Probe>, RoleError> {
    Ok(Arc::new(Fleet(urls.iter().map(peer).collect::<Result<_, _>>()?)))
}

/// Processes of one role: as well as the best of them, and degraded while one is missing.
#[derive(Debug)]
struct Fleet(Vec<Arc<dyn Probe>>);

#[async_trait]
impl Probe for Fleet {
    async fn health(&self) -> Health {
        let all = join_all(self.0.iter().map(|peer| peer.health())).await;
        let down = all.iter().filter(|health| health.status == Status::Down).count();
        let of = all.len();
        let best = all.into_iter().min_by_key(|health| health.status).unwrap_or_else(|| Health::of([]));
        if down == 0 || down == of {
            return best;
        }
        let missing = ("processes".to_owned(), Check::degraded(format!("{down} of {of} are down")));
        Health::of(best.checks.into_iter().chain([missing]))
    }
}
