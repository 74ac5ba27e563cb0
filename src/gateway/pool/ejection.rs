//! Who is left out for having failed, by what its answers show (Envoy's outlier detection).
//!
//! The rules stand at [`Ejection`].

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::options::Ejection;

/// What an endpoint's last answers were like.
#[derive(Debug, Default)]
pub(super) struct Record {
    failures: AtomicU32,
    /// Whether to look at `row`: as a rule nobody is out.
    out: AtomicBool,
    row: Mutex<Row>,
}

/// Ejections in a row.
#[derive(Debug, Default)]
struct Row {
    ejections: u32,
    until: Option<Instant>,
}

impl Record {
    /// Failures since the last success.
    pub(super) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether it is left out.
    pub(super) fn is_out(&self, now: Instant) -> bool {
        self.out.load(Ordering::Relaxed) && self.out_for(now).is_some()
    }

    /// For how long it is left out still.
    pub(super) fn out_for(&self, now: Instant) -> Option<Duration> {
        let left = self.row().until?.checked_duration_since(now).filter(|left| !left.is_zero());
        if left.is_none() {
            self.out.store(false, Ordering::Relaxed);
        }
        left
    }

    pub(super) fn succeeded(&self) {
        // Written only where that changes something: all requests come by here.
        if self.failures() > 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a failure; whether that is enough for an ejection.
    pub(super) fn failed(&self, rules: &Ejection) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        rules.consecutive_failures > 0 && failures >= rules.consecutive_failures
    }

    /// Leaves it out from `now` on; for how long.
    pub(super) fn eject(&self, rules: &Ejection, now: Instant) -> Duration {
        let mut row = self.row();
        let stayed_in = row.until.map_or(Duration::MAX, |until| now.duration_since(until));
        let steps = stayed_in.as_nanos() / rules.base.as_nanos().max(1);
        let forgiven = u32::try_from(steps).unwrap_or(u32::MAX);
        row.ejections = row.ejections.saturating_sub(forgiven).saturating_add(1);
        let out = rules.base.saturating_mul(row.ejections).min(rules.longest);
        row.until = Some(now + out);
        self.out.store(true, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        out
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one more of `all` may be out when `out` are.
pub(super) fn may_eject(rules: &Ejection, out: usize, all: usize) -> bool {
    #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 endpoints")]
    let (after, all) = ((out + 1) as f64, all as f64);
    after <= all * rules.share
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RULES: Ejection = Ejection {
        consecutive_failures: 3,
        base: Duration::from_secs(10),
        longest: Duration::from_secs(25),
        share: 0.5,
    };

    #[test]
    fn failures_in_a_row_are_what_counts() {
        let record = Record::default();
        assert!(!record.failed(&RULES) && !record.failed(&RULES));
        record.succeeded();
        assert!(!record.failed(&RULES) && !record.failed(&RULES));
        assert!(record.failed(&RULES));
        let never = Ejection { consecutive_failures: 0, ..RULES };
        assert!(!record.failed(&never));
    }

    #[test]
    fn each_ejection_in_a_row_is_longer_up_to_the_longest() {
        let (record, start) = (Record::default(), Instant::now());
        assert_eq!(record.eject(&RULES, start), 10 * SECOND);
        assert!(record.is_out(start + 9 * SECOND) && !record.is_out(start + 10 * SECOND));
        assert_eq!(record.eject(&RULES, start + 11 * SECOND), 20 * SECOND);
        assert_eq!(record.eject(&RULES, start + 32 * SECOND), 25 * SECOND, "not 30");
    }

    #[test]
    fn a_row_ends_as_the_endpoint_stays_in() {
        let (record, start) = (Record::default(), Instant::now());
        record.eject(&RULES, start);
        record.eject(&RULES, start + 10 * SECOND);
        let later = start + (30 + 20) * SECOND;
        assert_eq!(record.eject(&RULES, later), 10 * SECOND, "it was in for twice the base");
    }

    #[test]
    fn the_share_caps_how_many_are_out() {
        let may = |share, out, all| may_eject(&Ejection { share, ..RULES }, out, all);
        assert!(may(0.5, 0, 2) && !may(0.5, 1, 2));
        assert!(may(0.5, 1, 4) && !may(0.5, 2, 4));
        assert!(!may(0.5, 0, 1) && may(1.0, 0, 1));
        assert!(!may(0.0, 0, 100));
    }
}
