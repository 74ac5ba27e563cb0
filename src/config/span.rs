//! Spans of time as people write them: `500ms`, `30s`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::Refusal;

/// A span of time, never negative, written in jiff's "friendly" form or ISO 8601 (`PT30S`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

impl Span {
    /// A span of so many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// A span of so many seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// The span as the standard library's type.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0s");
        }
        let (secs, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        // "90s" reads better than "1m30s", and is how the defaults are written.
        let minutes = if secs < 120 { 0 } else { secs / 60 };
        let parts = [
            (minutes / 60, "h"),
            (minutes % 60, "m"),
            (secs - minutes * 60, "s"),
            (u64::from(nanos / 1_000_000), "ms"),
            (u64::from(nanos / 1_000 % 1_000), "us"),
            (u64::from(nanos % 1_000), "ns"),
        ];
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, unit)| write!(f, "{count}{unit}"))
    }
}

impl FromStr for Span {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        const EXAMPLES: &str = "write it with its unit, such as \"500ms\", \"30s\", \"5m\" or \"1h30m\"";
        let trimmed = text.trim();
        if !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_digit()) && trimmed != "0" {
            return Err(Refusal::new(
                format!("{text:?} has no unit"),
                format!("write \"{trimmed}s\" for seconds or \"{trimmed}ms\" for milliseconds"),
            ));
        }
        if trimmed == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let signed: SignedDuration =
            trimmed.parse().map_err(|_| Refusal::new(format!("{text:?} is not a span of time"), EXAMPLES))?;
        Duration::try_from(signed)
            .map(Self)
            .map_err(|_| Refusal::new(format!("{text:?} is negative"), "use a span of zero or more"))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Refusal::into_serde)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_read_as_people_write_them() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("1.5s", 1_500),
            ("PT30S", 30_000),
            ("0s", 0),
            ("0", 0),
        ] {
            assert_eq!(text.parse::<Span>().unwrap(), Span::from_millis(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused_with_an_example() {
        for (text, problem) in [
            ("60", "has no unit"),
            ("-5s", "is negative"),
            ("", "is not a span"),
            ("soon", "is not a span"),
            ("5 parsecs", "is not a span"),
            ("9999999999999999999999h", "is not a span"),
        ] {
            let refusal = text.parse::<Span>().unwrap_err();
            assert!(refusal.problem.contains(problem), "{text}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn every_span_reads_back(secs in 0..i64::MAX as u64 / 2, nanos in 0..1_000_000_000u32) {
            let span = Span(Duration::new(secs, nanos));
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Span>();
        }
    }
}
