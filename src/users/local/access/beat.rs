//! Answers that go out on a beat, counted from their request.
//!
//! The work is the same whether there is an account or not, but a row of the store more or less would
//! still be told by enough tries.

use std::time::Duration;

use tokio::time::Instant;

/// From one beat to the next: a few times what a password takes to compare.
const BEAT: Duration = Duration::from_millis(50);

/// Waits for the next beat after `begun`.
pub(in crate::users) async fn next(begun: Instant) {
    tokio::time::sleep_until(begun + after(begun.elapsed())).await;
}

/// The first beat after `elapsed`.
fn after(elapsed: Duration) -> Duration {
    let beats = elapsed.as_millis() / BEAT.as_millis() + 1;
    BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_little_longer_is_answered_at_the_same_time() {
        let millis = |elapsed| after(Duration::from_millis(elapsed)).as_millis();
        assert_eq!([0, 1, 49, 50, 51, 120].map(millis), [50, 50, 50, 100, 100, 150]);
    }
}
