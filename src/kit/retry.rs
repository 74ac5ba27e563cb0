//! How often what failed may be tried again, over all calls together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Retries that are always possible after a quiet time, and how fast they come back.
const FLOOR: f64 = 3.0;
const FLOOR_REFILL: Duration = Duration::from_secs(10);

/// Retries that can be saved up.
const CEILING: f64 = 50.0;

/// A token bucket that keeps retries to a share of the calls, so that a server in trouble gets less
/// traffic from us, not a multiple.
#[derive(Debug)]
pub struct RetryBudget {
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
    /// A budget of `ratio` retries a call, from 0 to 1.
    pub fn new(ratio: f64, now: Timestamp) -> Self {
        Self { ratio, state: Mutex::new(Bucket { tokens: FLOOR, refilled: now }) }
    }

    /// A call begins: it pays in its share of a retry.
    pub fn call_began(&self) {
        let mut bucket = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.tokens = (bucket.tokens + self.ratio).min(CEILING);
    }

    /// Takes one retry out, if there is one.
    pub fn try_retry(&self, now: Timestamp) -> bool {
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
