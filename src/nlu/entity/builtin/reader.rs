//! Reading slots: what stands at a word as a number, a weekday, a time.

use std::cell::Cell;

use jiff::Zoned;
use jiff::civil::Weekday;

use super::clock::{self, Clocked};
use super::date::Dated;
use super::duration::{self, Length};
use super::grammar::{Entry, Id};
use super::interval::{self, Edge};
use super::number;
use super::rules::Slot;
use super::tongue::{Part, Unit};
use super::words::Words;
use crate::nlu::text::TokenKind;

/// What the slots of a phrase captured, in order where there are two of a kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Captures {
    pub number: Option<f64>,
    pub hundredths: Option<f64>,
    pub length: Option<Length>,
    pub weekday: Option<Weekday>,
    /// The part of the day, also when the weekday's word names it.
    pub part: Option<Part>,
    /// One bit a day, Monday the lowest.
    pub weekdays: u8,
    pub month: Option<i32>,
    pub day: Option<i32>,
    pub other_day: Option<i32>,
    pub year: Option<i32>,
    pub hour: Option<i32>,
    pub minute: Option<i32>,
    pub time: Option<Clocked>,
    pub edge: Option<Edge>,
    pub other_edge: Option<Edge>,
    pub unit: Option<Unit>,
    pub measure: Option<&'static str>,
    pub currency: Option<&'static str>,
}

impl Captures {
    /// The duration, or so many of the unit, or one; or both together.
    pub(super) fn stretch(&self) -> Option<Length> {
        let counted = self.unit.and_then(|unit| Length::of(self.number.unwrap_or(1.0), unit));
        match (counted, self.length) {
            (Some(counted), Some(length)) => Some(counted.plus(length)),
            (counted, length) => counted.or(length),
        }
    }
}

/// An utterance and the clock that it is read by.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub words: &'a Words<'a>,
    pub now: &'a Zoned,
    pub dates: Memo<Dated>,
    pub times: Memo<Clocked>,
}

/// What was read at the last few words: several phrases ask for the same date or time.
#[derive(Debug)]
pub(super) struct Memo<T: Copy>([Cell<Read<T>>; 8]);

/// A position, and what was read there up to where.
type Read<T> = (usize, Option<(usize, T)>);

impl<T: Copy> Memo<T> {
    fn new() -> Self {
        Self([const { Cell::new((usize::MAX, None)) }; 8])
    }

    /// What was read at a word, or is read now.
    pub(super) fn at(&self, at: usize, read: impl FnOnce() -> Option<(usize, T)>) -> Option<(usize, T)> {
        let Some(cell) = self.0.get(at % 8) else {
            return read();
        };
        let (known, found) = cell.get();
        if known == at {
            return found;
        }
        let found = read();
        cell.set((at, found));
        found
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(words: &'a Words<'a>, now: &'a Zoned) -> Self {
        Self { words, now, dates: Memo::new(), times: Memo::new() }
    }

    /// Reads a slot: the position behind it, if it is there.
    pub(super) fn slot(&self, slot: Slot, at: usize, captures: &mut Captures) -> Option<usize> {
        let words = self.words;
        let entry = words.entry(at);
        match slot {
            Slot::Number => {
                let (end, value) = number::signed(words, at)
                    .or_else(|| entry.one.then(|| (words.next(at), 1.0)))
                    .filter(|(end, _)| words.ends_at(*end) || !words.is_number(*end))?;
                captures.number = Some(value);
                Some(end)
            }
            Slot::Hundredths => {
                let (end, value) = number::cardinal(words, at)?;
                captures.hundredths = Some(value);
                (value < 100.0 && value.fract() == 0.0).then_some(end)
            }
            Slot::Length => {
                let (end, length) = duration::length(self, at)?;
                captures.length = Some(length);
                Some(end)
            }
            Slot::Weekday => {
                captures.weekday = Some(entry.weekday?);
                captures.part = entry.part.or(captures.part);
                Some(self.behind_weekday(at))
            }
            Slot::Weekdays => self.weekdays(at, captures, |entry| entry.weekday),
            Slot::Plurals => self.weekdays(at, captures, |entry| entry.plural),
            Slot::Month => {
                let (end, month) = self.month(at)?;
                captures.month = Some(month);
                Some(end)
            }
            Slot::Day => {
                let (end, day) = self.day(at)?;
                if captures.day.is_some() {
                    captures.other_day = captures.day;
                }
                captures.day = Some(day);
                Some(end)
            }
            Slot::Year => {
                let (end, year) = self.year(at)?;
                captures.year = Some(year);
                Some(end)
            }
            Slot::Hour => {
                let (end, hour) = self.hour(at)?;
                captures.hour = Some(hour);
                Some(end)
            }
            Slot::Minute => {
                let (end, minute) = self.minute(at)?;
                captures.minute = Some(minute);
                Some(end)
            }
            Slot::Minutes => {
                let (minute, 2) = words.digits(at)? else {
                    return None;
                };
                captures.minute = Some(minute);
                (minute < 60).then_some(at + 1)
            }
            Slot::Clock | Slot::Dotted => {
                let (end, time) = clock::digital(words, at, if slot == Slot::Clock { ":" } else { "." })?;
                captures.time = Some(time);
                Some(end)
            }
            Slot::Time => {
                let (end, time) = clock::time(self, at)?;
                captures.time = Some(time);
                Some(end)
            }
            Slot::Edge => {
                let (end, edge) = interval::edge(self, at)?;
                if captures.edge.is_some() {
                    captures.other_edge = captures.edge;
                }
                captures.edge = Some(edge);
                Some(end)
            }
            Slot::Nth => {
                let (end, hour) = number::ordinal(words, at)?;
                captures.hour = Some(i32::try_from(hour).ok().filter(|hour| (1..=12).contains(hour))?);
                Some(end)
            }
            Slot::Part => {
                let (end, part) = clock::part(self, at)?;
                captures.part = Some(part);
                Some(end)
            }
            Slot::Unit | Slot::Dual | Slot::Measure | Slot::Currency => {
                self.word(slot, at, captures)?;
                Some(words.next(at))
            }
        }
    }

    /// Reads a slot of one word that the vocabulary lists.
    fn word(&self, slot: Slot, at: usize, captures: &mut Captures) -> Option<()> {
        let entry = self.words.entry(at);
        match slot {
            Slot::Dual => {
                captures.unit = Some(entry.dual?);
                captures.number = Some(2.0);
            }
            Slot::Measure => captures.measure = Some(entry.measure?),
            Slot::Currency => {
                // Where words are not separated a sign may stand before its number, a word behind.
                let behind = captures.number.is_some() || self.words.kind(at) != Some(TokenKind::Ideograph);
                captures.currency = Some(entry.currency.filter(|_| behind)?);
            }
            _ => captures.unit = Some(entry.unit?),
        }
        Some(())
    }

    /// A month, which may be of several words: "كانون الثاني".
    fn month(&self, at: usize) -> Option<(usize, i32)> {
        let words = self.words;
        if let Some(found) = words.numbered_month(at) {
            return Some(found);
        }
        let stands = |long: &[Id]| (at..).zip(long).all(|(at, id)| words.id(at) == *id);
        if let Some((long, month)) = words.grammar.long_months.iter().find(|(long, _)| stands(long)) {
            return Some((at + long.len(), *month));
        }
        let month = words.entry(at).month?;
        // "14 sept. 2027"
        let dotted = words.word(at).chars().count() <= 5
            && words.word(at + 1) == "."
            && words.glued(at + 1)
            && words.is_number(at + 2);
        Some((if dotted { at + 2 } else { words.next(at) }, month))
    }

    fn behind_weekday(&self, at: usize) -> usize {
        self.words.skip(self.words.next(at), &self.words.grammar.weekday_tail)
    }

    /// "Monday", "monday and friday", "monday, wednesday and friday".
    fn weekdays(
        &self,
        at: usize,
        captures: &mut Captures,
        day_of: fn(&Entry) -> Option<Weekday>,
    ) -> Option<usize> {
        let bit = |day: Weekday| 1_u8 << day.to_monday_zero_offset().clamp(0, 6);
        captures.weekdays |= bit(day_of(self.words.entry(at))?);
        let mut end = self.behind_weekday(at);
        for _ in 0..6 {
            let comma = if self.words.word(end) == "," { end + 1 } else { end };
            let next = self.words.skip(comma, &self.words.grammar.and);
            let Some(day) = day_of(self.words.entry(next)).filter(|_| next > end) else {
                break;
            };
            captures.weekdays |= bit(day);
            end = self.behind_weekday(next);
        }
        Some(end)
    }

    /// A day of the month: "3", "3rd", "3.", "drei", "primero".
    fn day(&self, at: usize) -> Option<(usize, i32)> {
        let words = self.words;
        let fits = |day: i32| (1..=31).contains(&day);
        if let Some((end, day)) = number::ordinal(words, at) {
            return i32::try_from(day).ok().filter(|day| fits(*day)).map(|day| (end, day));
        }
        if let Some((day, digits)) = words.digits(at) {
            let dot = !words.grammar.ordinal_dot.is_empty()
                && words.word(at + 1) == "."
                && words.glued(at + 1)
                && !(words.is_number(at + 2) && words.glued(at + 2));
            return (digits <= 2 && fits(day)).then_some((if dot { at + 2 } else { at + 1 }, day));
        }
        let (end, day) = number::cardinal(words, at)?;
        (day.fract() == 0.0 && (1.0..=31.0).contains(&day)).then_some((end, day as i32))
    }

    fn year(&self, at: usize) -> Option<(usize, i32)> {
        if let Some(found) = self.words.year_of_era(at) {
            return Some(found);
        }
        if let Some((year, digits)) = self.words.digits(at) {
            return (digits == 4 && (1000..=2999).contains(&year)).then_some((at + 1, year));
        }
        let (end, year) = number::cardinal(self.words, at)?;
        let (end, year) = number::ordinal_behind(self.words, end, year).unwrap_or((end, year));
        // "Nineteen eighty-four", "twenty twenty-seven".
        if year == 19.0 || year == 20.0 {
            let (end, rest) = number::cardinal(self.words, end)?;
            let fits = rest.fract() == 0.0 && (10.0..100.0).contains(&rest);
            return fits.then_some((end, (year * 100.0 + rest) as i32));
        }
        (year.fract() == 0.0 && (1900.0..=2100.0).contains(&year)).then_some((end, year as i32))
    }

    fn hour(&self, at: usize) -> Option<(usize, i32)> {
        let words = self.words;
        if let Some((hour, digits)) = words.digits(at) {
            return (digits <= 2 && hour <= 24).then_some((at + 1, hour));
        }
        let single = words.number(at)?;
        let (end, hour) = number::cardinal(words, at).unwrap_or((at + 1, single));
        let least = if words.numeral(at).is_some() { 0.0 } else { 1.0 };
        if hour.fract() == 0.0 && (least..=24.0).contains(&hour) {
            return Some((end, hour as i32));
        }
        // "Vinte e cinco": twenty hours and five minutes.
        (single.fract() == 0.0 && (1.0..=24.0).contains(&single)).then_some((at + 1, single as i32))
    }

    fn minute(&self, at: usize) -> Option<(usize, i32)> {
        let (end, minute) = number::cardinal(self.words, at)?;
        (minute.fract() == 0.0 && (1.0..60.0).contains(&minute)).then_some((end, minute as i32))
    }
}
