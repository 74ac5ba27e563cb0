//! How often a route may be asked, and what replies say about it.
//!
//! Replies carry `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): one item for each
//! limit, by its name, with what is left and when all of it is there again.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::kit::auth::{Presented, Principal};
use crate::kit::error::{ApiError, Code};
use crate::kit::http::client::Client;
use crate::kit::limits::{RateLimiter, Verdict};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
/// Says that this process counts by itself, because Redis is away.
const DEGRADED: HeaderName = HeaderName::from_static("ratelimit-degraded");

/// What a limit counts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// A user or service.
    Principal,
    /// An API key, or a session.
    Key,
    /// An IPv4 address, or an IPv6 network of 64 bits, which is what one customer has at least.
    Address,
    /// A route.
    Route,
}

/// A limit as a route applies it.
#[derive(Debug, Clone)]
pub struct Limit {
    /// What it is called.
    pub name: Arc<str>,
    /// What it counts by itself.
    pub per: Per,
    /// The window in which as many come back as may come at once, in seconds.
    pub window: u64,
    /// Who counts.
    pub limiter: Arc<dyn RateLimiter>,
}

/// What limits said about one request.
#[derive(Debug, Default)]
pub(super) struct Said {
    policy: String,
    state: String,
    degraded: bool,
}

/// Who is counted.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) route: &'a str,
    pub(super) client: Option<&'a Client>,
    pub(super) principal: Option<&'a Principal>,
}

impl Limit {
    /// What counts by itself here; `None` for who cannot be told from others.
    fn key(&self, asking: Asking<'_>) -> Option<String> {
        match self.per {
            Per::Principal => Some(asking.principal?.user_id.to_string()),
            Per::Key => Some(match asking.principal?.credential {
                Presented::Key(id) => id.to_string(),
                Presented::Session(id) => id.to_string(),
            }),
            Per::Address => Some(neighbours(asking.client?.address?).to_string()),
            Per::Route => Some(asking.route.to_owned()),
        }
    }
}

impl Said {
    /// Asks `limits` about one request, all of them or until one refuses.
    ///
    /// # Errors
    /// 429 with how long to wait.
    pub(super) async fn ask(&mut self, limits: &[Limit], asking: Asking<'_>) -> Result<(), ApiError> {
        for limit in limits {
            let Some(key) = limit.key(asking) else { continue };
            let verdict = limit.limiter.take(&key).await;
            self.note(limit, verdict);
            verdict.check().map_err(|wait| {
                let detail = format!(
                    "more requests than the limit `{}` allows: wait as long as `retry-after` says",
                    limit.name
                );
                ApiError::new(Code::RateLimited, detail).retry_after(wait)
            })?;
        }
        Ok(())
    }

    fn note(&mut self, limit: &Limit, verdict: Verdict) {
        let comma = if self.policy.is_empty() { "" } else { ", " };
        let (name, window) = (&limit.name, limit.window);
        // Rounded up: who comes back then must not be refused.
        let reset = verdict.reset_after.as_millis().div_ceil(1_000);
        // Writing to a string cannot fail.
        let _ = write!(self.policy, "{comma}\"{name}\";q={};w={window}", verdict.limit);
        let _ = write!(self.state, "{comma}\"{name}\";r={};t={reset}", verdict.remaining);
        self.degraded |= verdict.degraded;
    }

    /// Says in the headers of a reply what was noted.
    pub(super) fn say(self, headers: &mut HeaderMap) {
        if self.policy.is_empty() {
            return;
        }
        for (name, text) in [(POLICY, self.policy), (STATE, self.state)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
        if self.degraded {
            headers.insert(DEGRADED, HeaderValue::from_static("?1"));
        }
    }
}

fn neighbours(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::kit::clock::ManualClock;
    use crate::kit::limits::{Limiters, Quota};

    fn limit(name: &'static str, per: Per, requests: u32, clock: &Arc<ManualClock>) -> Limit {
        let quota = Quota { burst: requests, every: Duration::from_mins(1) / requests };
        let limiter = Limiters::in_process(clock.clone()).limiter(name, quota);
        Limit { name: name.into(), per, window: 60, limiter }
    }

    fn from(address: &str) -> Client {
        Client { address: address.parse().ok(), device: None }
    }

    async fn ask(limits: &[Limit], client: &Client) -> (Option<Code>, HeaderMap) {
        let mut said = Said::default();
        let asking = Asking { route: "r", client: Some(client), principal: None };
        let refused = said.ask(limits, asking).await.err().map(|error| error.code());
        let mut headers = HeaderMap::new();
        said.say(&mut headers);
        (refused, headers)
    }

    #[tokio::test]
    async fn replies_say_what_is_left_and_a_refusal_says_so_too() {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let limits = [limit("all", Per::Route, 100, &clock), limit("each", Per::Address, 2, &clock)];
        let client = from("192.0.2.1");
        let (refused, headers) = ask(&limits, &client).await;
        assert_eq!(refused, None);
        assert_eq!(headers["ratelimit-policy"], "\"all\";q=100;w=60, \"each\";q=2;w=60");
        assert_eq!(headers["ratelimit"], "\"all\";r=99;t=1, \"each\";r=1;t=30");
        ask(&limits, &client).await;
        let (refused, headers) = ask(&limits, &client).await;
        assert_eq!(refused, Some(Code::RateLimited));
        assert_eq!(headers["ratelimit"], "\"all\";r=97;t=2, \"each\";r=0;t=60");
        assert!(!headers.contains_key("ratelimit-degraded"));
        assert_eq!(ask(&limits, &from("192.0.2.2")).await.0, None, "another address is counted by itself");
        clock.advance(SignedDuration::from_secs(30));
        assert_eq!(ask(&limits, &client).await.0, None, "one came back");
    }

    #[tokio::test]
    async fn neighbours_in_one_ipv6_network_count_together_and_nobody_without_limits() {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let limits = [limit("each", Per::Address, 1, &clock)];
        assert_eq!(ask(&limits, &from("2001:db8::1")).await.0, None);
        assert_eq!(ask(&limits, &from("2001:db8::2")).await.0, Some(Code::RateLimited));
        assert_eq!(ask(&limits, &from("2001:db8:0:1::1")).await.0, None);
        assert!(ask(&[], &from("2001:db8::1")).await.1.is_empty());
    }
}
