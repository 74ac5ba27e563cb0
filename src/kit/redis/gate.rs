//! Whether it is any use to ask Redis now.
//!
//! While it is away only one call at a time tries, after a pause that grows; all others are told at
//! once, so that an outage costs nobody the time of a deadline. Says once that Redis went, and once
//! that it came back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::Gauge;
use tokio::time::Instant;

use super::RedisError;

/// The pause after the first call that failed; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Open while Redis answers.
#[derive(Debug)]
pub(super) struct Gate {
    away: Mutex<Option<Away>>,
    up: Gauge,
}

/// An outage.
#[derive(Debug)]
struct Away {
    since: Instant,
    /// Between the end of one try and the beginning of the next.
    pause: Duration,
    /// When the next one may begin.
    next: Instant,
    /// What the last one met with.
    error: RedisError,
}

/// What a call is let through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Its own sake.
    Call,
    /// Finding out whether Redis is back.
    Try,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { away: Mutex::default(), up: metrics::gauge!(super::metrics::UP) }
    }

    /// Lets a call through, or says why it is no use.
    pub(super) fn enter(&self, now: Instant) -> Result<Entry, RedisError> {
        match self.lock().as_mut() {
            None => Ok(Entry::Call),
            Some(away) if now < away.next => Err(away.error.clone()),
            Some(away) => {
                // Should this one be given up before it ends, there will be another.
                away.next = now + LONGEST_PAUSE;
                Ok(Entry::Try)
            }
        }
    }

    /// Redis answered.
    pub(super) fn answered(&self, now: Instant) {
        let ended = self.lock().take();
        self.up.set(1.0);
        if let Some(away) = ended {
            tracing::info!(away_ms = (now - away.since).as_millis(), "Redis is back");
        }
    }

    /// Redis did not. True when that is news.
    pub(super) fn failed(&self, now: Instant, entry: Entry, error: &RedisError) -> bool {
        let mut away = self.lock();
        match away.as_mut() {
            Some(away) if entry == Entry::Try => {
                away.pause = (away.pause * 2).min(LONGEST_PAUSE);
                away.next = now + away.pause;
                away.error = error.clone();
            }
            // It was under way when Redis went.
            Some(_) => {}
            None => {
                let next = now + FIRST_PAUSE;
                *away = Some(Away { since: now, pause: FIRST_PAUSE, next, error: error.clone() });
                self.up.set(0.0);
                tracing::error!(%error, "Redis is away: what can do without it does, until it is back");
                return true;
            }
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Option<Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> RedisError {
        RedisError::Unavailable { detail: "connection refused".to_owned() }
    }

    #[test]
    fn during_an_outage_one_call_at_a_time_tries_and_pauses_grow() {
        let (gate, mut now) = (Gate::new(), Instant::now());
        assert_eq!(gate.enter(now), Ok(Entry::Call));
        assert!(gate.failed(now, Entry::Call, &away()));
        assert!(!gate.failed(now, Entry::Call, &away()), "it was under way");
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let ended = now;
            while gate.enter(now).is_err() {
                now += FIRST_PAUSE;
            }
            pauses.push((now - ended).as_millis());
            assert_eq!(gate.enter(now), Err(away()), "somebody tries already");
            assert!(!gate.failed(now, Entry::Try, &away()), "it is the same outage");
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
    }

    #[test]
    fn once_redis_answers_everybody_is_let_through() {
        let (gate, now) = (Gate::new(), Instant::now());
        gate.failed(now, Entry::Call, &away());
        assert_eq!(gate.enter(now + FIRST_PAUSE), Ok(Entry::Try));
        gate.answered(now + FIRST_PAUSE);
        assert_eq!(gate.enter(now), Ok(Entry::Call));
        assert!(gate.failed(now, Entry::Call, &away()), "this is another outage");
    }

    #[test]
    fn who_tries_and_gives_up_keeps_nobody_out_for_ever() {
        let (gate, now) = (Gate::new(), Instant::now());
        gate.failed(now, Entry::Call, &away());
        assert_eq!(gate.enter(now + FIRST_PAUSE), Ok(Entry::Try));
        assert_eq!(gate.enter(now + FIRST_PAUSE + LONGEST_PAUSE), Ok(Entry::Try));
    }
}
