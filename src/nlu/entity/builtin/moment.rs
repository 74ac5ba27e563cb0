//! Date-times: a date and a time in either order, or so long from now.

use jiff::Zoned;
use jiff::civil::{Date, Time};

use super::clock::{self, Clocked};
use super::date::{self, Dated};
use super::reader::Reader;
use super::tongue::{Op, Part};

/// A day with a time of day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    pub day: Date,
    pub time: Time,
    pub dependent: bool,
}

/// A day and a time of day at a word.
pub(super) fn moment(reader: &Reader<'_>, at: usize) -> Option<(usize, Moment)> {
    let first = date_then_time(reader, at);
    let second = time_then_date(reader, at);
    match (first, second) {
        (Some(first), Some(second)) if second.0 > first.0 => Some(second),
        (first, second) => first.or(second),
    }
}

/// A date with the part of the day behind it: "tomorrow morning".
pub(super) fn dated(reader: &Reader<'_>, at: usize) -> Option<(usize, Dated)> {
    let (end, found) = date::date(reader, at)?;
    if found.part.is_some() {
        return Some((end, found));
    }
    match clock::part(reader, end) {
        Some((behind, part)) if !matches!(part, Part::Am | Part::Pm) && reader.words.ends_at(behind) => {
            Some((behind, Dated { part: Some(part), ..found }))
        }
        _ => Some((end, found)),
    }
}

fn date_then_time(reader: &Reader<'_>, at: usize) -> Option<(usize, Moment)> {
    let words = reader.words;
    let (end, found) = dated(reader, at)?;
    let iso = words.word(end) == "t" && words.glued(end);
    let next = if iso { end + 1 } else { words.skip(end, &words.grammar.moment_links) };
    // "В" links to a date, but belongs to "в 5".
    let (end, time) = clock::time(reader, next).or_else(|| clock::time(reader, end))?;
    let end = if iso && words.word(end) == "z" && words.glued(end) { return None } else { end };
    Some((end, join(found, time)?))
}

fn time_then_date(reader: &Reader<'_>, at: usize) -> Option<(usize, Moment)> {
    let words = reader.words;
    let (end, time) = clock::time(reader, at)?;
    // "On" links to "friday", but belongs to "on the 3rd".
    let linked = words.skip(end, &words.grammar.moment_links);
    let (end, found) = dated(reader, end).or_else(|| dated(reader, linked))?;
    Some((end, join(found, time)?))
}

fn join(found: Dated, time: Clocked) -> Option<Moment> {
    let time = match found.part {
        Some(part) => time.within(part).unwrap_or(time),
        None => time,
    };
    // Twelve at night is the end of the day, not its beginning; so are the hours behind it.
    let midnight = match found.part {
        Some(Part::Evening) => time.time == Time::midnight(),
        Some(Part::Night) => time.time.hour() < 6,
        _ => false,
    };
    let day = if midnight || time.late { date::shifted(found.day, 1)? } else { found.day };
    Some(Moment { day, time: time.time, dependent: found.dependent })
}

/// So long from now or ago, to the second.
pub(super) fn from_now(reader: &Reader<'_>, at: usize) -> Option<(usize, Zoned)> {
    let mut best: Option<(usize, Zoned)> = None;
    reader.words.grammar.date.read(reader, at, &mut |end, op, captures| {
        let Op::From(sign) = op else {
            return;
        };
        if reader.words.anchored(at) {
            return;
        }
        let Some(span) = captures
            .stretch()
            .filter(|length| !length.is_whole_days())
            .and_then(super::duration::Length::span)
        else {
            return;
        };
        let moment = if sign > 0 { reader.now.checked_add(span) } else { reader.now.checked_sub(span) };
        if let Ok(moment) = moment
            && reader.words.ends_at(end)
            && best.as_ref().is_none_or(|(behind, _)| end > *behind)
        {
            best = Some((end, moment));
        }
    });
    best
}

/// RFC 3339 in the caller's zone. A moment that summer time skips is moved behind the gap; of one
/// that comes twice the first is meant.
pub(super) fn zoned(reader: &Reader<'_>, day: Date, time: Time) -> Option<String> {
    let moment = day.to_datetime(time).to_zoned(reader.now.time_zone().clone()).ok()?;
    Some(rfc3339(&moment))
}

pub(super) fn rfc3339(moment: &Zoned) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
