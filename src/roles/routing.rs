//! The gateway's routes: from their file to a table, and again whenever the file changes.
//!
//! What did not change goes on: a pool keeps its connections and what it knows of its endpoints, a limit
//! keeps its counts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use metrics::{counter, describe_counter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::routes::{self as file, Auth, LimitPart, RoutePart, RoutesFile, UpstreamPart};
use crate::config::{Config, ConfigErrors};
use crate::gateway::limits::{Limit, Per};
use crate::gateway::pool::{
    self, BreakerOptions, CallOptions, Discovery, Ejection, HealthCheck, Pool, PoolOptions,
};
use crate::gateway::table::{Access, Fits, Host as Name, Notice, Route, Sticky, Table};
use crate::gateway::upstream::Upstream;
use crate::kit::clock::SharedClock;
use crate::kit::ids::Entropy;
use crate::kit::limits::{Limiters, Quota, RateLimiter};
use crate::roles::RoleError;
use crate::roles::changes::Changes;
use crate::roles::host::Host;

const RELOADS: &str = "voicera_gateway_reloads_total";

/// Makes tables.
pub(super) struct Routing {
    file: Option<PathBuf>,
    table: Arc<ArcSwap<Table>>,
    /// The modules of this process, or where they are.
    modules: BTreeMap<&'static str, Module>,
    timeout: Duration,
    max_body_bytes: u64,
    limiters: Limiters,
    clock: SharedClock,
    entropy: Entropy,
    tasks: TaskTracker,
    running: Running,
}

/// One of Voicera's own modules.
pub(super) enum Module {
    /// In this process.
    Here(Upstream),
    /// At these addresses.
    At(Vec<String>),
}

/// What goes on from one table to the next.
#[derive(Default)]
struct Running {
    pools: BTreeMap<String, Arc<Watched>>,
    counts: BTreeMap<String, (LimitPart, Arc<dyn RateLimiter>)>,
}

/// A pool that is looked after until this is dropped.
struct Watched {
    options: PoolOptions,
    pool: Arc<Pool>,
    stop: CancellationToken,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Routing {
    /// The routes of the configuration over `modules`.
    pub(super) fn open(
        host: &Host,
        limiters: Limiters,
        modules: BTreeMap<&'static str, Module>,
    ) -> Result<Self, RoleError> {
        pool::describe();
        describe_counter!(RELOADS, "How often the gateway's routes were read again, by outcome");
        let config: &Config = host.config();
        let path = &config.gateway.routes;
        let mut routing = Self {
            file: (!path.as_os_str().is_empty()).then(|| path.clone()),
            table: Arc::default(),
            modules,
            timeout: config.gateway.upstream_timeout.get(),
            max_body_bytes: config.server.max_body_bytes as u64,
            limiters,
            clock: Arc::clone(host.clock()),
            entropy: host.ids().entropy().clone(),
            tasks: host.tasks().clone(),
            running: Running::default(),
        };
        let read = routing.read().map_err(|errors| RoleError::Routes(errors.to_string()))?;
        routing.lay(&read)?;
        Ok(routing)
    }

    /// The table as it is at any time.
    pub(super) fn table(&self) -> Arc<ArcSwap<Table>> {
        Arc::clone(&self.table)
    }

    fn read(&self) -> Result<RoutesFile, ConfigErrors> {
        self.file.as_deref().map_or_else(RoutesFile::built_in, RoutesFile::read)
    }

    /// Reads the file again when it changes or `reload` says so, until told to stop; one with a mistake
    /// changes nothing.
    pub(super) async fn follow(mut self, reload: watch::Receiver<()>, stop: CancellationToken) {
        match self.file.clone() {
            None => stop.cancelled().await,
            Some(file) => {
                let mut changes = Changes::of(vec![file], reload, stop).await;
                while changes.next().await.is_some() {
                    self.again();
                }
            }
        }
        // Whatever was upgraded ends with the process, not by itself.
        futures_util::future::join_all(self.running.pools.values().map(|watched| watched.pool.close())).await;
    }

    fn again(&mut self) {
        let outcome =
            match self.read().map_err(|errors| errors.to_string()).and_then(|read| {
                self.lay(&read).map(|()| read.routes.len()).map_err(|error| error.to_string())
            }) {
                Ok(routes) => {
                    tracing::info!(routes, "the routes were read again");
                    "done"
                }
                Err(errors) => {
                    tracing::error!(errors, "the routes file has mistakes: the routes stay as they were");
                    "refused"
                }
            };
        counter!(RELOADS, "outcome" => outcome).increment(1);
    }

    /// Puts the table of `read` in place, or changes nothing.
    fn lay(&mut self, read: &RoutesFile) -> Result<(), RoleError> {
        let mut next = Running::default();
        let mut upstreams = BTreeMap::new();
        let fallback = UpstreamPart::default();
        for (name, module) in &self.modules {
            let part = read.upstreams.get(*name).unwrap_or(&fallback);
            let upstream = match module {
                Module::Here(upstream) => upstream.clone(),
                Module::At(addresses) => self.pool(&mut next, name, addresses, part)?,
            };
            upstreams.insert((*name).to_owned(), upstream);
        }
        for (name, part) in &read.upstreams {
            if !upstreams.contains_key(name) {
                upstreams.insert(name.clone(), self.pool(&mut next, name, &part.addresses, part)?);
            }
        }
        let mut limits = BTreeMap::new();
        for (name, part) in &read.limits {
            limits.insert(name.as_str(), self.limit(&mut next, name, part));
        }
        let table = read.in_order().filter_map(|(name, part)| {
            let upstream = upstreams.get(&part.upstream)?.clone();
            let limits = part.limits.iter().filter_map(|name| limits.get(name.as_str()).cloned()).collect();
            Some(self.route(name, part, upstream, limits))
        });
        self.table.store(Arc::new(table.collect()));
        self.running = next;
        Ok(())
    }

    fn pool(
        &self,
        next: &mut Running,
        name: &str,
        addresses: &[String],
        part: &UpstreamPart,
    ) -> Result<Upstream, RoleError> {
        let options = self.options(name, addresses, part);
        let watched = match self.running.pools.get(name) {
            Some(known) if known.options == options => Arc::clone(known),
            _ => Arc::new(self.watched(options)?),
        };
        let pool = Arc::clone(&watched.pool);
        next.pools.insert(name.to_owned(), watched);
        Ok(Upstream::Remote(pool))
    }

    fn watched(&self, options: PoolOptions) -> Result<Watched, RoleError> {
        let pool = Pool::new(options.clone(), Arc::clone(&self.clock), self.entropy.clone());
        let pool = Arc::new(pool.map_err(|error| RoleError::Upstream(error.to_string()))?);
        let stop = CancellationToken::new();
        self.tasks.spawn(Arc::clone(&pool).watch(stop.clone()));
        Ok(Watched { options, pool, stop })
    }

    fn options(&self, name: &str, addresses: &[String], part: &UpstreamPart) -> PoolOptions {
        PoolOptions {
            name: name.to_owned(),
            addresses: addresses.to_vec(),
            discovery: match part.discovery {
                file::Discovery::Fixed => Discovery::Fixed,
                file::Discovery::Dns => Discovery::Dns { every: part.dns_interval.get() },
            },
            connect_timeout: part.connect_timeout.get(),
            timeout: part.timeout.map_or(self.timeout, Into::into),
            idle_timeout: part.idle_timeout.get(),
            stream_idle_timeout: part.stream_idle_timeout.get(),
            health: (!part.health.path.is_empty()).then(|| HealthCheck {
                path: part.health.path.clone(),
                every: part.health.interval.get(),
                timeout: part.health.timeout.get(),
            }),
            ejection: Ejection {
                consecutive_failures: part.ejection.failures,
                base: part.ejection.time.get(),
                longest: part.ejection.longest.get(),
                share: part.ejection.share,
            },
            breaker: BreakerOptions {
                failure_share: part.breaker.share,
                window: part.breaker.window.get(),
                minimum_calls: part.breaker.calls,
                open_for: part.breaker.time.get(),
            },
            retry_ratio: part.retry_share,
            max_in_flight: part.max_in_flight,
            max_streams: part.max_streams,
        }
    }

    fn limit(&self, next: &mut Running, name: &str, part: &LimitPart) -> Limit {
        let limiter = match self.running.counts.get(name) {
            Some((known, limiter)) if known == part => Arc::clone(limiter),
            _ => {
                let every = part.window.get() / part.requests.max(1);
                self.limiters.limiter(format!("gateway.{name}"), Quota { burst: part.requests, every })
            }
        };
        next.counts.insert(name.to_owned(), (part.clone(), Arc::clone(&limiter)));
        let per = match part.per {
            file::Per::Principal => Per::Principal,
            file::Per::Key => Per::Key,
            file::Per::Address => Per::Address,
            file::Per::Route => Per::Route,
        };
        Limit { name: name.into(), per, window: part.window.get().as_secs().max(1), limiter }
    }

    fn route(&self, name: &str, part: &RoutePart, upstream: Upstream, limits: Vec<Limit>) -> Route {
        let known = |limit: &Limit| matches!(limit.per, Per::Principal | Per::Key);
        let (limits_of_known, limits_of_all) = limits.into_iter().partition(known);
        Route {
            name: name.into(),
            fits: fits(part),
            upstream,
            rewrite: part.rewrite.clone(),
            access: match part.auth {
                Auth::None => Access::Open,
                Auth::Optional => Access::Optional,
                Auth::Required => {
                    Access::Required(part.scopes.iter().filter_map(|scope| scope.parse().ok()).collect())
                }
            },
            limits_of_all,
            limits_of_known,
            call: CallOptions {
                timeout: part.timeout.map(Into::into),
                hedge_after: part.hedge_after.map(Into::into),
                sticky: None,
            },
            sticky: part.sticky.map(|sticky| match sticky {
                file::Sticky::Principal => Sticky::Principal,
                file::Sticky::Address => Sticky::Address,
            }),
            max_body_bytes: part.max_body_bytes.unwrap_or(self.max_body_bytes),
            notice: Notice::new(part.deprecated, part.sunset),
        }
    }
}

/// The requests that a route is for. What the file says has been checked: nothing is left out.
fn fits(part: &RoutePart) -> Fits {
    let host = |name: &String| match name.strip_prefix('*') {
        Some(end) => Name::Below(end.to_ascii_lowercase()),
        None => Name::Exactly(name.to_ascii_lowercase()),
    };
    let header = |(name, value): (&String, &String)| {
        let value = if value == "*" { None } else { Some(value.parse().ok()?) };
        Some((name.parse().ok()?, value))
    };
    Fits {
        prefix: part.prefix.trim_end_matches('/').to_owned(),
        methods: part.methods.iter().filter_map(|method| method.parse().ok()).collect(),
        hosts: part.hosts.iter().map(host).collect(),
        headers: part.headers.iter().filter_map(header).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_routes_are_open_where_one_gets_a_credential_and_nowhere_else() {
        let read = RoutesFile::built_in().unwrap();
        let open = read.in_order().filter(|(_, part)| part.auth == Auth::None);
        let mut open: Vec<&str> = open.map(|(_, part)| part.prefix.as_str()).collect();
        let mut wanted = crate::users::api::OPEN.to_vec();
        open.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(open, wanted);
    }
}
