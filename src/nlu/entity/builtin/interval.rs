//! Intervals: `from 3 to 5 pm`, `between monday and friday`, `next week`, `tomorrow morning`.
//!
//! The value is `{from, to}`: two dates, both included; two times of day; or two date-times. What
//! an end leaves out it takes from the other end.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::Reading;
use super::clock::{self, Clocked};
use super::date::{self, Dated};
use super::moment::{self, Moment};
use super::number;
use super::reader::{Captures, Reader};
use super::tongue::{Op, Part, Which};

/// An end of an interval, as it was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Edge {
    Date(Dated),
    Time(Clocked),
    Moment(Moment),
    /// A number that could be an hour.
    Hour(i32),
}

/// An end at a word: the longest of what it can be.
pub(super) fn edge(reader: &Reader<'_>, at: usize) -> Option<(usize, Edge)> {
    if !reader.words.may_begin(at) {
        return None;
    }
    let mut best = moment::moment(reader, at).map(|(end, moment)| (end, Edge::Moment(moment)));
    let mut offer = |found: Option<(usize, Edge)>| {
        if let Some((end, edge)) = found
            && best.is_none_or(|(behind, _)| end > behind)
        {
            best = Some((end, edge));
        }
    };
    offer(date::date(reader, at).map(|(end, date)| (end, Edge::Date(date))));
    offer(clock::time(reader, at).map(|(end, time)| (end, Edge::Time(time))));
    offer(clock::edge(reader, at).map(|(end, time)| (end, Edge::Time(time))));
    offer(hour(reader, at));
    best
}

fn hour(reader: &Reader<'_>, at: usize) -> Option<(usize, Edge)> {
    let (end, hour) = number::cardinal(reader.words, at)?;
    let fits = hour.fract() == 0.0 && (0.0..=24.0).contains(&hour);
    (fits && reader.words.may_end(end)).then_some((end, Edge::Hour(hour as i32)))
}

/// An interval at a word.
pub(super) fn interval(reader: &Reader<'_>, at: usize) -> Option<Reading> {
    let mut best: Option<Reading> = parted(reader, at);
    let mut offer = |end: usize, value: Option<(Value, bool)>| {
        if let Some((value, dependent)) = value
            && reader.words.ends_at(end)
            && best.as_ref().is_none_or(|best| end > best.end)
        {
            best = Some(Reading::new(end, "interval", value, dependent));
        }
    };
    reader.words.grammar.interval.read(reader, at, &mut |end, op, captures| {
        if is_between(op) {
            let hours = op == Op::BetweenHours
                || op == Op::BetweenBare && reader.words.clause_ends(end)
                || captures.part.is_some();
            let clock = |edge: Edge| match edge {
                Edge::Hour(hour) if hours => hour_of(hour).map(Edge::Time),
                edge => Some(edge),
            };
            let (from, to) = (captures.other_edge.and_then(clock), captures.edge.and_then(clock));
            let sure = |edge: Edge| !matches!(edge, Edge::Hour(_));
            if let (Some(from), Some(to)) = (from, to)
                && (op != Op::BetweenSure || (sure(to) && sure(from) || matches!(to, Edge::Time(_))))
            {
                let (end, day) = day_behind(reader, end, from, to);
                offer(end, between(reader, from, to, day, captures.part));
            }
        } else {
            offer(end, stretch(reader, op, captures));
        }
    });
    // "Tomorrow from 3 to 5", where "from" may also be a word between a date and a time.
    if let Some((end, day)) = moment::dated(reader, at) {
        let linked = reader.words.skip(end, &reader.words.grammar.moment_links);
        for next in [Some(end), (linked != end).then_some(linked)].into_iter().flatten() {
            reader.words.grammar.interval.read(reader, next, &mut |end, op, captures| {
                let clocks = |edge: Option<Edge>| matches!(edge, Some(Edge::Time(_) | Edge::Hour(_)));
                let (from, to) = (captures.other_edge, captures.edge);
                if is_between(op)
                    && clocks(from)
                    && clocks(to)
                    && let (Some(from), Some(to)) = (from, to)
                {
                    offer(end, between(reader, from, to, Some(day), captures.part.or(day.part)));
                }
            });
        }
    }
    best
}

fn is_between(op: Op) -> bool {
    matches!(op, Op::Between | Op::BetweenSure | Op::BetweenHours | Op::BetweenBare)
}

/// A date behind two times: "from 3 to 5 tomorrow".
fn day_behind(reader: &Reader<'_>, at: usize, from: Edge, to: Edge) -> (usize, Option<Dated>) {
    let clocks = |edge| matches!(edge, Edge::Time(_) | Edge::Hour(_));
    if clocks(from) && clocks(to) {
        let next = reader.words.skip(at, &reader.words.grammar.moment_links);
        if let Some((end, day)) = moment::dated(reader, next) {
            return (end, Some(day));
        }
    }
    (at, None)
}

/// "Tomorrow morning", "friday evening".
fn parted(reader: &Reader<'_>, at: usize) -> Option<Reading> {
    let (end, found) = moment::dated(reader, at)?;
    let part = found.part.filter(|_| !found.hint)?;
    let (from, to, days) = match part {
        Part::Am => (0, 12, 0),
        Part::Dawn => (0, 6, 0),
        Part::Morning => (6, 12, 0),
        Part::Noon => (11, 14, 0),
        Part::Pm => (12, 0, 1),
        Part::Afternoon => (12, 18, 0),
        Part::Evening => (18, 0, 1),
        Part::Night => (22, 6, 1),
    };
    let from = moment::zoned(reader, found.day, jiff::civil::Time::new(from, 0, 0, 0).ok()?)?;
    let last = date::shifted(found.day, days)?;
    let to = moment::zoned(reader, last, jiff::civil::Time::new(to, 0, 0, 0).ok()?)?;
    Some(Reading::new(end, "interval", json!({"from": from, "to": to}), found.dependent))
}

fn days(from: Option<Date>, to: Option<Date>, dependent: bool) -> Option<(Value, bool)> {
    let (from, to) = (from?, to?);
    (from <= to).then(|| (json!({"from": from.to_string(), "to": to.to_string()}), dependent))
}

fn month_of(first: Option<Date>, dependent: bool) -> Option<(Value, bool)> {
    days(first, first.map(Date::last_of_month), dependent)
}

fn stretch(reader: &Reader<'_>, op: Op, captures: &Captures) -> Option<(Value, bool)> {
    let today = reader.now.date();
    match op {
        Op::Week(shift) => {
            let monday = date::shifted(date::monday(today)?, 7 * shift);
            days(monday, monday.and_then(|monday| date::shifted(monday, 6)), true)
        }
        Op::Weekend(shift) => {
            let saturday = date::shifted(date::monday(today)?, 7 * shift + 5);
            days(saturday, saturday.and_then(|saturday| date::shifted(saturday, 1)), true)
        }
        Op::Month(shift) => month_of(date::first_of_month(today, shift), true),
        Op::Year(shift) => {
            let year = i32::from(today.year()) + i32::try_from(shift).ok()?;
            days(date::civil(year, 1, 1), date::civil(year, 12, 31), true)
        }
        Op::NamedYear => days(date::civil(captures.year?, 1, 1), date::civil(captures.year?, 12, 31), false),
        Op::MonthOf(shift) => {
            let year = i32::from(today.year()) + i32::try_from(shift).ok()?;
            month_of(date::civil(year, captures.month?, 1), true)
        }
        Op::NamedMonth(which) => {
            let month = captures.month?;
            if let Some(year) = captures.year {
                return month_of(date::civil(year, month, 1), false);
            }
            let ahead = i64::from((month - i32::from(today.month())).rem_euclid(12));
            let ahead = match which {
                Which::OfNextWeek if ahead == 0 => 12,
                Which::Last => ahead - 12,
                _ => ahead,
            };
            month_of(date::first_of_month(today, ahead), true)
        }
        Op::Span(sign) | Op::SpanOf(sign) => {
            let length = captures.stretch()?;
            let span = length.span()?;
            let other =
                if sign > 0 { reader.now.checked_add(span) } else { reader.now.checked_sub(span) }.ok()?;
            let (from, to) = if sign > 0 { (reader.now, &other) } else { (&other, reader.now) };
            if length.is_whole_days() {
                return days(Some(from.date()), Some(to.date()), true);
            }
            Some((json!({"from": moment::rfc3339(from), "to": moment::rfc3339(to)}), true))
        }
        Op::Days => {
            let (from, to, month) = (captures.other_day?, captures.day?, captures.month?);
            if let Some(year) = captures.year {
                return days(date::civil(year, month, from), date::civil(year, month, to), false);
            }
            let last = date::next_day(today, month, to)?;
            days(date::civil(last.year().into(), month, from), Some(last), true)
        }
        _ => None,
    }
}

/// Two ends made alike; two times, both in a part of the day if one is named.
fn between(
    reader: &Reader<'_>,
    from: Edge,
    to: Edge,
    day: Option<Dated>,
    part: Option<Part>,
) -> Option<(Value, bool)> {
    match (from, to) {
        (Edge::Date(from), Edge::Date(to)) => {
            // "Between monday and friday" said on a Wednesday: the friday behind that monday.
            let end = if to.day < from.day && to.dependent { date::shifted(to.day, 7)? } else { to.day };
            days(Some(from.day), Some(end), from.dependent || to.dependent)
        }
        (Edge::Moment(from), to) => {
            let (day, time, dependent) = match to {
                Edge::Moment(to) => (to.day, to.time, to.dependent),
                Edge::Time(to) => (from.day, aligned(to, from.time), false),
                Edge::Hour(hour) => (from.day, aligned(hour_of(hour)?, from.time), false),
                Edge::Date(_) => return None,
            };
            moments(reader, (from.day, from.time), (day, time), from.dependent || dependent)
        }
        (from, Edge::Moment(to)) => {
            let from = match from {
                Edge::Time(from) => from,
                Edge::Hour(hour) => hour_of(hour)?,
                _ => return None,
            };
            let (from, last) = halves(from, Clocked { time: to.time, open: false, late: false });
            moments(reader, (to.day, from.time), (to.day, last.time), to.dependent)
        }
        (Edge::Hour(_), Edge::Hour(_)) if day.is_none() => None,
        (from, to) => {
            let clock = |edge: Edge| match edge {
                Edge::Time(time) => Some(time),
                Edge::Hour(hour) => hour_of(hour),
                _ => None,
            };
            let (mut from, mut to) = (clock(from)?, clock(to)?);
            if let Some(part) = part.or(day.and_then(|day| day.part)) {
                from = from.within(part).filter(|_| from.open).unwrap_or(from);
                // "In the morning from 9 to 1" ends in the afternoon.
                let over = |end: &Clocked| part == Part::Night || end.time > from.time;
                to = to.within(part).filter(|end| to.open && over(end)).unwrap_or(to);
            }
            let (from, to) = halves(from, to);
            match day {
                Some(day) => moments(reader, (day.day, from.time), (day.day, to.time), day.dependent),
                None => {
                    Some((json!({"from": clock::format(from.time), "to": clock::format(to.time)}), false))
                }
            }
        }
    }
}

fn hour_of(hour: i32) -> Option<Clocked> {
    let (time, open) = (jiff::civil::Time::new(i8::try_from(hour % 24).ok()?, 0, 0, 0).ok()?, true);
    let clocked = Clocked { time, open: (1..=12).contains(&hour) && open, late: hour == 24 };
    // A waking hour, as elsewhere.
    if (1..=6).contains(&hour) {
        clocked.within(Part::Pm).map(|time| Clocked { open: true, ..time })
    } else {
        Some(clocked)
    }
}

/// The later end, in the half of the day that puts it behind the earlier one.
fn aligned(to: Clocked, from: jiff::civil::Time) -> jiff::civil::Time {
    if !to.open {
        return to.time;
    }
    [Part::Am, Part::Pm]
        .into_iter()
        .filter_map(|part| to.within(part))
        .map(|to| to.time)
        .find(|time| *time > from)
        .unwrap_or(to.time)
}

/// The half of the day that one end names holds for the other: "from 3 to 5 pm", "9 to 5 pm".
fn halves(from: Clocked, to: Clocked) -> (Clocked, Clocked) {
    if from.open {
        let candidates = [Part::Pm, Part::Am].into_iter().filter_map(|part| from.within(part));
        let last = if to.open { None } else { Some(to.time) };
        let earlier = last
            .and_then(|last| candidates.clone().filter(|from| from.time < last).max_by_key(|from| from.time));
        let from = earlier.unwrap_or(from);
        return (from, Clocked { time: aligned(to, from.time), open: false, late: to.late });
    }
    (from, Clocked { time: aligned(to, from.time), open: false, late: to.late })
}

fn moments(
    reader: &Reader<'_>,
    from: (Date, jiff::civil::Time),
    to: (Date, jiff::civil::Time),
    dependent: bool,
) -> Option<(Value, bool)> {
    // "From 10 pm to 2 am": over midnight.
    let last = if to <= from { date::shifted(to.0, 1)? } else { to.0 };
    (last >= from.0).then_some(())?;
    let (from, to) = (moment::zoned(reader, from.0, from.1)?, moment::zoned(reader, last, to.1)?);
    Some((json!({"from": from, "to": to}), dependent))
}
