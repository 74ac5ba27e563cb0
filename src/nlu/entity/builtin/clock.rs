//! Times of day: `3pm`, `15:30`, `half past four`, `halb drei`, `a las tres y media`.
//!
//! An hour of a twelve-hour clock without its half is read as a waking one: 7 to 12 as said, 1 to 6
//! in the afternoon. Hours with their unit in the languages of the 24-hour clock ("6 Uhr",
//! "à 6 heures") and digits with minutes ("6:00") are read as written.

use jiff::civil::Time;

use super::reader::{Captures, Reader};
use super::tongue::{Op, Part};
use super::words::Words;

/// A time of day, and whether a part of the day may still move it by twelve hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clocked {
    pub time: Time,
    pub open: bool,
    /// Whether it is the end of the day, 24:00, rather than its beginning.
    pub late: bool,
}

impl Clocked {
    fn fixed(hour: i32, minute: i32, second: i32) -> Option<Self> {
        let late = hour == 24;
        let hour = if late { 0 } else { hour };
        let time =
            Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0)
                .ok()?;
        Some(Self { time, open: false, late })
    }

    /// So many minutes after an hour of the twelve-hour clock.
    fn twelve(hour: i32, minutes: i32) -> Option<Self> {
        let open = (1..=12).contains(&hour);
        let hour = if (1..=6).contains(&hour) { hour + 12 } else { hour };
        Some(Self { open, ..Self::after(hour, minutes)? })
    }

    fn after(hour: i32, minutes: i32) -> Option<Self> {
        let said = hour * 60 + minutes;
        let total = said.rem_euclid(24 * 60);
        Some(Self { late: said >= 24 * 60, ..Self::fixed(total / 60, total % 60, 0)? })
    }

    /// The time in a part of the day; `None` when it says something else.
    pub(super) fn within(self, part: Part) -> Option<Self> {
        let hour = i32::from(self.time.hour());
        if self.late {
            return Some(self);
        }
        if !self.open && hour > 12 {
            // "15:30 pm" says it twice.
            return (!matches!(part, Part::Am | Part::Morning | Part::Dawn)).then_some(self);
        }
        let base = hour % 12;
        let hour = match part {
            Part::Am | Part::Morning | Part::Dawn => base,
            Part::Noon if base >= 9 => base,
            Part::Pm | Part::Afternoon | Part::Noon => base + 12,
            // "Twelve at night" is midnight.
            Part::Evening => {
                if base == 0 {
                    0
                } else {
                    base + 12
                }
            }
            Part::Night => {
                if base < 6 {
                    base
                } else {
                    base + 12
                }
            }
        };
        let time = Time::new(i8::try_from(hour).ok()?, self.time.minute(), self.time.second(), 0).ok()?;
        Some(Self { time, open: false, late: false })
    }
}

/// ISO 8601, for example `15:30:00`.
pub(super) fn format(time: Time) -> String {
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// A time at a word, with the part of the day behind it.
pub(super) fn time(reader: &Reader<'_>, at: usize) -> Option<(usize, Clocked)> {
    reader.times.at(at, || {
        // "Morgens um 6", "por la noche a las 10": the part of the day may come first.
        let plain = read(reader, at);
        let parted = || {
            let (end, part) = part(reader, at).filter(|(_, part)| !matches!(part, Part::Am | Part::Pm))?;
            let linked = reader.words.skip(end, &reader.words.grammar.part_links);
            let (end, time) = read(reader, linked)?;
            Some((end, time.within(part)?))
        };
        match (plain, parted()) {
            (Some(plain), Some(parted)) if parted.0 > plain.0 => Some(parted),
            (plain, parted) => plain.or(parted),
        }
    })
}

fn read(reader: &Reader<'_>, at: usize) -> Option<(usize, Clocked)> {
    let mut best: Option<(usize, Clocked)> = None;
    reader.words.grammar.time.read(reader, at, &mut |end, op, captures| {
        let Some(time) = resolve(op, captures).filter(|_| !reader.words.is_a_bit(at, end)) else {
            return;
        };
        let alone = op == Op::HourAlone;
        let parted = part(reader, end)
            .filter(|_| !alone)
            .and_then(|(behind, part)| Some((behind, time.within(part)?)));
        let fits = match op {
            Op::HourAlone => reader.words.clause_ends(end),
            Op::HourBare | Op::HourOf(_) => parted.is_some() || reader.words.clause_ends(end),
            // "5 to 10 minutes" is a range of numbers.
            Op::Minutes(_) => reader.words.entry(end).unit.is_none(),
            Op::HourParted | Op::HourMinuteParted | Op::TimeParted => parted.is_some(),
            Op::HourBig => !time.open && time.time.hour() > 12 || parted.is_some(),
            _ => true,
        };
        let (end, time) = parted.unwrap_or((end, time));
        if fits && reader.words.may_end(end) && best.is_none_or(|(behind, _)| end > behind) {
            best = Some((end, time));
        }
    });
    best
}

/// A time at the end of an interval, where "5" alone is one.
pub(super) fn edge(reader: &Reader<'_>, at: usize) -> Option<(usize, Clocked)> {
    let mut best: Option<(usize, Clocked)> = None;
    reader.words.grammar.edge.read(reader, at, &mut |end, op, captures| {
        let Some(time) = resolve(op, captures) else {
            return;
        };
        let parted = part(reader, end).and_then(|(behind, part)| Some((behind, time.within(part)?)));
        let (end, time) = parted.unwrap_or((end, time));
        if reader.words.may_end(end) && best.is_none_or(|(behind, _)| end > behind) {
            best = Some((end, time));
        }
    });
    best
}

/// `in the morning`, `pm`, `de la tarde`: the position behind it, and which.
pub(super) fn part(reader: &Reader<'_>, at: usize) -> Option<(usize, Part)> {
    let mut best: Option<(usize, Part)> = None;
    reader.words.grammar.part.read(reader, at, &mut |end, op, _| {
        if let Op::Part(part) = op
            && best.is_none_or(|(behind, _)| end > behind)
        {
            best = Some((end, part));
        }
    });
    best
}

fn resolve(op: Op, captures: &Captures) -> Option<Clocked> {
    match op {
        Op::At(hour, minute) => Clocked::fixed(hour.into(), minute.into(), 0),
        Op::Hour(minutes) => Clocked::twelve(captures.hour?, minutes),
        Op::At12(hour, minute) => Clocked::twelve(hour, minute),
        Op::HourOf(hour) => Clocked::twelve(hour, 0),
        Op::HourIn(part) => Clocked::twelve(captures.hour?, 0)?.within(part),
        Op::MinutesInto => {
            let (hour, minute) = (captures.hour?, captures.minute?);
            (hour <= 12).then(|| Clocked::twelve(hour, minute - 60))?
        }
        Op::MinutesSure(sign) => Clocked::twelve(captures.hour?, sign * captures.minute?),
        Op::HourBare | Op::HourAlone | Op::HourParted => Clocked::twelve(captures.hour?, 0),
        Op::Hour24(minutes) => {
            let hour = captures.hour?;
            Some(Clocked {
                open: (1..=12).contains(&hour),
                ..Clocked::after(hour, minutes + captures.minute.unwrap_or(0))?
            })
        }
        Op::HourBig => {
            let hour = captures.hour?;
            Some(Clocked { open: hour <= 12, ..Clocked::fixed(hour, 0, 0)? })
        }
        Op::Minutes(sign) => {
            let (hour, minute) = (captures.hour?, captures.minute?);
            // "Ten to five" may be a range of numbers: minutes before and past come in fives.
            (hour <= 12 && minute % 5 == 0).then(|| Clocked::twelve(hour, sign * minute))?
        }
        Op::AroundHalf(sign) => {
            let (hour, minute) = (captures.hour?, captures.minute?);
            (hour <= 12 && minute <= 15).then(|| Clocked::twelve(hour, sign * minute - 30))?
        }
        Op::HourMinute | Op::HourMinuteParted => Clocked::twelve(captures.hour?, captures.minute?),
        Op::Time | Op::TimeParted => captures.time,
        Op::MinutesOf(hour, sign) => Clocked::after(hour, sign * captures.minute?),
        _ => None,
    }
}

/// `15:30`, `15:30:10`.
pub(super) fn digital(words: &Words<'_>, at: usize, sign: &str) -> Option<(usize, Clocked)> {
    let (hour, 1..=2) = words.digits(at)? else {
        return None;
    };
    let (minute, 2) = words.joint(at + 1, sign).then(|| words.digits(at + 2))?? else {
        return None;
    };
    let (end, second) = match words.joint(at + 3, sign).then(|| words.digits(at + 4)).flatten() {
        Some((second, 2)) => (at + 5, second),
        _ => (at + 3, 0),
    };
    let open = (1..=12).contains(&hour) && words.word(at).len() < 3;
    Some((
        end,
        Clocked {
            open,
            ..Clocked::fixed(hour, minute, second).filter(|_| hour < 24 || minute + second == 0)?
        },
    ))
}
