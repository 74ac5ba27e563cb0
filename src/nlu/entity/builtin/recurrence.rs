//! Recurrences: `every monday at 9`, `jeden zweiten Tag`, `todos los lunes`.
//!
//! The value is a rule of RFC 5545 §3.3.10, without a start: `FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0`.

use super::Reading;
use super::clock::{self, Clocked};
use super::reader::{Captures, Reader};
use super::tongue::{Op, Part, Unit};

/// A recurrence at a word, with the time of day before or behind it.
pub(super) fn recurrence(reader: &Reader<'_>, at: usize) -> Option<Reading> {
    let words = reader.words;
    if let Some((end, rule, part)) = rule(reader, at) {
        let parted = clock::part(reader, end).filter(|(_, part)| !matches!(part, Part::Am | Part::Pm));
        let (end, part) = parted.map_or((end, part), |(end, part)| (end, Some(part)));
        let next = words.skip(end, &words.grammar.moment_links);
        let timed = clock::time(reader, next)
            .or_else(|| clock::time(reader, end))
            .filter(|_| !rule.contains("HOURLY") && !rule.contains("MINUTELY"));
        let (end, rule) = match timed {
            Some((behind, time)) => (behind, with_time(&rule, time, part)),
            None => (end, rule),
        };
        return words.ends_at(end).then(|| Reading::new(end, "recurrence", rule, false));
    }
    let (end, time) = clock::time(reader, at)?;
    let next = words.skip(end, &words.grammar.moment_links);
    let (end, rule, part) = rule(reader, next)?;
    words.ends_at(end).then(|| Reading::new(end, "recurrence", with_time(&rule, time, part), false))
}

fn with_time(rule: &str, time: Clocked, part: Option<Part>) -> String {
    let time = part.and_then(|part| time.within(part)).unwrap_or(time).time;
    format!("{rule};BYHOUR={};BYMINUTE={}", time.hour(), time.minute())
}

fn rule(reader: &Reader<'_>, at: usize) -> Option<(usize, String, Option<Part>)> {
    let mut best: Option<(usize, String, Option<Part>)> = None;
    reader.words.grammar.recurrence.read(reader, at, &mut |end, op, captures| {
        if best.as_ref().is_some_and(|(behind, _, _)| end <= *behind) {
            return;
        }
        if let Some(rule) = write(op, captures) {
            let part = match op {
                Op::Daily(part) => Some(part),
                _ => None,
            };
            best = Some((end, rule, part));
        }
    });
    best
}

fn write(op: Op, captures: &Captures) -> Option<String> {
    Some(match op {
        Op::Alternate => frequency(Unit::Day, 2),
        Op::Each(unit) => frequency(unit, 1),
        Op::EachOf(count, unit) => frequency(unit, count),
        Op::EveryOther(count) => frequency(captures.unit?, count),
        Op::Every => {
            let count = captures.number.unwrap_or(1.0);
            let whole = count.fract() == 0.0 && (1.0..1000.0).contains(&count);
            whole.then(|| captures.unit.map(|unit| frequency(unit, count as i32)))??
        }
        Op::EveryWeekdays => format!("FREQ=WEEKLY;BYDAY={}", days(captures.weekdays)),
        Op::EveryOtherWeekdays => format!("FREQ=WEEKLY;INTERVAL=2;BYDAY={}", days(captures.weekdays)),
        Op::Workdays => "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR".to_owned(),
        Op::Weekends => "FREQ=WEEKLY;BYDAY=SA,SU".to_owned(),
        Op::Daily(_) => "FREQ=DAILY".to_owned(),
        Op::NthWeekday => {
            let count = captures.day.filter(|count| (1..=5).contains(count))?;
            let day = 1_u8 << captures.weekday?.to_monday_zero_offset().clamp(0, 6);
            format!("FREQ=MONTHLY;BYDAY={count}{}", days(day))
        }
        Op::MonthDay => format!("FREQ=MONTHLY;BYMONTHDAY={}", captures.day?),
        Op::YearDay => format!("FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}", captures.month?, captures.day?),
        _ => return None,
    })
}

fn frequency(unit: Unit, count: i32) -> String {
    let name = match unit {
        Unit::Second => "SECONDLY",
        Unit::Minute => "MINUTELY",
        Unit::Hour => "HOURLY",
        Unit::Day => "DAILY",
        Unit::Week => "WEEKLY",
        Unit::Month => "MONTHLY",
        Unit::Year => "YEARLY",
    };
    if count == 1 { format!("FREQ={name}") } else { format!("FREQ={name};INTERVAL={count}") }
}

fn days(bits: u8) -> String {
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let said: Vec<&str> =
        (0..).zip(names).filter(|(day, _)| bits & (1_u8 << *day) != 0).map(|(_, name)| name).collect();
    said.join(",")
}
