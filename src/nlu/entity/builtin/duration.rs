//! Durations: `ten minutes`, `half an hour`, `1h30m`, `two and a half weeks`.

use jiff::Span;

use super::Reading;
use super::number::cardinal;
use super::words::Words;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A length in the three kinds of unit that do not convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Length {
    pub months: i64,
    pub days: i64,
    pub seconds: i64,
}

impl Length {
    /// `amount` of a unit; `None` when absurdly long.
    fn of(amount: f64, unit: Unit) -> Option<Self> {
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
            Unit::Month => Self { months: whole(amount), ..Self::default() },
            Unit::Year => Self { months: whole(amount * 12.0), ..Self::default() },
        })
    }

    fn plus(self, other: Self) -> Self {
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

/// A unit word. Single letters count only right behind digits.
pub(super) fn unit(word: &str, glued: bool) -> Option<Unit> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" => Unit::Second,
        "minute" | "minutes" | "min" | "mins" => Unit::Minute,
        "hour" | "hours" | "hr" | "hrs" => Unit::Hour,
        "day" | "days" => Unit::Day,
        "week" | "weeks" => Unit::Week,
        "month" | "months" => Unit::Month,
        "year" | "years" | "yr" | "yrs" => Unit::Year,
        "s" if glued => Unit::Second,
        "m" if glued => Unit::Minute,
        "h" if glued => Unit::Hour,
        "d" if glued => Unit::Day,
        _ => return None,
    })
}

/// One amount with its unit: position behind it, length, unit.
fn piece(words: &Words<'_>, at: usize) -> Option<(usize, Length, Unit)> {
    // "half an hour", "half a day", "a quarter of an hour"
    if words.word(at) == "half" && words.is(at + 1, &["a", "an"]) {
        let found = unit(words.word(at + 2), false)?;
        return Some((at + 3, Length::of(0.5, found)?, found));
    }
    if words.is(at, &["a", "an"]) && words.word(at + 1) == "half" {
        let found = unit(words.word(at + 2), false)?;
        return Some((at + 3, Length::of(0.5, found)?, found));
    }
    if words.is(at, &["a", "an"]) {
        if words.word(at + 1) == "couple" && words.word(at + 2) == "of" {
            let found = unit(words.word(at + 3), false)?;
            return Some((at + 4, Length::of(2.0, found)?, found));
        }
        if words.word(at + 1) == "fortnight" {
            return Some((at + 2, Length { days: 14, ..Length::default() }, Unit::Week));
        }
        let found = unit(words.word(at + 1), false)?;
        let (end, half) = and_a_half(words, at + 2);
        return Some((end, Length::of(1.0 + half, found)?, found));
    }
    let (end, amount) = cardinal(words, at)?;
    let (end, half) = and_a_half(words, end);
    // "a ten-minute break"
    let end = if words.word(end) == "-" && words.glued(end) && words.glued(end + 1) { end + 1 } else { end };
    let found = unit(words.word(end), words.glued(end))?;
    let (end, other) = and_a_half(words, end + 1);
    Some((end, Length::of(amount + half + other, found)?, found))
}

fn and_a_half(words: &Words<'_>, at: usize) -> (usize, f64) {
    if words.word(at) == "and" && words.word(at + 1) == "a" && words.word(at + 2) == "half" {
        (at + 3, 0.5)
    } else {
        (at, 0.0)
    }
}

/// A duration at a word, its units falling: the position behind it, and its length.
pub(super) fn length(words: &Words<'_>, at: usize) -> Option<(usize, Length)> {
    let (mut end, mut total, mut last) = piece(words, at)?;
    loop {
        let next = words.skip(words.skip(end, &[","]), &["and"]);
        match piece(words, next) {
            Some((behind, length, unit)) if unit < last => {
                total = total.plus(length);
                end = behind;
                last = unit;
            }
            _ => return Some((end, total)),
        }
    }
}

pub(super) fn entity(words: &Words<'_>, at: usize) -> Option<Reading> {
    // "the second", "a day" in "twice a day" and "a month" in "a month later" are left alone.
    if words.is(at, &["a", "an"]) && words.after(at, &["once", "twice", "times", "such", "what", "per"]) {
        return None;
    }
    let (end, length) = length(words, at)?;
    Some(Reading::new(end, "duration", length.iso(), false))
}
