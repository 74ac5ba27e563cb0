//! Durations: `ten minutes`, `half an hour`, `1h30m`, `zweieinhalb Wochen`.

use jiff::Span;

use super::number::counted;
use super::reader::{Captures, Reader};
use super::tongue::{Op, Unit};

/// A length in the three kinds of unit that do not convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Length {
    pub months: i64,
    pub days: i64,
    pub seconds: i64,
}

/// A duration has at most this many parts.
const MOST_PARTS: usize = 6;

impl Length {
    /// `amount` of a unit; `None` when absurdly long.
    pub(super) fn of(amount: f64, unit: Unit) -> Option<Self> {
        if !(0.0..1e6).contains(&amount) {
            return None;
        }
        let whole = |amount: f64| amount.round() as i64;
        Some(match unit {
            Unit::Second => Self { seconds: whole(amount), ..Self::default() },
            Unit::Minute => Self { seconds: whole(amount * 60.0), ..Self::default() },
            Unit::Hour => Self { seconds: whole(amount * 3600.0), ..Self::default() },
            Unit::Day | Unit::Week => {
                let days = if unit == Unit::Week { amount * 7.0 } else { amount };
                Self { days: whole(days.floor()), seconds: whole(days.fract() * 86_400.0), months: 0 }
            }
            Unit::Month => Self {
                months: whole(amount.floor()),
                // Half a month is said of two weeks.
                days: if amount.fract() > 0.0 { whole(amount.fract() * 30.0) } else { 0 },
                seconds: 0,
            },
            Unit::Year => Self { months: whole(amount * 12.0), ..Self::default() },
        })
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            months: self.months + other.months,
            days: self.days + other.days,
            seconds: self.seconds + other.seconds,
        }
    }

    /// Whether it is made of whole days, so that it leads from a date to a date.
    pub(super) fn is_whole_days(self) -> bool {
        self.seconds == 0
    }

    pub(super) fn span(self) -> Option<Span> {
        Span::new().try_months(self.months).ok()?.try_days(self.days).ok()?.try_seconds(self.seconds).ok()
    }

    /// ISO 8601, for example `P1DT2H30M`.
    pub(super) fn iso(self) -> String {
        let (hours, minutes, seconds) = (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
        let (years, months) = (self.months / 12, self.months % 12);
        let part = |amount: i64, letter: char| {
            if amount > 0 { format!("{amount}{letter}") } else { String::new() }
        };
        let date = part(years, 'Y') + &part(months, 'M') + &part(self.days, 'D');
        let time = part(hours, 'H') + &part(minutes, 'M') + &part(seconds, 'S');
        match (date.is_empty(), time.is_empty()) {
            (true, true) => "PT0S".to_owned(),
            (false, true) => format!("P{date}"),
            _ => format!("P{date}T{time}"),
        }
    }
}

/// A duration at a word, its units falling: the position behind it, and its length.
pub(super) fn length(reader: &Reader<'_>, at: usize) -> Option<(usize, Length)> {
    let words = reader.words;
    let (mut end, mut total, mut last) = part(reader, at)?;
    for _ in 1..MOST_PARTS {
        let next = words.skip(end, &words.grammar.and);
        match part(reader, next) {
            Some((behind, length, unit)) if unit < last => {
                total = total.plus(length);
                end = behind;
                last = unit;
            }
            _ => break,
        }
    }
    Some((end, total))
}

/// One amount with its unit: position behind it, length, unit.
fn part(reader: &Reader<'_>, at: usize) -> Option<(usize, Length, Unit)> {
    let mut best: Option<(usize, Length, Unit)> = amount(reader, at);
    reader.words.grammar.duration.read(reader, at, &mut |end, op, captures| {
        let found = phrase(op, captures);
        if let Some((length, unit)) = found.filter(|_| best.is_none_or(|(behind, _, _)| end > behind)) {
            best = Some((end, length, unit));
        }
    });
    best
}

fn phrase(op: Op, captures: &Captures) -> Option<(Length, Unit)> {
    match op {
        Op::Amount(amount) => {
            let unit = captures.unit?;
            Some((Length::of(amount, unit)?, unit))
        }
        Op::AndHalf(unit) => Some((Length::of(captures.number? + 0.5, unit)?, unit)),
        Op::OneAnd => Some((captures.stretch()?, captures.unit?)),
        Op::Fixed(minutes) if minutes % 1440 == 0 => {
            Some((Length { days: minutes / 1440, ..Length::default() }, Unit::Week))
        }
        Op::Fixed(minutes) => Some((Length { seconds: minutes * 60, ..Length::default() }, Unit::Hour)),
        _ => None,
    }
}

/// `{n} {unit}`, with a half behind either.
fn amount(reader: &Reader<'_>, at: usize) -> Option<(usize, Length, Unit)> {
    let words = reader.words;
    let and_half = |at: usize| words.phrase(at, &words.grammar.and_half).map_or((at, 0.0), |end| (end, 0.5));
    let (end, amount) = counted(words, at)?;
    let (end, half) = and_half(end);
    // "a ten-minute break"
    let end = if words.word(end) == "-" && words.glued(end) && words.glued(end + 1) { end + 1 } else { end };
    let entry = words.entry(end);
    let unit = entry.unit.or(entry.glued_unit.filter(|_| words.glued(end) && words.is_number(end - 1)))?;
    let (end, other) = and_half(words.next(end));
    Some((end, Length::of(amount + half + other, unit)?, unit))
}
