//! Names that are asked for their addresses again and again.
//!
//! A name that has no addresses, or that nobody answers for, keeps those that it had: an outage of the
//! name service is not one of ours. That it is so is logged once, and shown until it is over.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;

use super::connections::Target;
use super::endpoint::Base;
use super::state::NameState;

/// The longest that one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who knows the addresses of a host and port.
pub(super) type Resolve =
    Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The machine's own resolver.
pub(super) fn system() -> Resolve {
    Arc::new(|host, port| {
        Box::pin(async move { Ok(tokio::net::lookup_host((host.as_str(), port)).await?.collect()) })
    })
}

/// The names of an upstream, and what is known of each.
pub(super) struct Names {
    resolve: Resolve,
    names: Mutex<Vec<Name>>,
}

#[derive(Debug)]
struct Name {
    base: Base,
    addresses: Vec<SocketAddr>,
    resolved_at: Option<Timestamp>,
    failing: Option<(Timestamp, String)>,
}

impl Names {
    pub(super) fn new(bases: Vec<Base>, resolve: Resolve) -> Self {
        let name = |base| Name { base, addresses: Vec::new(), resolved_at: None, failing: None };
        Self { resolve, names: Mutex::new(bases.into_iter().map(name).collect()) }
    }

    /// Asks for every name; who is to be found where after that. A name that has never had an address
    /// stands for itself.
    pub(super) async fn look_up(&self, now: Timestamp) -> Vec<(Base, Target)> {
        let bases: Vec<Base> = self.names().iter().map(|name| name.base.clone()).collect();
        let answers = join_all(bases.into_iter().map(|base| self.ask(base))).await;
        let mut names = self.names();
        for (name, answer) in names.iter_mut().zip(answers) {
            name.learn(answer, now);
        }
        let mut places: Vec<(Base, Target)> = Vec::new();
        for name in names.iter() {
            if name.addresses.is_empty() {
                places.push((name.base.clone(), name.base.target()));
            }
            let found = name.addresses.iter().map(|address| (name.base.clone(), Target::Address(*address)));
            places.extend(found);
        }
        places
    }

    async fn ask(&self, base: Base) -> io::Result<Vec<SocketAddr>> {
        let answer = tokio::time::timeout(PATIENCE, (self.resolve)(base.host, base.port)).await;
        let mut addresses = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        if addresses.is_empty() {
            return Err(io::Error::other("the name has no addresses"));
        }
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    }

    pub(super) fn state(&self) -> Vec<NameState> {
        self.names().iter().map(Name::state).collect()
    }

    fn names(&self) -> MutexGuard<'_, Vec<Name>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Name {
    fn learn(&mut self, answer: io::Result<Vec<SocketAddr>>, now: Timestamp) {
        match answer {
            Ok(addresses) => {
                if self.failing.take().is_some() || addresses != self.addresses {
                    tracing::info!(name = %self.base.host, ?addresses, "a name has addresses");
                }
                self.addresses = addresses;
                self.resolved_at = Some(now);
            }
            Err(error) => {
                let since = self.failing.as_ref().map_or(now, |(since, _)| *since);
                if self.failing.is_none() {
                    tracing::warn!(
                        name = %self.base.host,
                        %error,
                        known = ?self.addresses,
                        "a name cannot be resolved: the addresses that are known are used"
                    );
                }
                self.failing = Some((since, error.to_string()));
            }
        }
    }

    fn state(&self) -> NameState {
        let (failing_since, error) = self.failing.clone().unzip();
        NameState { name: self.base.host.clone(), resolved_at: self.resolved_at, failing_since, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answers = Arc<Mutex<io::Result<Vec<&'static str>>>>;

    fn names() -> (Names, Answers) {
        let answers: Answers = Arc::new(Mutex::new(Ok(Vec::new())));
        let given = Arc::clone(&answers);
        let resolve: Resolve = Arc::new(move |_, port| {
            let answer = match &*given.lock().unwrap() {
                Ok(ips) => Ok(ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect()),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            };
            Box::pin(std::future::ready(answer))
        });
        (Names::new(vec![Base::parse("http://voice:3001").unwrap()], resolve), answers)
    }

    async fn found(names: &Names, second: i64) -> Vec<String> {
        let at = Timestamp::from_second(second).unwrap();
        let text = |(_, target)| match target {
            Target::Address(address) => address.to_string(),
            Target::Name { host, port } => format!("{host}:{port}"),
        };
        names.look_up(at).await.into_iter().map(text).collect()
    }

    #[tokio::test]
    async fn a_name_that_vanishes_keeps_its_addresses_and_says_since_when() {
        let (names, answers) = names();
        assert_eq!(found(&names, 1).await, ["voice:3001"], "it stands for itself until it has addresses");

        *answers.lock().unwrap() = Ok(vec!["10.0.0.2", "10.0.0.1", "10.0.0.2"]);
        assert_eq!(found(&names, 2).await, ["10.0.0.1:3001", "10.0.0.2:3001"]);
        assert_eq!(names.state()[0].failing_since, None);

        *answers.lock().unwrap() = Err(io::Error::other("NXDOMAIN"));
        for second in [3, 4] {
            assert_eq!(found(&names, second).await, ["10.0.0.1:3001", "10.0.0.2:3001"]);
        }
        let state = names.state().remove(0);
        let at = |second| Timestamp::from_second(second).ok();
        assert_eq!((state.resolved_at, state.failing_since), (at(2), at(3)));
        assert_eq!(state.error.as_deref(), Some("NXDOMAIN"));

        *answers.lock().unwrap() = Ok(vec!["10.0.0.3"]);
        assert_eq!(found(&names, 5).await, ["10.0.0.3:3001"]);
        assert_eq!(names.state()[0].error, None);
    }
}
