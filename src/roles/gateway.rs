//! The gateway role: the way in to services at other addresses.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::config::BaseUrl;
use crate::gateway::Gateway;
use crate::kit::auth::Authenticator;
use crate::kit::health::{Check, Health, Probe, Status};
use crate::roles::RoleError;
use crate::roles::host::Host;
use crate::roles::routing::{Module, Routing};
use crate::roles::shared::Shared;

/// Serves the gateway alone.
pub(super) async fn run(host: Host) -> Result<(), RoleError> {
    let listener = host.bind().await?;
    let gateway = &host.config().gateway;
    let shared = Shared::open(&host.config().redis).await?;
    let at = |urls: &[BaseUrl]| Module::At(urls.iter().map(|url| url.as_str().to_owned()).collect());
    let modules = BTreeMap::from([
        ("voice", at(&gateway.voice_urls)),
        ("users", at(&gateway.users_urls)),
        ("analytics", at(&gateway.analytics_urls)),
    ]);
    let authenticator = host.authenticator(Arc::new(host.users_at(&gateway.users_urls)?));
    let beside = std::iter::once(("credentials", authenticator.clone() as Arc<dyn Probe>));
    let peers = Peers {
        voice: fleet(&gateway.voice_urls, |url| Ok(Arc::new(host.voice_at(url)?)))?,
        users: fleet(&gateway.users_urls, |url| Ok(Arc::new(host.users_at(std::slice::from_ref(url))?)))?,
        analytics: fleet(&gateway.analytics_urls, |url| Ok(Arc::new(host.analytics_at(url)?)))?,
        beside: beside.chain(shared.probe().map(|redis| ("redis", redis))).collect(),
    };
    let (gateway, stop) = open(&host, &shared, modules, authenticator)?;
    host.serve(listener, gateway.router(), Arc::new(peers)).await;
    stop.cancel();
    shared.close().await;
    host.finish().await;
    Ok(())
}

/// The gateway over `modules`, whose routes follow their file until the token is cancelled.
pub(super) fn open(
    host: &Host,
    shared: &Shared,
    modules: BTreeMap<&'static str, Module>,
    authenticator: Arc<dyn Authenticator>,
) -> Result<(Gateway, CancellationToken), RoleError> {
    let limiters = shared.limiters(Arc::clone(host.clock()));
    let routing = Routing::open(host, limiters, modules)?;
    let gateway = Gateway::new(routing.table(), authenticator, host.config().gateway.max_in_flight);
    let stop = CancellationToken::new();
    host.tasks().spawn(routing.follow(host.reload(), stop.clone()));
    Ok((gateway, stop))
}

/// The health of a gateway is that of the services behind it.
#[derive(Debug)]
pub(super) struct Peers {
    pub(super) voice: Arc<dyn Probe>,
    pub(super) users: Arc<dyn Probe>,
    pub(super) analytics: Arc<dyn Probe>,
    /// What else this process leans on, by name.
    pub(super) beside: Vec<(&'static str, Arc<dyn Probe>)>,
}

#[async_trait]
impl Probe for Peers {
    async fn health(&self) -> Health {
        let (voice, users, analytics) =
            futures_util::join!(self.voice.health(), self.users.health(), self.analytics.health());
        let health = Health::of([]).with("voice", voice).with("users", users).with("analytics", analytics);
        let beside = self.beside.iter().map(|(name, probe)| async move { (*name, probe.health().await) });
        join_all(beside).await.into_iter().fold(health, |health, (name, part)| health.with(name, part))
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
