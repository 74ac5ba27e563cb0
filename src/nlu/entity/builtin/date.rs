//! Dates.
//!
//! A weekday is its next occurrence, today excluded ("this monday" may be today); weeks start on
//! Monday; a day without its year is the next one. Month ends are kept: a month after 31 January is
//! the last day of February.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::reader::{Captures, Reader};
use super::tongue::{Op, Part, Which};
use super::words::Words;

/// A date as it was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dated {
    pub day: Date,
    pub dependent: bool,
    /// A part of that day, when it was said.
    pub part: Option<Part>,
    /// Whether the part only helps to read a time: "tonight" is a date.
    pub hint: bool,
}

impl Dated {
    fn new(day: Date, dependent: bool) -> Self {
        Self { day, dependent, part: None, hint: false }
    }
}

/// A date at a word.
pub(super) fn date(reader: &Reader<'_>, at: usize) -> Option<(usize, Dated)> {
    reader.dates.at(at, || read(reader, at))
}

fn read(reader: &Reader<'_>, at: usize) -> Option<(usize, Dated)> {
    let words = reader.words;
    let today = reader.now.date();
    let mut best = iso(words, at).or_else(|| numeric(words, at, today));
    words.grammar.date.read(reader, at, &mut |end, op, captures| {
        if best.is_some_and(|(behind, _)| end <= behind) || !words.ends_at(end) {
            return;
        }
        // "29 february 2027" is no day; the one of another year is not meant.
        let year = if words.word(end) == "," { end + 1 } else { end };
        if op == Op::Calendar
            && captures.year.is_none()
            && matches!(words.digits(year), Some((1900..=2099, 4)))
        {
            return;
        }
        let away = matches!(op, Op::From(_)) && words.anchored(at);
        if away || op == Op::DayOfMonth && words.spans_days(at, end) {
            return;
        }
        let bare = matches!(op, Op::DayOfMonthBare | Op::WeekdayDay);
        // "The first monday" is no first.
        if bare && (!words.clause_ends(end) || words.entry(end).weekday.is_some()) {
            return;
        }
        let op = match op {
            Op::DayByTense(days) => Op::Day(if words.past(at) { -days } else { days }),
            op => op,
        };
        if let Some(found) = resolve(op, captures, today) {
            best = Some((end, found));
        }
    });
    if let Some((end, found)) = best
        && let Some(behind) = words.noted_weekday(end)
    {
        best = Some((behind, found));
    }
    // "Monday, the 14th of march": the date that is written out is the one that counts.
    let weekday = words.entry(at).weekday.is_some();
    if let (true, Some((end, _))) = (weekday, best) {
        let next = if words.word(end) == "," { end + 1 } else { end };
        if words.entry(next).weekday.is_none()
            && let Some((behind, full)) = calendar(reader, next)
        {
            return Some((behind, full));
        }
    }
    best
}

/// A date with a day and a month at a word.
fn calendar(reader: &Reader<'_>, at: usize) -> Option<(usize, Dated)> {
    let words = reader.words;
    let today = reader.now.date();
    let mut best = iso(words, at).or_else(|| numeric(words, at, today));
    words.grammar.date.read(reader, at, &mut |end, op, captures| {
        let full = matches!(op, Op::Calendar | Op::CalendarOf(_) | Op::DayOf(_) | Op::DayOfMonth);
        if full && words.ends_at(end) && best.is_none_or(|(behind, _)| end > behind) {
            best = resolve(op, captures, today).map(|found| (end, found)).or(best);
        }
    });
    best
}

fn resolve(op: Op, captures: &Captures, today: Date) -> Option<Dated> {
    let relative = |day: Option<Date>| day.map(|day| Dated::new(day, true));
    match op {
        Op::Day(shift) => relative(shifted(today, shift)),
        Op::Tonight => Some(Dated { part: Some(Part::Evening), hint: true, ..Dated::new(today, true) }),
        Op::ThisNight => Some(Dated { part: Some(Part::Night), hint: true, ..Dated::new(today, true) }),
        Op::TodayPart(part) => Some(Dated { part: Some(part), ..Dated::new(today, true) }),
        Op::DayPart(shift, part) => {
            Some(Dated { part: Some(part), ..Dated::new(shifted(today, shift)?, true) })
        }
        Op::Weekday(which) => {
            let day = weekday(today, captures.weekday?, which)?;
            Some(Dated { part: captures.part, ..Dated::new(day, true) })
        }
        Op::WeekdayDay => relative(weekday_day(today, captures.weekday?, captures.day?)),
        Op::WeekdayOfWeek(weeks) => {
            let day = i64::from(captures.weekday?.to_monday_zero_offset());
            relative(shifted(monday(today)?, 7 * weeks + day))
        }
        Op::WeekdayPlus(weeks) => {
            relative(shifted(weekday(today, captures.weekday?, Which::Coming)?, 7 * weeks))
        }
        Op::From(sign) => {
            let length = captures.stretch().filter(|length| length.is_whole_days())?;
            let span = length.span()?;
            relative(if sign > 0 { today.checked_add(span).ok() } else { today.checked_sub(span).ok() })
        }
        Op::Calendar => {
            let (day, month) = (captures.day?, captures.month?);
            match captures.year {
                Some(year) => Some(Dated::new(civil(year, month, day)?, false)),
                None => relative(next_day(today, month, day)),
            }
        }
        Op::CalendarOf(shift) => {
            let year = i32::from(today.year()) + i32::try_from(shift).ok()?;
            relative(civil(year, captures.month?, captures.day?))
        }
        Op::NthWeekdayOf(shift) => {
            let first = match captures.month {
                Some(month) => (0..12).find_map(|ahead| {
                    first_of_month(today, ahead).filter(|first| i32::from(first.month()) == month)
                })?,
                None => first_of_month(today, shift)?,
            };
            let nth = i8::try_from(captures.day?).ok()?;
            relative(first.nth_weekday_of_month(nth, captures.weekday?).ok())
        }
        Op::DayOfMonth | Op::DayOfMonthBare => relative(day_of_month(today, captures.day?)),
        Op::DayOf(shift) => {
            let first = first_of_month(today, shift)?;
            relative(civil(first.year().into(), first.month().into(), captures.day?))
        }
        Op::Feast(month, day) => match captures.year {
            Some(year) => Some(Dated::new(civil(year, month.into(), day.into())?, false)),
            None => relative(next_day(today, month.into(), day.into())),
        },
        Op::MonthStart(shift) => relative(first_of_month(today, shift)),
        Op::MonthEnd(shift) => relative(first_of_month(today, shift).map(Date::last_of_month)),
        Op::YearEnd(shift) => relative(civil(i32::from(today.year()) + i32::try_from(shift).ok()?, 12, 31)),
        _ => None,
    }
}

/// `2027-03-14`, `2027/03/14`.
fn iso(words: &Words<'_>, at: usize) -> Option<(usize, Dated)> {
    let (year, 4) = words.digits(at)? else {
        return None;
    };
    let sign = words.word(at + 1);
    if !matches!(sign, "-" | "/") || !words.joint(at + 1, sign) || !words.joint(at + 3, sign) {
        return None;
    }
    let ((month, places), (day, others)) = (words.digits(at + 2)?, words.digits(at + 4)?);
    // "2026-3-5" may be anything, "2026/3/5" is a date.
    if places > 2 || others > 2 || sign == "-" && (places, others) != (2, 2) {
        return None;
    }
    Some((at + 5, Dated::new(civil(year, month, day)?, false))).filter(|(end, _)| stands(words, *end))
}

/// `3/14/2027`, `14/3/2027`, `14.3.2027`, `14-3-2027`, `14.3.` where days are written so.
fn numeric(words: &Words<'_>, at: usize, today: Date) -> Option<(usize, Dated)> {
    let tongue = words.grammar.tongue;
    let (first, 1..=2) = words.digits(at)? else {
        return None;
    };
    let sign = words.word(at + 1);
    if !matches!(sign, "/" | "." | "-") || !words.joint(at + 1, sign) {
        return None;
    }
    let (second, 1..=2) = words.digits(at + 2)? else {
        return None;
    };
    let month_first = (tongue.month_first && sign == "/" && first <= 12) || second > 12;
    let (month, day) = if month_first { (first, second) } else { (second, first) };
    if words.joint(at + 3, sign) {
        let (year, digits) = words.digits(at + 4)?;
        let year = match digits {
            4 => year,
            2 if sign != "-" => 2000 + year,
            _ => return None,
        };
        return Some((at + 5, Dated::new(civil(year, month, day)?, false)))
            .filter(|(end, _)| stands(words, *end));
    }
    let dotted =
        sign == "." && !tongue.ordinal_dot.is_empty() && words.word(at + 3) == "." && words.glued(at + 3);
    if dotted && !(words.is_number(at + 4) && words.glued(at + 4)) {
        return next_day(today, month, day).map(|day| (at + 4, Dated::new(day, true)));
    }
    // "3/4" alone is a fraction more often than a day, "24/7" is neither.
    let before = at.checked_sub(1).map(|before| words.id(before));
    let said = sign == "/"
        && (words.dated_behind(at + 3) || before.is_some_and(|id| words.grammar.before_date.contains(&id)));
    let day = said.then(|| next_day(today, month, day))??;
    Some((at + 3, Dated::new(day, true))).filter(|(end, _)| words.ends_at(*end))
}

/// A date may be followed by the `T` of a date-time.
fn stands(words: &Words<'_>, end: usize) -> bool {
    words.ends_at(end) || (words.word(end) == "t" && words.is_number(end + 1) && words.glued(end + 1))
}

pub(super) fn weekday(today: Date, day: Weekday, which: Which) -> Option<Date> {
    let ahead = i64::from(today.weekday().until(day));
    let shift = match which {
        Which::Coming if ahead == 0 => 7,
        Which::This | Which::Coming => ahead,
        Which::Last => ahead - 7,
        Which::OfNextWeek => {
            return shifted(monday(today)?, 7 + i64::from(day.to_monday_zero_offset()));
        }
    };
    shifted(today, shift)
}

pub(super) fn monday(today: Date) -> Option<Date> {
    shifted(today, -i64::from(today.weekday().to_monday_zero_offset()))
}

pub(super) fn first_of_month(today: Date, shift: i64) -> Option<Date> {
    today.first_of_month().checked_add(jiff::Span::new().try_months(shift).ok()?).ok()
}

pub(super) fn shifted(day: Date, days: i64) -> Option<Date> {
    day.checked_add(days.days()).ok()
}

pub(super) fn civil(year: i32, month: i32, day: i32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// The first such day from today on: up to eight years ahead for 29 February.
pub(super) fn next_day(today: Date, month: i32, day: i32) -> Option<Date> {
    (0..=8).filter_map(|ahead| civil(i32::from(today.year()) + ahead, month, day)).find(|date| *date >= today)
}

/// The day of this month, or of the next one that has it.
fn day_of_month(today: Date, day: i32) -> Option<Date> {
    (0..12).find_map(|ahead| {
        let first = first_of_month(today, ahead)?;
        civil(first.year().into(), first.month().into(), day).filter(|date| *date >= today)
    })
}

/// The next such day of the month that is such a weekday.
fn weekday_day(today: Date, name: Weekday, day: i32) -> Option<Date> {
    (0..60).find_map(|ahead| {
        let first = first_of_month(today, ahead)?;
        let date = civil(first.year().into(), first.month().into(), day)?;
        (date >= today && date.weekday() == name).then_some(date)
    })
}
