//! What the engine recognises by itself: numbers, ordinals, percentages, durations, dates, times,
//! e-mail addresses and URLs.
//!
//! At each word the longest reading wins and reading goes on behind it, so candidates never
//! overlap. Spelled-out forms are English; digits, ISO dates, clock times, `%`, addresses and
//! URLs are read in every language.

mod date;
mod duration;
mod number;
mod time;
mod web;
mod words;

use jiff::Zoned;
use serde_json::Value;

use super::Candidate;
use crate::nlu::text::{Text, TokenKind};
use crate::nlu::types::Extractor;
use words::Words;

/// The caller's clock and what language they speak.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    pub now: &'a Zoned,
    /// Whether spelled-out English is read.
    pub english: bool,
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
    let webs = web::find(text);
    let words = Words::new(text, clock.english);
    let mut at = 0;
    while at < text.tokens.len() {
        let Some(token) = text.tokens.get(at) else {
            break;
        };
        if let Some((_, end, _)) = webs.iter().find(|(start, end, _)| (*start..*end).contains(&token.start)) {
            let end = *end;
            while text.tokens.get(at).is_some_and(|token| token.start < end) {
                at += 1;
            }
            continue;
        }
        let Some(reading) = read(&words, at, clock) else {
            at += 1;
            continue;
        };
        let end = text.tokens.get(reading.end - 1).map_or(token.end, |last| last.end);
        candidates.push(candidate(
            token.start,
            end,
            reading.entity,
            Some(reading.value),
            reading.time_dependent,
        ));
        at = reading.end.max(at + 1);
    }
    for (start, end, entity) in webs {
        candidates.push(candidate(start, end, entity, None, false));
    }
}

/// The longest reading at a word; of equally long ones the more specific, which comes first.
fn read(words: &Words<'_>, at: usize, clock: Clock<'_>) -> Option<Reading> {
    // A reading starts at a word's start: not at the 3 of "mp3".
    if words.glued(at) && words.kind(at.checked_sub(1)?) != Some(TokenKind::Symbol) {
        return None;
    }
    let readings = [
        date::moment(words, at, clock),
        date::date(words, at, clock)
            .map(|(end, day, dependent)| Reading::new(end, "date", day.to_string(), dependent)),
        time::time(words, at).map(|(end, time)| Reading::new(end, "time", time::format(time), false)),
        duration::entity(words, at),
        number::percentage(words, at),
        number::ordinal_entity(words, at),
        number::cardinal_entity(words, at),
    ];
    let mut best: Option<Reading> = None;
    for reading in
        readings.into_iter().flatten().filter(|reading| reading.end > at && words.ends_at(reading.end))
    {
        if best.as_ref().is_none_or(|best| reading.end > best.end) {
            best = Some(reading);
        }
    }
    best
}

fn candidate(
    start: usize,
    end: usize,
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
