//! What the engine recognises by itself: numbers, ordinals, percentages, money, temperatures,
//! distances, durations, dates, times, date-times, intervals, recurrences, e-mail addresses, URLs
//! and telephone numbers.
//!
//! At each word the longest reading wins and reading goes on behind it, so candidates never
//! overlap. The words are those of the language's file in `lang`; digits, ISO dates, clock times,
//! `%`, currency signs and addresses are read in every language. A word that means something else
//! where it stands ("you may", "quoi de neuf") is told apart by the words beside it: the files
//! list those contexts as guards. Where the context does not decide, nothing is read.
//!
//! Reading takes linear time: a reading covers a bounded number of words, and so does each look
//! ahead.

mod boundary;
mod clock;
mod date;
mod duration;
mod grammar;
mod guard;
mod interval;
mod lang;
mod moment;
mod number;
mod numeral;
mod phone;
mod prefix;
mod quantity;
mod reader;
mod recurrence;
mod rules;
mod script;
mod spelling;
mod tense;
mod tongue;
mod unspaced;
mod web;
mod words;

use jiff::Zoned;
use serde_json::Value;

use super::Candidate;
use crate::nlu::text::Text;
use crate::nlu::types::Extractor;
pub(crate) use lang::Language;
use reader::Reader;
use words::Words;

/// The caller's clock and language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    pub now: &'a Zoned,
    pub language: Language,
}

/// What was read at a word: up to which word, as what.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    end: usize,
    entity: &'static str,
    value: Value,
    time_dependent: bool,
}

impl Reading {
    fn new(end: usize, entity: &'static str, value: impl Into<Value>, time_dependent: bool) -> Self {
        Self { end, entity, value: value.into(), time_dependent }
    }
}

/// Proposes what it recognises.
pub(crate) fn find(text: &Text, clock: Clock<'_>, candidates: &mut Vec<Candidate>) {
    let webs = web::find(text, clock.language.grammar().unspaced.is_some());
    let words = Words::new(text, clock.language.grammar());
    let reader = Reader::new(&words, clock.now);
    let phones = text.normal.bytes().filter(u8::is_ascii_digit).count() >= 7;
    let mut at = 0;
    while let Some(token) = words.token(at) {
        if let Some((_, end, _)) = webs.iter().find(|(start, end, _)| (*start..*end).contains(&token.start)) {
            while words.token(at).is_some_and(|token| token.start < *end) {
                at += 1;
            }
            continue;
        }
        let Some(reading) = read(&reader, at, phones) else {
            at += 1;
            continue;
        };
        let end = words.token(reading.end - 1).map_or(token.end, |last| last.end);
        candidates.push(candidate(
            (token.start, end),
            reading.entity,
            Some(reading.value),
            reading.time_dependent,
        ));
        at = reading.end.max(at + 1);
    }
    for (start, end, entity) in webs {
        candidates.push(candidate((start, end), entity, None, false));
    }
}

/// The longest reading at a word; of equally long ones the more specific, which comes first.
fn read(reader: &Reader<'_>, at: usize, phones: bool) -> Option<Reading> {
    let words = reader.words;
    if !words.may_begin(at) || !words.starts_at(at) {
        return None;
    }
    let mut best: Option<Reading> = None;
    let mut offer = |reading: Option<Reading>| {
        if let Some(reading) = reading
            && reading.end > at
            && best.as_ref().is_none_or(|best| reading.end > best.end)
        {
            best = Some(reading);
        }
    };
    if phones {
        offer(phone::phone(words, at).map(|(end, digits)| Reading::new(end, "phone", digits, false)));
    }
    offer(
        moment::from_now(reader, at)
            .map(|(end, moment)| Reading::new(end, "datetime", moment::rfc3339(&moment), true)),
    );
    offer(moment::moment(reader, at).and_then(|(end, moment)| {
        let value = moment::zoned(reader, moment.day, moment.time)?;
        Some(Reading::new(end, "datetime", value, moment.dependent))
    }));
    offer(interval::interval(reader, at));
    offer(recurrence::recurrence(reader, at));
    offer(
        date::date(reader, at)
            .filter(|(end, _)| words.ends_at(*end))
            .map(|(end, date)| Reading::new(end, "date", date.day.to_string(), date.dependent)),
    );
    offer(
        clock::time(reader, at).map(|(end, time)| Reading::new(end, "time", clock::format(time.time), false)),
    );
    offer(quantity::quantity(reader, at));
    offer(
        duration::length(reader, at)
            .filter(|(end, _)| words.ends_at(*end))
            .map(|(end, length)| Reading::new(end, "duration", length.iso(), false)),
    );
    offer(ordinal(words, at));
    offer(cardinal(words, at));
    best
}

fn ordinal(words: &Words<'_>, at: usize) -> Option<Reading> {
    let (end, value) = number::ordinal(words, at).or_else(|| number::dotted_ordinal(words, at))?;
    words.ends_at(end).then(|| Reading::new(end, "ordinal", value, false))
}

fn cardinal(words: &Words<'_>, at: usize) -> Option<Reading> {
    let (end, value) = number::signed(words, at)?;
    (words.ends_at(end) && words.counts(at, end))
        .then(|| Reading::new(end, "number", number::json(value), false))
}

fn candidate(
    (start, end): (usize, usize),
    entity: &str,
    value: Option<Value>,
    time_dependent: bool,
) -> Candidate {
    Candidate {
        start,
        end,
        entity: entity.to_owned(),
        value,
        confidence: 0.9,
        role: None,
        group: None,
        extractor: Extractor::Builtin,
        time_dependent,
    }
}

#[cfg(test)]
mod tests;
