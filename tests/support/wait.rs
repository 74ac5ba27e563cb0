//! Waiting for something to become true, with an end.

use std::time::{Duration, Instant};

/// The longest that a test waits for anything; generous, because machines are shared.
pub const DEADLINE: Duration = Duration::from_mins(2);
/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(15);

/// Looks until there is something to see; fails naming `what` after [`DEADLINE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(started.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain: {what}");
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The same where no runtime is at hand; `None` when `deadline` passes.
pub fn until_blocking<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if started.elapsed() > deadline {
            return None;
        }
        std::thread::sleep(INTERVAL);
    }
}

/// What lies between two tries of a client that was refused.
pub async fn moment() {
    tokio::time::sleep(INTERVAL).await;
}

/// Lets time go by where time is what is tested: a process that is stopped for so long.
pub async fn time(long: Duration) {
    tokio::time::sleep(long).await;
}
