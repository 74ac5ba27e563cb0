//! The endpoints of a pool: who there is, who is chosen, and who is left out.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::Counter;
use tokio::time::Instant;

use super::connections::Target;
use super::ejection::may_eject;
use super::endpoint::{Base, Endpoint};
use super::load::{Ended, UNKNOWN};
use super::options::Ejection;
use crate::kit::ids::Entropy;

/// Endpoints that answer alike. Whoever works with them holds a list that does not change; a new one
/// takes its place.
#[derive(Debug)]
pub(super) struct Fleet {
    upstream: String,
    endpoints: RwLock<Arc<[Arc<Endpoint>]>>,
    rules: Ejection,
    /// Held while it is decided who is out, so that never more are than may be.
    ejecting: Mutex<()>,
    ejections: Counter,
}

impl Fleet {
    /// An endpoint for each of `bases`.
    pub(super) fn new(upstream: &str, bases: &[Base], rules: Ejection) -> Self {
        let endpoint =
            |base: &Base| Arc::new(Endpoint::new(upstream, base.header.clone(), base.target(), UNKNOWN));
        Self {
            upstream: upstream.to_owned(),
            endpoints: RwLock::new(bases.iter().map(endpoint).collect()),
            rules,
            ejecting: Mutex::new(()),
            ejections: metrics::counter!(super::EJECTIONS, "upstream" => upstream.to_owned()),
        }
    }

    /// Who there is.
    pub(super) fn endpoints(&self) -> Arc<[Arc<Endpoint>]> {
        Arc::clone(&self.endpoints.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who there is from now on; those that were there already stay as they are. Whether that is a change.
    ///
    /// A new endpoint is expected to be like the others: thought of as cheap it would get everything at
    /// once, while its caches are cold.
    pub(super) fn become_at(&self, places: &[(Base, Target)]) -> bool {
        let before = self.endpoints();
        let now = Instant::now();
        #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 endpoints")]
        let average = before.iter().map(|endpoint| endpoint.load.seconds(now)).sum::<f64>()
            / before.len().max(1) as f64;
        let known = |base: &Base, target: &Target| {
            before.iter().find(|known| known.header == base.header && known.connections.target() == target)
        };
        let after: Arc<[_]> = places
            .iter()
            .map(|(base, target)| match known(base, target) {
                Some(endpoint) => Arc::clone(endpoint),
                None => Arc::new(Endpoint::new(
                    &self.upstream,
                    base.header.clone(),
                    target.clone(),
                    average.max(UNKNOWN),
                )),
            })
            .collect();
        let same =
            after.len() == before.len() && after.iter().zip(before.iter()).all(|(a, b)| Arc::ptr_eq(a, b));
        if !same {
            for gone in before.iter().filter(|one| !after.iter().any(|other| Arc::ptr_eq(one, other))) {
                gone.leaves();
            }
            *self.endpoints.write().unwrap_or_else(PoisonError::into_inner) = after;
        }
        !same
    }

    /// A request is on its way to `endpoint`; the endpoint has failed if there is no answer `late_at`.
    pub(super) fn begin<'a>(&'a self, endpoint: &'a Endpoint, late_at: Option<Instant>) -> Waiting<'a> {
        endpoint.load.begin();
        Waiting { fleet: self, endpoint, since: Instant::now(), late_at, ended: Ended::GivenUp }
    }

    /// `endpoint` failed; it is left out if that was once too often.
    pub(super) fn failed(&self, endpoint: &Endpoint) {
        if !endpoint.record.failed(&self.rules) {
            return;
        }
        let now = Instant::now();
        let deciding = self.ejecting.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoints = self.endpoints();
        let out = endpoints.iter().filter(|endpoint| endpoint.record.is_out(now)).count();
        if endpoint.record.is_out(now) || !may_eject(&self.rules, out, endpoints.len()) {
            return;
        }
        let out_for = endpoint.record.eject(&self.rules, now);
        drop(deciding);
        self.ejections.increment(1);
        tracing::warn!(
            endpoint = %endpoint.address,
            upstream = %self.upstream,
            seconds = out_for.as_secs_f64(),
            "an endpoint that keeps failing is left out"
        );
    }
}

/// A request that waits for its answer.
pub(super) struct Waiting<'a> {
    fleet: &'a Fleet,
    endpoint: &'a Endpoint,
    since: Instant,
    late_at: Option<Instant>,
    ended: Ended,
}

impl Waiting<'_> {
    /// It does not wait any more, and how that came.
    pub(super) fn end(mut self, ended: Ended) {
        self.ended = ended;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        if self.ended == Ended::GivenUp && self.late_at.is_some_and(|late| now >= late) {
            self.ended = Ended::Failed;
        }
        self.endpoint.load.end(self.ended, now.duration_since(self.since), now);
        match self.ended {
            Ended::Answered => self.endpoint.record.succeeded(),
            Ended::Failed => self.fleet.failed(self.endpoint),
            Ended::GivenUp => {}
        }
    }
}

/// Whom to ask: one of those that are available, or else of all; none that was `tried`.
///
/// With `sticky`, the one that the number is nearest to (rendezvous hashing: when an endpoint goes, only
/// those who met it move); otherwise the cheaper of two drawn at random.
pub(super) fn choose(
    endpoints: &[Arc<Endpoint>],
    tried: &[usize],
    sticky: Option<u64>,
    entropy: &Entropy,
) -> Option<usize> {
    if let ([_], []) = (endpoints, tried) {
        return Some(0);
    }
    let now = Instant::now();
    let left = |available: bool| {
        let fits = move |endpoint: &Endpoint| !available || endpoint.is_available(now);
        let all = endpoints.iter().enumerate();
        all.filter(move |(index, endpoint)| !tried.contains(index) && fits(endpoint)).map(|(index, _)| index)
    };
    let (available, count) = match left(true).count() {
        0 => (false, left(false).count()),
        some => (true, some),
    };
    if let Some(number) = sticky {
        return left(available).max_by_key(|index| mix(number ^ endpoints[*index].key));
    }
    if count < 2 {
        return left(available).next();
    }
    let first = draw(entropy, count);
    // Drawn from those that are left, so that the two are never the same.
    let second = (first + 1 + draw(entropy, count - 1)) % count;
    // Somebody may have become unavailable since they were counted.
    let first = left(available).nth(first).or_else(|| left(available).next())?;
    let second = left(available).nth(second).unwrap_or(first);
    let cost = |index: usize| endpoints[index].load.cost(now);
    Some(if cost(first) <= cost(second) { first } else { second })
}

/// A number below `end`.
fn draw(entropy: &Entropy, end: usize) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small number, and not below 0"
    )]
    let drawn = (entropy.unit() * end as f64) as usize;
    drawn.min(end.saturating_sub(1))
}

/// Spreads numbers that are alike (the finalizer of `SplitMix64`).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;

    const RULES: Ejection = Ejection {
        consecutive_failures: 1,
        base: Duration::from_secs(10),
        longest: Duration::from_secs(10),
        share: 0.5,
    };

    fn fleet(count: u8) -> Fleet {
        let bases: Vec<_> =
            (0..count).map(|n| Base::parse(&format!("http://10.0.0.{n}:3001")).unwrap()).collect();
        Fleet::new("test", &bases, RULES)
    }

    fn places(endpoints: &[u8]) -> Vec<(Base, Target)> {
        let base = |n| Base::parse(&format!("http://10.0.0.{n}:3001")).unwrap();
        endpoints.iter().map(|n| (base(n), base(n).target())).collect()
    }

    #[test]
    fn when_an_endpoint_goes_only_those_who_met_it_move() {
        let fleet = fleet(5);
        let endpoints = fleet.endpoints();
        let entropy = Entropy::seeded(1);
        let meet = |number| choose(&endpoints, &[], Some(number), &entropy).unwrap();
        let before: HashMap<u64, usize> = (0..1000).map(|number| (number, meet(number))).collect();
        for index in 0..5 {
            let share = before.values().filter(|met| **met == index).count();
            assert!((140..260).contains(&share), "{share} of 1000 meet one of five");
        }
        endpoints[2].seen(false, "a test");
        for (number, met) in before {
            assert!(met == 2 || meet(number) == met);
            assert_ne!(meet(number), 2);
        }
    }

    #[test]
    fn who_was_tried_or_is_out_is_not_chosen_while_there_are_others() {
        let fleet = fleet(4);
        let endpoints = fleet.endpoints();
        let entropy = Entropy::seeded(1);
        fleet.failed(&endpoints[0]);
        endpoints[1].seen(false, "a test");
        for _ in 0..50 {
            assert!([2, 3].contains(&choose(&endpoints, &[], None, &entropy).unwrap()));
            assert_eq!(choose(&endpoints, &[2], None, &entropy), Some(3));
            assert!([0, 1].contains(&choose(&endpoints, &[2, 3], None, &entropy).unwrap()));
        }
        assert_eq!(choose(&endpoints, &[0, 1, 2, 3], None, &entropy), None);
    }

    #[test]
    fn no_more_are_out_than_may_be() {
        let fleet = fleet(4);
        let endpoints = fleet.endpoints();
        for endpoint in endpoints.iter() {
            fleet.failed(endpoint);
        }
        let now = Instant::now();
        let out: Vec<_> = endpoints.iter().map(|endpoint| endpoint.record.is_out(now)).collect();
        assert_eq!(out, [true, true, false, false]);
    }

    #[test]
    fn endpoints_that_stay_keep_what_is_known_of_them_and_new_ones_begin_like_the_others() {
        let fleet = fleet(2);
        let before = fleet.endpoints();
        for endpoint in before.iter() {
            endpoint.load.begin();
            endpoint.load.end(Ended::Failed, Duration::ZERO, Instant::now());
        }
        assert!(!fleet.become_at(&places(&[0, 1])), "nothing has changed");
        assert!(fleet.become_at(&places(&[1, 2])));
        let after = fleet.endpoints();
        assert!(Arc::ptr_eq(&after[0], &before[1]));
        assert!(after[1].load.seconds(Instant::now()) > 0.9, "not thought of as cheaper than the others");
    }
}
