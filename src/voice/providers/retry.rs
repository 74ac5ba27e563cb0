//! When to ask again: the pause, and the server's own `retry-after`.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use crate::kit::ids::Entropy;

/// The first pause is up to this long; each further one up to twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A `retry-after` beyond this is as good as this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

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
