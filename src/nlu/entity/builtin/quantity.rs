//! Amounts of something: percentages, money, temperatures, distances.

use serde_json::json;

use super::Reading;
use super::number;
use super::reader::{Captures, Reader};
use super::tongue::Op;

/// An amount at a word.
pub(super) fn quantity(reader: &Reader<'_>, at: usize) -> Option<Reading> {
    let mut best: Option<Reading> = None;
    reader.words.grammar.quantity.read(reader, at, &mut |end, op, captures| {
        if best.as_ref().is_some_and(|best| end <= best.end) || !reader.words.ends_at(end) {
            return;
        }
        // "三块五个": the last number counts something else.
        let other = match op {
            Op::MoneyTenths(_) => !reader.words.counts_nothing(end),
            Op::MoneyAlone(_) => reader.words.glued(end) && !reader.words.is_symbol(end),
            _ => false,
        };
        if other {
            return;
        }
        if let Some(found) = resolve(op, captures, end) {
            best = Some(found);
        }
    });
    best
}

fn resolve(op: Op, captures: &Captures, end: usize) -> Option<Reading> {
    if let Op::Times(times) = op {
        let value = number::json(captures.number.unwrap_or(1.0) * times);
        return Some(Reading::new(end, "number", value, false));
    }
    let value = captures.number?;
    if op == Op::Ordinal {
        let counts = value.fract() == 0.0 && (1.0..1e9).contains(&value);
        return counts.then(|| Reading::new(end, "ordinal", number::json(value), false));
    }
    if let Op::Plus(_) | Op::Parts(_) = op {
        let more = match op {
            Op::Parts(parts) => captures.hundredths? / parts,
            Op::Plus(more) => more,
            _ => return None,
        };
        return Some(Reading::new(end, "number", number::json(value + more), false));
    }
    let (entity, value) = match op {
        Op::PercentOf(times) => ("percentage", number::json(value * times)),
        Op::Percent => ("percentage", number::json(value)),
        Op::Money => {
            let amount = value + captures.hundredths.unwrap_or(0.0) / 100.0;
            ("money", json!({"amount": number::json(amount), "currency": captures.currency?}))
        }
        Op::MoneyOf(currency, divisor) => {
            let amount = (value + captures.hundredths.unwrap_or(0.0) / 100.0) / divisor;
            ("money", json!({"amount": number::json(amount), "currency": currency}))
        }
        Op::MoneyAlone(currency) => ("money", json!({"amount": number::json(value), "currency": currency})),
        Op::MoneyTenths(currency) => {
            let tenths = captures.hundredths.filter(|tenths| *tenths < 10.0)?;
            ("money", json!({"amount": number::json(value + tenths / 10.0), "currency": currency}))
        }
        Op::Temperature(unit) => ("temperature", json!({"value": number::json(value), "unit": unit})),
        Op::Frost(unit) => ("temperature", json!({"value": number::json(-value), "unit": unit})),
        Op::Distance => ("distance", json!({"value": number::json(value), "unit": captures.measure?})),
        _ => return None,
    };
    Some(Reading::new(end, entity, value, false))
}
