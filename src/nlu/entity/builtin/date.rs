//! Dates and moments.
//!
//! A weekday is its next occurrence, today excluded ("this monday" may be today); "next friday"
//! is the one of next week, weeks starting on Monday; a day without its year is the next one. A
//! week, month or year is given as its first day.

use jiff::civil::{Date, Time, Weekday};
use jiff::{ToSpan, Zoned};

use super::duration::{self, Length};
use super::number::ordinal;
use super::words::Words;
use super::{Clock, Reading, time};

const MONTHS: [(&str, &str); 12] = [
    ("january", "jan"),
    ("february", "feb"),
    ("march", "mar"),
    ("april", "apr"),
    ("may", "may"),
    ("june", "jun"),
    ("july", "jul"),
    ("august", "aug"),
    ("september", "sep"),
    ("october", "oct"),
    ("november", "nov"),
    ("december", "dec"),
];

/// Position behind, day, and whether it depends on the clock.
pub(super) type Found = (usize, Date, bool);

/// A date at a word.
pub(super) fn date(words: &Words<'_>, at: usize, clock: Clock<'_>) -> Option<Found> {
    let today = clock.now.date();
    let found = iso(words, at)
        .or_else(|| numeric(words, at, today))
        .or_else(|| named_day(words, at, today))
        .or_else(|| relative(words, at, today))
        .or_else(|| calendar(words, at, today));
    // "on monday", "on the 3rd": the preposition belongs to the expression's reading only.
    found.or_else(|| on_the(words, at, today))
}

/// A date-time at a word: a date and a time in either order, or so long from now.
pub(super) fn moment(words: &Words<'_>, at: usize, clock: Clock<'_>) -> Option<Reading> {
    if let Some((end, moment)) = from_now(words, at, clock.now) {
        return Some(Reading::new(end, "datetime", rfc3339(&moment), true));
    }
    let (end, day, of_day, dependent) =
        date_then_time(words, at, clock).or_else(|| time_then_date(words, at, clock))?;
    let moment = day.to_datetime(of_day).to_zoned(clock.now.time_zone().clone()).ok()?;
    Some(Reading::new(end, "datetime", rfc3339(&moment), dependent))
}

fn date_then_time(words: &Words<'_>, at: usize, clock: Clock<'_>) -> Option<(usize, Date, Time, bool)> {
    let (end, day, dependent) = date(words, at, clock)?;
    let iso = words.word(end) == "t" && words.glued(end);
    let next = if iso { end + 1 } else { words.skip(end, &[","]) };
    let (end, of_day) = time::time(words, next)?;
    Some((end, day, of_day, dependent))
}

fn time_then_date(words: &Words<'_>, at: usize, clock: Clock<'_>) -> Option<(usize, Date, Time, bool)> {
    let (end, of_day) = time::time(words, at)?;
    let next = words.skip(words.skip(end, &[","]), &["on"]);
    let (end, day, dependent) = date(words, next, clock).or_else(|| on_the(words, end, clock.now.date()))?;
    Some((end, day, of_day, dependent))
}

fn rfc3339(moment: &Zoned) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2027-03-14`.
fn iso(words: &Words<'_>, at: usize) -> Option<Found> {
    let (year, 4) = words.digits(at)? else {
        return None;
    };
    let (month, 2) = dashed(words, at + 1)? else {
        return None;
    };
    let (day, 2) = dashed(words, at + 3)? else {
        return None;
    };
    Some((at + 5, civil(year, month, day)?, false))
}

fn dashed(words: &Words<'_>, at: usize) -> Option<(i32, usize)> {
    (words.word(at) == "-" && words.glued(at) && words.glued(at + 1)).then(|| words.digits(at + 1)).flatten()
}

/// `3/14/2027` and `3/14` month first unless that is impossible; `14.3.2027` day first.
fn numeric(words: &Words<'_>, at: usize, today: Date) -> Option<Found> {
    let (first, 1..=2) = words.digits(at)? else {
        return None;
    };
    let separator = words.word(at + 1);
    if !matches!(separator, "/" | ".") || !words.glued(at + 1) || !words.glued(at + 2) {
        return None;
    }
    let (second, 1..=2) = words.digits(at + 2)? else {
        return None;
    };
    let (month, day) = if separator == "." || first > 12 { (second, first) } else { (first, second) };
    if words.word(at + 3) == separator && words.glued(at + 3) && words.glued(at + 4) {
        let (year, digits) = words.digits(at + 4)?;
        let year = match digits {
            4 => year,
            2 => 2000 + year,
            _ => return None,
        };
        return Some((at + 5, civil(year, month, day)?, false));
    }
    // "3/4" alone is a fraction more often than a day, "24/7" is neither.
    let said = separator == "/" && words.after(at, &["on", "by", "until", "since", "before", "after", "due"]);
    said.then(|| next_day(today, month, day)).flatten().map(|day| (at + 3, day, true))
}

/// `today`, `the day after tomorrow`, weekdays.
fn named_day(words: &Words<'_>, at: usize, today: Date) -> Option<Found> {
    let the = words.skip(at, &["the"]);
    if words.word(the) == "day" {
        let shift = match (words.word(the + 1), words.word(the + 2)) {
            ("after", "tomorrow") => 2,
            ("before", "yesterday") => -2,
            _ => return None,
        };
        return Some((the + 3, shifted(today, shift)?, true));
    }
    let shift = match words.word(at) {
        "today" | "tonight" => Some(0),
        "tomorrow" | "tmrw" => Some(1),
        "yesterday" => Some(-1),
        _ => None,
    };
    if let Some(shift) = shift {
        return Some((at + 1, shifted(today, shift)?, true));
    }
    if let Some(day) = weekday(words.word(at)).filter(|_| !doubtful(words, at)) {
        let ahead = days_until(today, day);
        return Some((at + 1, shifted(today, if ahead == 0 { 7 } else { ahead })?, true));
    }
    let day = weekday(words.word(at + 1))?;
    let ahead = days_until(today, day);
    let shift = match words.word(at) {
        "this" => ahead,
        "next" => {
            7 - i64::from(today.weekday().to_monday_zero_offset()) + i64::from(day.to_monday_zero_offset())
        }
        "last" => {
            if ahead == 0 {
                -7
            } else {
                ahead - 7
            }
        }
        _ => return None,
    };
    Some((at + 2, shifted(today, shift)?, true))
}

/// `in two weeks`, `three days ago`, `next week`, `the weekend`.
fn relative(words: &Words<'_>, at: usize, today: Date) -> Option<Found> {
    if let Some((end, length, sign)) = distance(words, at).filter(|(_, length, _)| length.is_whole_days()) {
        let span = length.span()?;
        let day = if sign > 0 { today.checked_add(span) } else { today.checked_sub(span) };
        return Some((end, day.ok()?, true));
    }
    let step = match words.word(at) {
        "this" => 0,
        "next" => 1,
        "last" | "past" => -1,
        _ => return None,
    };
    let monday = shifted(today, -i64::from(today.weekday().to_monday_zero_offset()))?;
    let day = match words.word(at + 1) {
        "week" => shifted(monday, 7 * step)?,
        "weekend" => shifted(monday, 5 + 7 * step)?,
        "month" => today.first_of_month().checked_add(step.months()).ok()?,
        "year" => Date::new(today.year().checked_add(i16::try_from(step).ok()?)?, 1, 1).ok()?,
        word => {
            let month = month(word)?;
            let ahead = i64::from((month - i32::from(today.month())).rem_euclid(12));
            let ahead = match step {
                1 if ahead == 0 => 12,
                -1 => ahead - 12,
                _ => ahead,
            };
            today.first_of_month().checked_add(ahead.months()).ok()?
        }
    };
    Some((at + 2, day, true))
}

/// `in …`, `… from now`, `… ago`: the position behind, the length and its sign.
fn distance(words: &Words<'_>, at: usize) -> Option<(usize, Length, i8)> {
    if words.is(at, &["in", "within"]) {
        let (end, length) = duration::length(words, at + 1)?;
        // "in two days' time"
        let end = if words.word(end) == "'" && words.word(end + 1) == "time" { end + 2 } else { end };
        return Some((end, length, 1));
    }
    let (end, length) = duration::length(words, at)?;
    match (words.word(end), words.word(end + 1)) {
        ("ago", _) => Some((end + 1, length, -1)),
        ("from", "now" | "today") => Some((end + 2, length, 1)),
        _ => None,
    }
}

fn from_now(words: &Words<'_>, at: usize, now: &Zoned) -> Option<(usize, Zoned)> {
    let (end, length, sign) = distance(words, at).filter(|(_, length, _)| !length.is_whole_days())?;
    let span = length.span()?;
    let moment = if sign > 0 { now.checked_add(span) } else { now.checked_sub(span) };
    Some((end, moment.ok()?))
}

/// `14 march 2027`, `the 14th of march`, `march 14th, 2027`, `in january`.
fn calendar(words: &Words<'_>, at: usize, today: Date) -> Option<Found> {
    if let Some(month) = month(words.word(at)) {
        let next = words.skip(at + 1, &["the"]);
        let (end, day) = day_number(words, next)?;
        let comma = words.skip(end, &[","]);
        return dated(words, (end, comma), today, month, day);
    }
    if words.is(at, &["in"])
        && let Some(month) = month(words.word(at + 1))
    {
        if let Some((year, 4)) = words.digits(at + 2) {
            return Some((at + 3, civil(year, month, 1)?, false));
        }
        // "in may" is a month, "in march" too: nothing else follows "in".
        let ahead = i64::from((month - i32::from(today.month())).rem_euclid(12));
        return Some((at + 2, today.first_of_month().checked_add(ahead.months()).ok()?, true));
    }
    let start = words.skip(at, &["the"]);
    let (end, day) = day_number(words, start)?;
    let next = words.skip(end, &["of"]);
    let month = month(words.word(next))?;
    let comma = words.skip(next + 1, &[","]);
    dated(words, (next + 1, comma), today, month, day)
}

/// Completes a day and month with the year behind it, or the next year in which it comes.
fn dated(
    words: &Words<'_>,
    (end, comma): (usize, usize),
    today: Date,
    month: i32,
    day: i32,
) -> Option<Found> {
    if let Some((year, 4)) = words.digits(comma).filter(|(year, _)| (1000..=2999).contains(year)) {
        return Some((comma + 1, civil(year, month, day)?, false));
    }
    Some((end, next_day(today, month, day)?, true))
}

/// `on the 3rd`, `by the 15th`: a day of this month or the next that has it.
fn on_the(words: &Words<'_>, at: usize, today: Date) -> Option<Found> {
    let expected = words.is(at, &["on", "by", "until"]) && words.word(at + 1) == "the";
    let (end, day) = expected.then(|| ordinal(words, at + 2)).flatten()?;
    // "on the second floor", "by the first attempt".
    let clear =
        matches!(words.word(end), "" | "." | "," | "?" | "!" | "at" | "and" | "please" | "for" | "in");
    let day = i8::try_from(day).ok().filter(|day| clear && (1..=31).contains(day))?;
    (0..12_i64)
        .find_map(|ahead| {
            let first = today.first_of_month().checked_add(ahead.months()).ok()?;
            Date::new(first.year(), first.month(), day).ok().filter(|date| *date >= today)
        })
        .map(|date| (end, date, true))
}

fn day_number(words: &Words<'_>, at: usize) -> Option<(usize, i32)> {
    if let Some((end, day)) = ordinal(words, at) {
        return i32::try_from(day).ok().filter(|day| (1..=31).contains(day)).map(|day| (end, day));
    }
    words
        .digits(at)
        .filter(|(day, digits)| *digits <= 2 && (1..=31).contains(day))
        .map(|(day, _)| (at + 1, day))
}

fn month(word: &str) -> Option<i32> {
    (1..)
        .zip(MONTHS)
        .find(|(_, (long, short))| *long == word || *short == word || (word == "sept" && *short == "sep"))
        .map(|(month, _)| month)
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" | "tues" => Weekday::Tuesday,
        "wednesday" | "wed" => Weekday::Wednesday,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

/// "The sun", "they wed", "I sat": short forms count only behind a word that asks for a day.
fn doubtful(words: &Words<'_>, at: usize) -> bool {
    words.word(at).len() < 6 && !words.after(at, &["on", "until", "by", "since", "every"])
}

fn days_until(today: Date, day: Weekday) -> i64 {
    i64::from(today.weekday().until(day))
}

fn shifted(day: Date, days: i64) -> Option<Date> {
    day.checked_add(days.days()).ok()
}

fn civil(year: i32, month: i32, day: i32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// The first such day from today on: up to eight years ahead for 29 February.
fn next_day(today: Date, month: i32, day: i32) -> Option<Date> {
    (0..=8).filter_map(|ahead| civil(i32::from(today.year()) + ahead, month, day)).find(|date| *date >= today)
}
