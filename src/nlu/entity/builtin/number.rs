//! Numbers and ordinals, in digits and spelled out.

use serde_json::Value;

use super::words::Words;

/// A cardinal at a word: the position behind it, and its value.
pub(super) fn cardinal(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    if let Some(found) = words.numeral(at) {
        return Some(found);
    }
    if words.is_number(at) {
        return numeral(words, at);
    }
    let (end, value) = spelled(words, at)?;
    // "Un", "eine": an article, not a number.
    if end == at + 1 && words.entry(at).one {
        return None;
    }
    Some((end, value))
}

/// A cardinal, or an article that stands for one.
pub(super) fn counted(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    cardinal(words, at).or_else(|| words.entry(at).one.then(|| (words.next(at), 1.0)))
}

/// A cardinal with a sign.
pub(super) fn signed(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    if words.entry(at).minus {
        let dash = words.word(at) == "-";
        // A dash between words is no sign, nor is one with a space behind it.
        if dash && (words.glued(at) || !words.glued(at + 1) || !words.is_number(at + 1)) {
            return None;
        }
        return cardinal(words, words.next(at)).map(|(end, value)| (end, -value));
    }
    cardinal(words, at)
}

/// Digits with the language's signs: `7`, `1,250.5` or `1.250,5`, with a scale word behind.
fn numeral(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let tongue = words.grammar.tongue;
    let (whole, _) = words.digits(at)?;
    let grouped = lakhs(words, at).or_else(|| thousands(words, at));
    let (mut end, mut value) = grouped.unwrap_or((at + 1, f64::from(whole)));
    let decimal = if words.joint(end, tongue.decimal) {
        true
    } else {
        // "3.5" is 3.5 also where the comma is the sign: thousands come in threes.
        grouped.is_none() && tongue.decimal == "," && words.joint(end, ".")
    };
    if decimal && let Some((fraction, places)) = words.digits(end + 1) {
        value += f64::from(fraction) / 10_f64.powi(i32::try_from(places).unwrap_or(9));
        end += 2;
    }
    if let Some(scale) = words.entry(end).number.filter(|scale| *scale >= 1000.0)
        && !words.glued(end)
    {
        value *= scale;
        end += 1;
    }
    Some((end, value))
}

/// Digits in groups of three: `1,250,000`.
fn thousands(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let sign = words.grammar.tongue.thousands;
    let (whole, 1..=3) = words.digits(at)? else {
        return None;
    };
    let (mut end, mut value) = (at + 1, f64::from(whole));
    for _ in 0..5 {
        let next = match sign {
            " " if words.gap(end) == Some(1) => end,
            sign if words.joint(end, sign) => end + 1,
            _ => break,
        };
        match words.digits(next) {
            Some((group, 3)) => (end, value) = (next + 1, value * 1000.0 + f64::from(group)),
            _ => break,
        }
    }
    (end > at + 1).then_some((end, value))
}

/// Digits as India groups them, in hundreds above the thousand: `1,25,000`.
fn lakhs(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let sign = words.grammar.tongue.thousands;
    let (whole, 1..=2) = words.digits(at)? else {
        return None;
    };
    let (mut end, mut value) = (at + 1, f64::from(whole));
    for _ in 0..4 {
        let (group, digits) = words.digits(end + 1).filter(|_| words.joint(end, sign))?;
        end += 2;
        match digits {
            2 => value = value * 100.0 + f64::from(group),
            3 if end > at + 3 => return Some((end, value * 1000.0 + f64::from(group))),
            _ => return None,
        }
    }
    None
}

/// Words: `twenty-one`, `a hundred and five`, `deux mille`, `drei Komma fünf`.
fn spelled(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let grammar = words.grammar;
    let (mut end, mut value) = group(words, at)?;
    let mut total = 0.0;
    let mut ceiling = f64::MAX;
    while let Some(scale) = scale(words, end).filter(|scale| *scale < ceiling) {
        ceiling = scale;
        total += value * scale;
        value = 0.0;
        end += 1;
        let next = words.skip(end, &grammar.scale_links);
        let Some((behind, rest)) = group(words, next) else {
            break;
        };
        let scaled = self::scale(words, behind).is_some_and(|next| next < ceiling);
        if !scaled && rest >= ceiling {
            break;
        }
        value = rest;
        end = behind;
    }
    total += value;
    if let Some(point) = words.phrase(end, &grammar.point)
        && let Some((behind, fraction)) = decimals(words, point)
    {
        return Some((behind, total + fraction));
    }
    Some((end, total))
}

/// A thousand or more, by which the number before is multiplied. Two of them may be one word.
fn scale(words: &Words<'_>, at: usize) -> Option<f64> {
    let value = words.entry(at).number.filter(|value| *value >= 1000.0)?;
    Some(if is_dual(value) { value / 2.0 } else { value })
}

fn is_dual(scale: f64) -> bool {
    matches!(scale as u64, 2_000 | 2_000_000 | 2_000_000_000)
}

/// What stands behind the point: digit by digit, or a number below a hundred.
fn decimals(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let (mut place, mut end, mut total) = (0.1, at, 0.0);
    while let Some(digit) = words.number(end).filter(|digit| *digit < 10.0 && end < at + 9) {
        total += digit * place;
        place /= 10.0;
        end += 1;
    }
    if end > at {
        return Some((end, total));
    }
    let (end, value) = below_hundred(words, at)?;
    Some((end, value / 100.0))
}

/// A number below a thousand, or a bare "thousand" as one of them.
fn group(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let grammar = words.grammar;
    let first = words.entry(at);
    if words.id(at) == super::grammar::COMPOUND {
        return words.number(at).map(|value| (at + 1, value));
    }
    if let Some(shift) = first.shift {
        return shifted(words, at + 1, shift);
    }
    let (mut end, mut value) = match words.number(at) {
        Some(hundreds) if (100.0..1000.0).contains(&hundreds) => {
            if hundreds == 100.0 && !grammar.tongue.bare_scales {
                return None;
            }
            (at + 1, hundreds)
        }
        // The scale itself is read behind this.
        Some(scale) if scale >= 1000.0 => {
            if is_dual(scale) {
                return Some((at, 2.0));
            }
            let bare = scale == 1000.0 || grammar.tongue.bare_millions;
            return (bare && grammar.tongue.bare_scales).then_some((at, 1.0));
        }
        Some(_) => below_hundred(words, at)?,
        None if first.one && words.entry(at + 1).number.is_some_and(|scale| scale >= 100.0) => (at + 1, 1.0),
        None => return None,
    };
    if value < 100.0 && value > 0.0 && words.number(end) == Some(100.0) {
        value *= 100.0;
        end += 1;
    }
    if value >= 100.0 && value % 100.0 == 0.0 {
        let next = words.skip(end, &grammar.hundreds_links);
        if let Some((behind, rest)) = below_hundred(words, next) {
            return Some((behind, value + rest));
        }
    }
    Some((end, value))
}

/// A number behind a word that changes it: "साढ़े तीन सौ" is 350, "सवा लाख" 125,000.
fn shifted(words: &Words<'_>, at: usize, shift: f64) -> Option<(usize, f64)> {
    let digits =
        |at| words.digits(at).filter(|_| words.ends_at(at + 1)).map(|(value, _)| (at + 1, value.into()));
    let counted: Option<(usize, f64)> = digits(at).or_else(|| below_hundred(words, at));
    let bare = || words.number(at).filter(|scale| *scale >= 100.0).map(|_| (at, 1.0));
    let (end, value) = counted.or_else(bare)?;
    let hundred = words.number(end) == Some(100.0);
    Some(if hundred { (end + 1, (value + shift) * 100.0) } else { (end, value + shift) })
}

fn below_hundred(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let grammar = words.grammar;
    let value = words.number(at).filter(|value| *value < 100.0)?;
    if value == 10.0
        && let Some((end, teen)) = teen(words, at)
    {
        return Some((end, teen));
    }
    if grammar.tongue.units_first
        && let Some(found) = unit_first(words, at, value)
    {
        return Some(found);
    }
    let (end, value) = if grammar.tongue.vigesimal
        && value == 4.0
        && words.number(words.skip(at + 1, &grammar.tens_links)) == Some(20.0)
    {
        (words.skip(at + 1, &grammar.tens_links) + 1, 80.0)
    } else {
        (at + 1, value)
    };
    if value < 20.0 || value % 10.0 != 0.0 {
        return Some((end, value));
    }
    let fits = |unit: f64| {
        (1.0..10.0).contains(&unit) && unit.fract() == 0.0
            || grammar.tongue.vigesimal && (value == 60.0 || value == 80.0) && (10.0..20.0).contains(&unit)
    };
    let next = if grammar.tens_links.iter().any(Vec::is_empty) {
        words.skip(end, &grammar.tens_links)
    } else {
        match words.phrase(end, &grammar.tens_links) {
            Some(next) => next,
            None => return Some((end, value)),
        }
    };
    match words.number(next).filter(|unit| fits(*unit)) {
        Some(10.0) => {
            let (end, teen) = teen(words, next).unwrap_or((next + 1, 10.0));
            Some((end, value + teen))
        }
        Some(unit) => Some((next + 1, value + unit)),
        None => Some((end, value)),
    }
}

/// "خمسة عشر", five ten, and "خمسة وعشرون", five and twenty.
fn unit_first(words: &Words<'_>, at: usize, unit: f64) -> Option<(usize, f64)> {
    if !(1.0..10.0).contains(&unit) {
        return None;
    }
    if words.number(at + 1) == Some(10.0) {
        return Some((at + 2, 10.0 + unit));
    }
    let next = words.phrase(at + 1, &words.grammar.tens_links)?;
    let tens = words.number(next).filter(|tens| (20.0..100.0).contains(tens) && tens % 10.0 == 0.0)?;
    Some((next + 1, tens + unit))
}

/// "Dix-sept": ten and seven to nine, where seventeen has no word of its own.
fn teen(words: &Words<'_>, at: usize) -> Option<(usize, f64)> {
    let next = words.skip(at + 1, &words.grammar.tens_links);
    let unit =
        words.number(next).filter(|unit| words.grammar.tongue.vigesimal && (7.0..10.0).contains(unit))?;
    Some((next + 1, 10.0 + unit))
}

/// An ordinal at a word: the position behind it, and its value.
pub(super) fn ordinal(words: &Words<'_>, at: usize) -> Option<(usize, u32)> {
    if let Some((number, _)) = words.digits(at) {
        return words
            .glued(at + 1)
            .then(|| suffix(words, if words.joint(at + 1, "-") { at + 2 } else { at + 1 }, number))
            .flatten()
            .and_then(|end| Some((end, u32::try_from(number).ok()?)));
    }
    if let Some(value) = words.entry(at).ordinal {
        let compound = words.grammar.tongue.units_first.then(|| ordinal_unit_first(words, at, value));
        return compound.flatten().or(Some((words.next(at), value)));
    }
    // "Twenty-first", "trentésimo primero": tens before an ordinal below ten.
    let tens = words.number(at).filter(|tens| (20.0..100.0).contains(tens) && tens % 10.0 == 0.0)?;
    let next = words.skip(at + 1, &words.grammar.tens_links);
    let unit = words.entry(next).ordinal.filter(|unit| (1..10).contains(unit))?;
    Some((next + 1, tens as u32 + unit))
}

/// "الخامس عشر", fifth ten, and "الحادي والعشرون", first and twentieth.
fn ordinal_unit_first(words: &Words<'_>, at: usize, unit: u32) -> Option<(usize, u32)> {
    if !(1..10).contains(&unit) {
        return None;
    }
    if words.number(at + 1) == Some(10.0) {
        return Some((at + 2, 10 + unit));
    }
    let next = words.phrase(at + 1, &words.grammar.tens_links)?;
    let tens = words.entry(next).ordinal.filter(|tens| (20..100).contains(tens) && tens % 10 == 0)?;
    Some((next + 1, tens + unit))
}

/// An ordinal that ends a number: "две тысячи двадцать седьмого".
pub(super) fn ordinal_behind(words: &Words<'_>, at: usize, number: f64) -> Option<(usize, f64)> {
    let rest = f64::from(words.entry(at).ordinal.filter(|_| !words.is_number(at - 1))?);
    let fits = [10.0, 100.0, 1000.0].into_iter().any(|below| rest < below && number % below == 0.0);
    (number >= 1000.0 && fits).then_some((at + 1, number + rest))
}

/// The end of what makes digits an ordinal: "3rd", "1er", "2º".
fn suffix(words: &Words<'_>, at: usize, number: i32) -> Option<usize> {
    if !words.grammar.ordinal_suffixes.contains(&words.id(at)) {
        return None;
    }
    let fits = match words.word(at) {
        "st" => number % 10 == 1 && number % 100 != 11,
        "nd" => number % 10 == 2 && number % 100 != 12,
        "rd" => number % 10 == 3 && number % 100 != 13,
        "th" => !matches!(number % 10, 1..=3) || matches!(number % 100, 11..=13),
        _ => true,
    };
    fits.then_some(at + 1)
}

/// "3." as an ordinal, where the language writes them so and an article stands before.
pub(super) fn dotted_ordinal(words: &Words<'_>, at: usize) -> Option<(usize, u32)> {
    let before = at.checked_sub(1)?;
    let (number, _) = words.digits(at)?;
    let dotted = words.word(at + 1) == "." && words.glued(at + 1);
    let counts = words.kind(at + 2).is_some() && !words.glued(at + 2);
    let said = words.grammar.ordinal_dot.contains(&words.id(before));
    (dotted && counts && said).then_some((at + 2, u32::try_from(number).ok()?))
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
