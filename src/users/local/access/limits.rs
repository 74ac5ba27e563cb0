//! How often one may try to get in, by address, by network and by account.
//!
//! Meant to slow who guesses, and never to lock out the owner: tries with a device that its owner has got
//! in with are counted for that device alone, all others apart for each network, and the count over all
//! networks does not concern one from which the owner has logged in lately.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::kit::error::{ApiError, Code};
use crate::kit::http::client::network;
use crate::kit::http::context;
use crate::kit::ids::SessionId;
use crate::kit::limits::{Limiters, Quota, RateLimiter, Verdict};
use crate::users::local::access::devices::Device;
use crate::users::local::secret::hash_of;

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

/// The limits on getting in. Accounts and addresses of mail are counted under a hash of their names.
#[derive(Debug)]
pub struct Limits {
    address: Arc<dyn RateLimiter>,
    network: Arc<dyn RateLimiter>,
    devices: Arc<dyn RateLimiter>,
    own: Arc<dyn RateLimiter>,
    here: Arc<dyn RateLimiter>,
    anywhere: Arc<dyn RateLimiter>,
    refreshes: Arc<dyn RateLimiter>,
    messages: Arc<dyn RateLimiter>,
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
    /// What it cost, where, and under which name.
    taken: Vec<(&'a dyn RateLimiter, String, Verdict)>,
}

impl Limits {
    /// Limits that are counted where `limiters` count.
    pub fn new(limiters: &Limiters) -> Self {
        Self {
            address: limiters.limiter("users_address", ADDRESS),
            network: limiters.limiter("users_network", NETWORK),
            devices: limiters.limiter("users_devices", DEVICES),
            own: limiters.limiter("users_account_device", ACCOUNT_DEVICE),
            here: limiters.limiter("users_account_here", ACCOUNT_HERE),
            anywhere: limiters.limiter("users_account_anywhere", ACCOUNT_ANYWHERE),
            refreshes: limiters.limiter("users_refreshes", REFRESHES),
            messages: limiters.limiter("users_messages", MESSAGES),
        }
    }

    /// Lets a request that anybody can send come from where it comes from.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub async fn origin(&self) -> Result<(), ApiError> {
        let Some(address) = origin() else { return Ok(()) };
        self.address.take(&address.to_string()).await.check().map_err(too_often)?;
        self.network.take(&network(address).to_string()).await.check().map_err(too_often)
    }

    /// The same for one that comes from a known device, whatever others at its address do.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub async fn origin_or(&self, device: Option<Device>) -> Result<(), ApiError> {
        match device {
            Some(device) if self.devices.take(&device.user.to_string()).await.allowed => Ok(()),
            _ => self.origin().await,
        }
    }

    /// Lets a session be refreshed, whatever others at its address do.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub async fn refresh(&self, session: SessionId) -> Result<(), ApiError> {
        self.refreshes.take(&session.to_string()).await.check().map_err(too_often)
    }

    /// Lets a try at an account through. `account` names it, whether there is such an account or not.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub async fn attempt(&self, account: &str, whence: Whence) -> Result<Try<'_>, ApiError> {
        let account = hashed(account);
        let network = || origin().map(|address| network(address).to_string()).unwrap_or_default();
        let mut attempt = Try { taken: Vec::with_capacity(2) };
        match whence {
            Whence::Device(device) => attempt.take(&*self.own, format!("{account}:{device}")).await?,
            Whence::KnownNetwork => attempt.take(&*self.here, format!("{account}:{}", network())).await?,
            Whence::Elsewhere => {
                attempt.take(&*self.here, format!("{account}:{}", network())).await?;
                if let Err(refused) = attempt.take(&*self.anywhere, account).await {
                    attempt.succeeded().await;
                    return Err(refused);
                }
            }
        }
        Ok(attempt)
    }

    /// Whether one more message may be sent to `address`. Nobody is told if not: the answer is the
    /// same, there is just no message.
    pub async fn may_write_to(&self, address: &str) -> bool {
        self.messages.take(&hashed(address)).await.allowed
    }
}

impl<'a> Try<'a> {
    async fn take(&mut self, limiter: &'a dyn RateLimiter, name: String) -> Result<(), ApiError> {
        let verdict = limiter.take(&name).await;
        verdict.check().map_err(too_often)?;
        self.taken.push((limiter, name, verdict));
        Ok(())
    }

    /// It was right: it does not count.
    pub async fn succeeded(self) {
        for (limiter, name, verdict) in self.taken {
            limiter.give_back(&name, verdict).await;
        }
    }
}

fn hashed(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash_of(name))
}

fn origin() -> Option<IpAddr> {
    context::current().and_then(|context| context.client.address)
}

fn too_often(wait: Duration) -> ApiError {
    ApiError::new(Code::RateLimited, "too many tries: wait as long as `retry-after` says").retry_after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::clock::{ManualClock, SharedClock};
    use crate::kit::http::client::Client;
    use crate::kit::http::context::RequestContext;
    use crate::kit::ids::{Entropy, Ids};
    use http::HeaderMap;
    use jiff::Timestamp;

    async fn from<T>(address: &str, work: impl Future<Output = T>) -> T {
        let clock: SharedClock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let client = Client { address: Some(address.parse().unwrap()), device: None };
        let ids = Ids::new(clock, Entropy::seeded(1));
        let context = RequestContext::read("/", &HeaderMap::new(), client, &ids);
        context::scope(Arc::new(context), work).await
    }

    fn limits() -> Limits {
        Limits::new(&Limiters::in_process(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH))))
    }

    /// How many of so many tries are let through.
    async fn let_through(limits: &Limits, tries: usize, whence: Whence) -> usize {
        let mut through = 0;
        for _ in 0..tries {
            through += usize::from(limits.attempt("ada", whence).await.is_ok());
        }
        through
    }

    #[tokio::test]
    async fn who_guesses_is_slowed_and_the_owner_elsewhere_is_not() {
        let limits = limits();
        assert_eq!(from("203.0.113.7", let_through(&limits, 20, Whence::Elsewhere)).await, 6);
        let neighbour = from("203.0.113.99", let_through(&limits, 1, Whence::Elsewhere)).await;
        assert_eq!(neighbour, 0, "the same network");
        assert_eq!(from("198.51.100.1", let_through(&limits, 1, Whence::KnownNetwork)).await, 1);
    }

    #[tokio::test]
    async fn the_device_that_an_owner_uses_is_counted_apart_from_its_neighbours() {
        let limits = limits();
        let own = Device { user: Uuid::from_u128(1).into(), id: Uuid::from_u128(2) };
        from("203.0.113.7", async {
            while limits.origin().await.is_ok() {}
            let_through(&limits, 20, Whence::KnownNetwork).await;
            limits.origin_or(None).await.unwrap_err();
            limits.origin_or(Some(own)).await.unwrap();
            let tries = let_through(&limits, 20, Whence::Device(own.id)).await;
            assert_eq!(tries, 6, "a device that was stolen guesses no faster than a network");
            limits.attempt("ada", Whence::Device(Uuid::from_u128(3))).await.unwrap().succeeded().await;
        })
        .await;
    }

    #[tokio::test]
    async fn many_networks_together_do_not_lock_out_a_network_that_the_owner_uses() {
        let limits = limits();
        let mut through = 0;
        for net in 0..200 {
            through += from(&format!("10.0.{net}.1"), let_through(&limits, 6, Whence::Elsewhere)).await;
        }
        assert_eq!(through, 60);
        assert_eq!(from("198.51.100.1", let_through(&limits, 1, Whence::Elsewhere)).await, 0);
        assert_eq!(from("198.51.100.1", let_through(&limits, 1, Whence::KnownNetwork)).await, 1);
    }

    #[tokio::test]
    async fn what_succeeds_does_not_count() {
        let limits = limits();
        from("203.0.113.7", async {
            for _ in 0..100 {
                limits.attempt("ada", Whence::Elsewhere).await.unwrap().succeeded().await;
            }
        })
        .await;
    }

    #[tokio::test]
    async fn one_address_may_not_ask_without_end() {
        let limits = limits();
        let asked = from("203.0.113.7", async {
            let mut asked = 0;
            while limits.origin().await.is_ok() {
                asked += 1;
            }
            asked
        });
        assert_eq!(asked.await, 30);
    }
}
