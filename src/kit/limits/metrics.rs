//! What `/metrics` says about limits.

use metrics::Counter;

use super::Verdict;

pub(super) const DEGRADED: &str = "voicera_limits_degraded";
const DECISIONS: &str = "voicera_limits_decisions_total";

/// Names for the recorder; call once it is installed.
pub fn describe() {
    metrics::describe_counter!(DECISIONS, "Decisions of rate limiters, by limit and outcome");
    metrics::describe_gauge!(DEGRADED, "1 while each process counts by itself because Redis is away");
}

/// One limit's series.
#[derive(Debug)]
pub(super) struct Decisions {
    allowed: Counter,
    refused: Counter,
}

impl Decisions {
    pub(super) fn of(limit: &str) -> Self {
        let counter =
            |outcome| metrics::counter!(DECISIONS, "limit" => limit.to_owned(), "outcome" => outcome);
        Self { allowed: counter("allowed"), refused: counter("refused") }
    }

    pub(super) fn count(&self, verdict: &Verdict) {
        if verdict.allowed { self.allowed.increment(1) } else { self.refused.increment(1) }
    }
}
