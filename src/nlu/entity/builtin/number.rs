//! Numbers, ordinals and percentages, in digits and spelled out.

use serde_json::Value;

use super::Reading;
use super::words::Words;
use crate::nlu::text::TokenKind;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(&str, f64); 4] = [("hundred", 1e2), ("thousand", 1e3), ("million", 1e6), ("billion", 1e9)];
const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
const TENTHS: [&str; 8] =
    ["twentieth", "thirtieth", "fortieth", "fiftieth", "sixtieth", "seventieth", "eightieth", "ninetieth"];
/// "The one", "which one", "no one": not a number.
const PRONOUN_BEFORE: [&str; 16] = [
    "the", "this", "that", "which", "no", "any", "every", "each", "some", "another", "other", "next", "last",
    "first", "my", "good",
];

fn position(words: &[&str], word: &str) -> Option<u32> {
    (0..).zip(words).find(|(_, known)| **known == word).map(|(index, _)| index)
}

fn below_twenty(word: &str) -> Option<u32> {
    position(&UNITS, word)
}

fn tens(word: &str) -> Option<u32> {
    position(&TENS, word).map(|index| 20 + 10 * index)
}

/// A cardinal at a word: the position behind it, and its value.
pub(super) fn cardinal(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    numeral(words, at).or_else(|| spelled(words, at))
}

/// Digits: `7`, `1,250`, `3.5`, with a scale word behind (`2 million`).
fn numeral(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let (whole, _) = words.digits(at)?;
    let mut value = f64::from(whole);
    let mut end = at + 1;
    while words.word(end) == "," && words.glued(end) && words.glued(end + 1) && words.ends_at(end + 2) {
        let Some((group, 3)) = words.digits(end + 1) else {
            break;
        };
        value = value * 1000.0 + f64::from(group);
        end += 2;
    }
    if words.word(end) == "."
        && words.glued(end)
        && words.glued(end + 1)
        && let Some((fraction, digits)) = words.digits(end + 1)
    {
        // "3.4.5" and "14.3.2027" are no numbers.
        if words.word(end + 2) == "." && words.glued(end + 2) && words.digits(end + 3).is_some() {
            return None;
        }
        value += f64::from(fraction) / 10_f64.powi(i32::try_from(digits).unwrap_or(9));
        end += 2;
    }
    if let Some((_, scale)) = SCALES.iter().find(|(name, _)| *name == words.word(end))
        && !words.glued(end)
    {
        value *= scale;
        end += 1;
    }
    Some((end, value))
}

/// Words: `twenty-one`, `a hundred and five`, `two thousand`, `three point one four`.
fn spelled(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let (mut end, mut value) = group(words, at)?;
    let mut total = 0.0;
    let mut ceiling = f64::MAX;
    while let Some((_, scale)) =
        SCALES.iter().skip(1).find(|(name, scale)| *name == words.word(end) && *scale < ceiling)
    {
        ceiling = *scale;
        total += value * scale;
        value = 0.0;
        end += 1;
        let next = words.skip(end, &["and"]);
        let Some((behind, rest)) = group(words, next) else {
            break;
        };
        let fits = words.is(behind, &["thousand", "million"]) || rest < 1000.0;
        if !fits {
            break;
        }
        value = rest;
        end = behind;
    }
    total += value;
    if words.word(end) == "point" {
        let (mut place, mut behind) = (0.1, end + 1);
        while let Some(digit) = below_twenty(words.word(behind)).filter(|digit| *digit < 10) {
            total += f64::from(digit) * place;
            place /= 10.0;
            behind += 1;
        }
        if behind > end + 1 {
            end = behind;
        }
    }
    Some((end, total))
}

/// A number below a thousand.
fn group(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let word = words.word(at);
    let (mut end, mut value) = if let Some(tens) = tens(word) {
        let unit = if words.word(at + 1) == "-" { at + 2 } else { at + 1 };
        match below_twenty(words.word(unit)).filter(|unit| (1..10).contains(unit)) {
            Some(unit_value) => (unit + 1, tens + unit_value),
            None => (at + 1, tens),
        }
    } else if let Some(value) = below_twenty(word) {
        (at + 1, value)
    } else if word == "a" && words.is(at + 1, &["hundred", "thousand", "million", "billion", "dozen"]) {
        (at + 1, 1)
    } else if word == "dozen" {
        (at, 1)
    } else {
        return None;
    };
    if words.word(end) == "dozen" {
        return Some((end + 1, f64::from(value * 12)));
    }
    if words.word(end) == "hundred" && value < 100 {
        value *= 100;
        end += 1;
        let next = words.skip(end, &["and"]);
        if let Some((behind, rest)) = group(words, next).filter(|(_, rest)| *rest < 100.0) {
            return Some((behind, f64::from(value) + rest));
        }
    }
    Some((end, f64::from(value)))
}

/// An ordinal at a word: the position behind it, and its value.
pub(super) fn ordinal(words: &Words<'_>, at: usize) -> Option<(usize, u32)> {
    if let Some((number, _)) = words.digits(at) {
        let suffix = words.glued(at + 1).then(|| words.word(at + 1))?;
        let fits = match (number % 10, number % 100) {
            (_, 11..=13) => suffix == "th",
            (1, _) => suffix == "st",
            (2, _) => suffix == "nd",
            (3, _) => suffix == "rd",
            _ => suffix == "th",
        };
        return fits.then_some(()).and(u32::try_from(number).ok()).map(|number| (at + 2, number));
    }
    let word = words.word(at);
    if let Some(tens) = tens(word) {
        let unit = if words.word(at + 1) == "-" { at + 2 } else { at + 1 };
        let value = position(&ORDINALS, words.word(unit)).filter(|value| (1..10).contains(value))?;
        return Some((unit + 1, tens + value));
    }
    position(&ORDINALS, word)
        .or_else(|| position(&TENTHS, word).map(|index| 20 + 10 * index))
        .map(|value| (at + 1, value))
}

/// A JSON integer where the value is whole.
pub(super) fn json(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        Value::from(value as i64)
    } else {
        // Sums of decimal fractions carry noise behind the ninth place.
        Value::from((value * 1e9).round() / 1e9)
    }
}

pub(super) fn cardinal_entity(words: &Words<'_>, at: usize) -> Option<Reading> {
    if words.word(at) == "one" && words.after(at, &PRONOUN_BEFORE) {
        return None;
    }
    if words.word(at) == "-" && !words.glued(at) && words.glued(at + 1) {
        let (end, value) = numeral(words, at + 1)?;
        return Some(Reading::new(end, "number", json(-value), false));
    }
    let (end, value) = cardinal(words, at)?;
    // Not the parts of "2027-02-30", "24/7" or "10:75".
    if linked(words, at) || linked(words, end + 1) {
        return None;
    }
    Some(Reading::new(end, "number", json(value), false))
}

/// Whether a number stands right behind a sign that stands right behind another number.
fn linked(words: &Words<'_>, at: usize) -> bool {
    at >= 2
        && words.is(at - 1, &["-", "/", ":", ".", ","])
        && words.glued(at - 1)
        && words.glued(at)
        && words.kind(at) == Some(TokenKind::Number)
        && words.kind(at - 2) == Some(TokenKind::Number)
}

pub(super) fn ordinal_entity(words: &Words<'_>, at: usize) -> Option<Reading> {
    let (end, value) = ordinal(words, at)?;
    // "Wait a second", "one second": a unit of time.
    if words.word(at) == "second"
        && !words.after(at, &["the", "my", "your", "his", "her", "our", "their", "every"])
    {
        return None;
    }
    // "First, …" and "at first" order the talk, not the things.
    if words.word(at) == "first" && (at == 0 || words.after(at, &["at"])) {
        return None;
    }
    Some(Reading::new(end, "ordinal", value, false))
}

pub(super) fn percentage(words: &Words<'_>, at: usize) -> Option<Reading> {
    let (end, value) = cardinal(words, at)?;
    let end = match words.word(end) {
        "%" | "percent" | "pct" => end + 1,
        "per" if words.word(end + 1) == "cent" => end + 2,
        _ => return None,
    };
    Some(Reading::new(end, "percentage", json(value), false))
}
