//! When to ask again: the budget, the pause, and the server's own `retry-after`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use crate::kit::ids::Entropy;

/// The first pause is up to this long; each further one up to twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A `retry-after` beyond this is as good as this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Retries that are always possible after a quiet time, and how fast they come back.
const FLOOR: f64 = 3.0;
const FLOOR_REFILL: Duration = Duration::from_secs(10);

/// Retries that can be saved up.
const CEILING: f64 = 50.0;

/// A token bucket that keeps retries to a share of the calls, so that a server in trouble gets less
/// traffic from us, not a multiple.
#[derive(Debug)]
pub(super) struct RetryBudget {
    ratio: f64,
    state: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    /// Up to when the floor has been refilled.
    refilled: Timestamp,
}

impl RetryBudget {
    pub(super) fn new(ratio: f64, now: Timestamp) -> Self {
        Self { ratio, state: Mutex::new(Bucket { tokens: FLOOR, refilled: now }) }
    }

    /// A call begins: it pays in its share of a retry.
    pub(super) fn call_began(&self) {
        let mut bucket = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.tokens = (bucket.tokens + self.ratio).min(CEILING);
    }

    /// Takes one retry out, if there is one.
    pub(super) fn try_retry(&self, now: Timestamp) -> bool {
        let mut bucket = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.duration_since(bucket.refilled).as_secs_f64().max(0.0);
        bucket.refilled = now;
        if bucket.tokens < FLOOR {
            bucket.tokens = (bucket.tokens + passed / FLOOR_REFILL.as_secs_f64()).min(FLOOR);
        }
        let affordable = bucket.tokens >= 1.0;
        if affordable {
            bucket.tokens -= 1.0;
        }
        affordable
    }
}

/// How long to wait before retry number `retry` (from 1): drawn evenly from the upper half of an
/// interval that doubles, so that callers which failed together do not come back together.
pub(super) fn pause(retry: u32, entropy: &Entropy) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(retry.saturating_sub(1)));
    doubled.min(LONGEST_PAUSE).mul_f64(0.5 + entropy.unit() / 2.0)
}

/// What the server asks for: `retry-after-ms`, or `retry-after` as seconds or as a date
/// (RFC 9110 §10.2.3). Nonsense is ignored; a day is the most.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |number: f64| {
        let number = if number.is_nan() { -1.0 } else { number.min(LONGEST_RETRY_AFTER.as_secs_f64()) };
        Duration::try_from_secs_f64(number).ok()
    };
    let millis = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok());
    if let Some(wait) = millis.and_then(|millis| seconds(millis / 1000.0)) {
        return Some(wait);
    }
    let text = text("retry-after")?;
    if let Ok(number) = text.parse::<f64>() {
        return seconds(number);
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait = Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO);
    Some(wait.min(LONGEST_RETRY_AFTER))
}
