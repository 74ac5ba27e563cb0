//! How often one may try to get in, by address, by network and by account.
//!
//! Meant to slow who guesses, and never to lock out the owner: tries with a device that its owner has got
//! in with are counted for that device alone, all others apart for each network, and the count over all
//! networks does not concern one from which the owner has logged in lately.

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::http::client::network;
use crate::kit::http::context;
use crate::kit::ids::{SessionId, UserId};
use crate::kit::limits::{Limiter, Quota};
use crate::users::local::access::devices::Device;
use crate::users::local::secret::hash_of;
use crate::users::store::Hash;

const fn quota(burst: u32, secs: u64) -> Quota {
    Quota { burst, every: Duration::from_secs(secs) }
}

/// Tries from one address.
const ADDRESS: Quota = quota(30, 4);
/// Tries from one network.
const NETWORK: Quota = quota(200, 1);
/// Tries from the devices that one person has got in with.
const DEVICES: Quota = quota(30, 4);
/// Failed tries at its account from one such device.
const ACCOUNT_DEVICE: Quota = quota(6, 20);
/// Failed tries at one account from one network.
const ACCOUNT_HERE: Quota = quota(6, 20);
/// Failed tries at one account from all networks that are new to it.
const ACCOUNT_ANYWHERE: Quota = quota(60, 60);
/// Refreshes of one session. A page with many requests at once may find for each that its token has
/// expired.
const REFRESHES: Quota = quota(240, 10);
/// Messages to one address.
const MESSAGES: Quota = quota(4, 300);

/// The limits on getting in.
#[derive(Debug)]
pub struct Limits {
    address: Limiter<IpAddr>,
    network: Limiter<IpAddr>,
    devices: Limiter<UserId>,
    own: Limiter<(Hash, Uuid)>,
    here: Limiter<(Hash, Option<IpAddr>)>,
    anywhere: Limiter<Hash>,
    refreshes: Limiter<SessionId>,
    messages: Limiter<Hash>,
}

/// Where a try at an account comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whence {
    /// A device that the account's owner has got in with.
    Device(Uuid),
    /// A network that its owner has logged in from.
    KnownNetwork,
    /// Anywhere else.
    Elsewhere,
}

/// A try that was let through; counted as failed unless it is said to have succeeded.
#[derive(Debug)]
#[must_use]
pub struct Try<'a> {
    limits: &'a Limits,
    account: Hash,
    network: Option<IpAddr>,
    whence: Whence,
}

impl Limits {
    /// Limits by this clock.
    pub fn new(clock: &SharedClock) -> Self {
        Self {
            address: Limiter::new(ADDRESS, clock.clone()),
            network: Limiter::new(NETWORK, clock.clone()),
            devices: Limiter::new(DEVICES, clock.clone()),
            own: Limiter::new(ACCOUNT_DEVICE, clock.clone()),
            here: Limiter::new(ACCOUNT_HERE, clock.clone()),
            anywhere: Limiter::new(ACCOUNT_ANYWHERE, clock.clone()),
            refreshes: Limiter::new(REFRESHES, clock.clone()),
            messages: Limiter::new(MESSAGES, clock.clone()),
        }
    }

    /// Lets a request that anybody can send come from where it comes from.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn origin(&self) -> Result<(), ApiError> {
        let Some(address) = origin() else { return Ok(()) };
        self.address.take(address).map_err(too_often)?;
        self.network.take(network(address)).map_err(too_often)
    }

    /// The same for one that comes from a known device, whatever others at its address do.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn origin_or(&self, device: Option<Device>) -> Result<(), ApiError> {
        match device {
            Some(device) if self.devices.take(device.user).is_ok() => Ok(()),
            _ => self.origin(),
        }
    }

    /// Lets a session be refreshed, whatever others at its address do.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn refresh(&self, session: SessionId) -> Result<(), ApiError> {
        self.refreshes.take(session).map_err(too_often)
    }

    /// Lets a try at an account through. `account` names it, whether there is such an account or not.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn attempt(&self, account: &str, whence: Whence) -> Result<Try<'_>, ApiError> {
        let (account, network) = (hash_of(account), origin().map(network));
        let attempt = Try { limits: self, account, network, whence };
        if let Whence::Device(device) = whence {
            self.own.take((account, device)).map_err(too_often)?;
            return Ok(attempt);
        }
        self.here.take((account, network)).map_err(too_often)?;
        if whence == Whence::Elsewhere
            && let Err(wait) = self.anywhere.take(account)
        {
            self.here.give_back((account, network));
            return Err(too_often(wait));
        }
        Ok(attempt)
    }

    /// Whether one more message may be sent to `address`. Nobody is told if not: the answer is the
    /// same, there is just no message.
    pub fn may_write_to(&self, address: &str) -> bool {
        self.messages.take(hash_of(address)).is_ok()
    }
}

impl Try<'_> {
    /// It was right: it does not count.
    pub fn succeeded(self) {
        let Self { limits, account, network, whence } = self;
        match whence {
            Whence::Device(device) => limits.own.give_back((account, device)),
            Whence::KnownNetwork => limits.here.give_back((account, network)),
            Whence::Elsewhere => {
                limits.here.give_back((account, network));
                limits.anywhere.give_back(account);
            }
        }
    }
}

fn origin() -> Option<IpAddr> {
    context::current().and_then(|context| context.client.address)
}

fn too_often(wait: Duration) -> ApiError {
    ApiError::new(Code::RateLimited, "too many tries: wait as long as `retry-after` says").retry_after(wait)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kit::clock::ManualClock;
    use crate::kit::http::client::Client;
    use crate::kit::http::context::RequestContext;
    use crate::kit::ids::{Entropy, Ids};
    use http::HeaderMap;
    use jiff::Timestamp;

    async fn from<T>(address: &str, work: impl FnOnce() -> T) -> T {
        let clock: SharedClock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let client = Client { address: Some(address.parse().unwrap()), device: None };
        let ids = Ids::new(clock, Entropy::seeded(1));
        let context = RequestContext::read("/", &HeaderMap::new(), client, &ids);
        context::scope(Arc::new(context), async { work() }).await
    }

    fn limits() -> Limits {
        let clock: SharedClock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        Limits::new(&clock)
    }

    #[tokio::test]
    async fn who_guesses_is_slowed_and_the_owner_elsewhere_is_not() {
        let limits = limits();
        let tries = from("203.0.113.7", || {
            (0..20).filter(|_| limits.attempt("ada", Whence::Elsewhere).is_ok()).count()
        });
        assert_eq!(tries.await, 6);
        from("203.0.113.99", || limits.attempt("ada", Whence::Elsewhere).map(drop))
            .await
            .expect_err("the same network");
        from("198.51.100.1", || limits.attempt("ada", Whence::KnownNetwork).map(drop)).await.unwrap();
    }

    #[tokio::test]
    async fn the_device_that_an_owner_uses_is_counted_apart_from_its_neighbours() {
        let limits = limits();
        let own = Device { user: Uuid::from_u128(1).into(), id: Uuid::from_u128(2) };
        from("203.0.113.7", || {
            while limits.origin().is_ok() {}
            while limits.attempt("ada", Whence::KnownNetwork).is_ok() {}
            limits.origin_or(None).unwrap_err();
            limits.origin_or(Some(own)).unwrap();
            let tries = (0..20).filter(|_| limits.attempt("ada", Whence::Device(own.id)).is_ok()).count();
            assert_eq!(tries, 6, "a device that was stolen guesses no faster than a network");
            limits.attempt("ada", Whence::Device(Uuid::from_u128(3))).unwrap().succeeded();
        })
        .await;
    }

    #[tokio::test]
    async fn many_networks_together_do_not_lock_out_a_network_that_the_owner_uses() {
        let limits = limits();
        let mut let_through = 0;
        for net in 0..200 {
            let address = format!("10.0.{net}.1");
            let_through += from(&address, || {
                (0..6).filter(|_| limits.attempt("ada", Whence::Elsewhere).is_ok()).count()
            })
            .await;
        }
        assert_eq!(let_through, 60);
        from("198.51.100.1", || limits.attempt("ada", Whence::Elsewhere).map(drop)).await.unwrap_err();
        from("198.51.100.1", || limits.attempt("ada", Whence::KnownNetwork).map(drop)).await.unwrap();
    }

    #[tokio::test]
    async fn what_succeeds_does_not_count() {
        let limits = limits();
        from("203.0.113.7", || {
            for _ in 0..100 {
                limits.attempt("ada", Whence::Elsewhere).unwrap().succeeded();
            }
        })
        .await;
    }

    #[tokio::test]
    async fn one_address_may_not_ask_without_end() {
        let limits = limits();
        let asked = from("203.0.113.7", || (0..100).filter(|_| limits.origin().is_ok()).count());
        assert_eq!(asked.await, 30);
    }
}
