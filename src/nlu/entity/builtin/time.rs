//! Times of day: `3pm`, `15:30`, `half past four`, `noon`, `at 9`.
//!
//! An hour without am or pm is read as a waking one: 7 to 11 in the morning, 12 and 1 to 6 in the
//! afternoon.

use jiff::civil::Time;

use super::number::cardinal;
use super::words::Words;

pub(super) fn format(time: Time) -> String {
    time.strftime("%H:%M:%S").to_string()
}

/// A time at a word: the position behind it, and the time.
pub(super) fn time(words: &Words<'_>, at: usize) -> Option<(usize, Time)> {
    let at_word = words.word(at) == "at";
    let start = if at_word { words.skip(at + 1, &["about", "around", "exactly"]) } else { at };
    named(words, start)
        .or_else(|| clock(words, start))
        .or_else(|| spoken(words, start))
        .or_else(|| if at_word { bare(words, start) } else { None })
}

fn named(words: &Words<'_>, at: usize) -> Option<(usize, Time)> {
    let hour = match words.word(at) {
        "noon" | "midday" => 12,
        "midnight" => 0,
        _ => return None,
    };
    Some((at + 1, Time::new(hour, 0, 0, 0).ok()?))
}

/// `15:30`, `3:30 pm`, `3pm`, `3 p.m.`, `three pm`, `9 o'clock`.
fn clock(words: &Words<'_>, at: usize) -> Option<(usize, Time)> {
    let (behind, hour) = hour(words, at)?;
    if words.is(behind, &[":", "."])
        && words.glued(behind)
        && words.glued(behind + 1)
        && let Some((minute, 2)) = words.digits(behind + 1)
    {
        let colon = words.word(behind) == ":";
        let mut end = behind + 2;
        let mut second = 0;
        if colon
            && words.word(end) == ":"
            && words.glued(end)
            && words.glued(end + 1)
            && let Some((found, 2)) = words.digits(end + 1)
        {
            second = found;
            end += 2;
        }
        return match half(words, end) {
            Some((end, pm)) => Some((end, at_hour(twelve(hour, pm)?, minute, second)?)),
            // "3.30" is a number unless am or pm follows.
            None if colon => Some((end, at_hour(hour, minute, second)?)),
            None => None,
        };
    }
    if let Some((end, pm)) = half(words, behind) {
        return Some((end, at_hour(twelve(hour, pm)?, 0, 0)?));
    }
    // "three thirty pm"
    if let Some((minutes_end, minute)) =
        cardinal(words, behind).filter(|(_, minute)| (1.0..60.0).contains(minute))
        && let Some((end, pm)) = half(words, minutes_end)
    {
        return Some((end, at_hour(twelve(hour, pm)?, minute as i32, 0)?));
    }
    if words.word(behind) == "o" && words.word(behind + 1) == "'" && words.word(behind + 2) == "clock" {
        return finish(words, behind + 3, hour, 0);
    }
    if words.word(behind) == "oclock" {
        return finish(words, behind + 1, hour, 0);
    }
    // "six in the evening"
    let (end, pm) = part_of_day(words, behind)?;
    Some((end, at_hour(twelve(hour, pm)?, 0, 0)?))
}

/// `half past three`, `quarter to five`, `ten past four`.
fn spoken(words: &Words<'_>, at: usize) -> Option<(usize, Time)> {
    let start = words.skip(at, &["a"]);
    let (behind, minutes) = match words.word(start) {
        "half" => (start + 1, 30),
        "quarter" => (start + 1, 15),
        _ => {
            let (behind, minutes) =
                cardinal(words, at).filter(|(_, minutes)| (1.0..60.0).contains(minutes))?;
            (words.skip(behind, &["minutes"]), minutes as i32)
        }
    };
    let past = match words.word(behind) {
        "past" | "after" => true,
        "to" | "before" | "till" => false,
        _ => return None,
    };
    let (end, hour) = match words.word(behind + 1) {
        "noon" | "midday" => {
            return from_minutes(behind + 2, 12 * 60 + if past { minutes } else { -minutes });
        }
        "midnight" => {
            return from_minutes(behind + 2, 24 * 60 + if past { minutes } else { -minutes });
        }
        _ => hour(words, behind + 1)?,
    };
    // "ten to five" may be a range of numbers: minutes come in fives, and the hour has no unit.
    if hour > 12 || minutes % 5 != 0 || super::duration::unit(words.word(end), words.glued(end)).is_some() {
        return None;
    }
    let (end, hour) = match half(words, end).or_else(|| part_of_day(words, end)) {
        Some((end, pm)) => (end, twelve(hour, pm)?),
        None => (end, waking(hour)),
    };
    from_minutes(end, hour * 60 + if past { minutes } else { -minutes })
}

/// An hour after "at".
fn bare(words: &Words<'_>, at: usize) -> Option<(usize, Time)> {
    let (end, hour) = hour(words, at)?;
    // "at 5 percent", "at 9 main street", "at 10 degrees": a word follows that is no end of a clause.
    let clear = matches!(
        words.word(end),
        "" | "."
            | ","
            | "?"
            | "!"
            | ";"
            | "on"
            | "tomorrow"
            | "today"
            | "tonight"
            | "sharp"
            | "please"
            | "and"
            | "or"
            | "in"
            | "this"
            | "next"
            | "for"
            | "to"
            | "until"
            | "every"
            | "with"
            | "because"
            | "so"
    );
    let weekday = super::date::weekday(words.word(end)).is_some();
    (clear || weekday).then_some(())?;
    // "at 3.5"
    if words.word(end) == "." && words.glued(end + 1) {
        return None;
    }
    finish(words, end, hour, 0)
}

fn hour(words: &Words<'_>, at: usize) -> Option<(usize, i32)> {
    if let Some((hour, digits)) = words.digits(at) {
        return (digits <= 2 && hour <= 24).then_some((at + 1, hour));
    }
    let (end, hour) = cardinal(words, at)?;
    ((1.0..=12.0).contains(&hour) && end == at + 1).then_some((end, hour as i32))
}

/// am or pm: the position behind it, and whether it is pm.
fn half(words: &Words<'_>, at: usize) -> Option<(usize, bool)> {
    match words.word(at) {
        "am" => Some((at + 1, false)),
        "pm" => Some((at + 1, true)),
        letter @ ("a" | "p") => {
            let dotted = words.word(at + 1) == ".";
            let m = if dotted { at + 2 } else { at + 1 };
            (words.word(m) == "m")
                .then(|| (if dotted { words.skip(m + 1, &["."]) } else { m + 1 }, letter == "p"))
        }
        _ => None,
    }
}

/// `in the morning`, `at night`: the position behind it, and whether it is pm.
fn part_of_day(words: &Words<'_>, at: usize) -> Option<(usize, bool)> {
    match (words.word(at), words.word(at + 1), words.word(at + 2)) {
        ("in", "the", "morning") => Some((at + 3, false)),
        ("in", "the", "afternoon" | "evening") => Some((at + 3, true)),
        ("at", "night", _) => Some((at + 2, true)),
        _ => None,
    }
}

fn finish(words: &Words<'_>, end: usize, hour: i32, minute: i32) -> Option<(usize, Time)> {
    let (end, hour) = match part_of_day(words, end) {
        Some((end, pm)) => (end, twelve(hour, pm)?),
        None if hour <= 12 => (end, waking(hour)),
        None => (end, hour),
    };
    at_hour(hour, minute, 0).map(|time| (end, time))
}

fn waking(hour: i32) -> i32 {
    if (1..=6).contains(&hour) { hour + 12 } else { hour }
}

fn twelve(hour: i32, pm: bool) -> Option<i32> {
    match (hour, pm) {
        (12, false) => Some(0),
        (12, true) => Some(12),
        (1..=11, true) => Some(hour + 12),
        // "15:30 pm" says it twice.
        (0..=11, false) | (13..=23, true) => Some(hour),
        _ => None,
    }
}

fn at_hour(hour: i32, minute: i32, second: i32) -> Option<Time> {
    let hour = if hour == 24 { 0 } else { hour };
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0).ok()
}

fn from_minutes(end: usize, minutes: i32) -> Option<(usize, Time)> {
    let minutes = minutes.rem_euclid(24 * 60);
    Some((end, at_hour(minutes / 60, minutes % 60, 0)?))
}
