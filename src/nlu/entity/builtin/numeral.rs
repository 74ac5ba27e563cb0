//! Numerals of China, Japan and Korea: `二十五`, `3万5千`, `一九九〇`, `이십오`.

use super::tongue::Unspaced;

/// What a character says in a numeral.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sign {
    Digit(f64),
    /// Ten, hundred, thousand.
    Power(f64),
    /// Ten thousand and its powers.
    Scale(f64),
}

fn sign(word: &str) -> Option<Sign> {
    let mut chars = word.chars();
    let c = chars.next().filter(|_| chars.as_str().is_empty())?;
    Some(match c {
        '〇' | '零' | '영' | '공' => Sign::Digit(0.0),
        '一' | '일' => Sign::Digit(1.0),
        '二' | '两' | '兩' | '이' => Sign::Digit(2.0),
        '三' | '삼' => Sign::Digit(3.0),
        '四' | '사' => Sign::Digit(4.0),
        '五' | '오' => Sign::Digit(5.0),
        '六' | '육' | '륙' => Sign::Digit(6.0),
        '七' | '칠' => Sign::Digit(7.0),
        '八' | '팔' => Sign::Digit(8.0),
        '九' | '구' => Sign::Digit(9.0),
        '十' | '십' => Sign::Power(1e1),
        '百' | '백' => Sign::Power(1e2),
        '千' | '천' => Sign::Power(1e3),
        '万' | '萬' | '만' => Sign::Scale(1e4),
        '億' | '亿' | '억' => Sign::Scale(1e8),
        '兆' | '조' => Sign::Scale(1e12),
        _ => return None,
    })
}

/// Whether a word of one character can begin a numeral.
pub(super) fn begins(word: &str) -> bool {
    sign(word).is_some()
}

/// A numeral, or what looks like one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Numeral {
    /// How many words it covers.
    pub length: usize,
    /// `None`: "三四" is three or four, and no number.
    pub value: Option<f64>,
}

/// No numeral has more signs.
const LONGEST: usize = 24;

/// Where a numeral stands while it is read.
#[derive(Default)]
struct Sum {
    total: f64,
    /// What was read since the last scale.
    section: f64,
    pending: Option<f64>,
    /// Digits that stand one behind the other, and whether there is a zero among them.
    digits: usize,
    zero: bool,
    /// The last power and scale: they fall.
    power: Option<f64>,
    scale: Option<f64>,
    /// What the sign before the pending digit multiplied by.
    unit: f64,
}

impl Sum {
    fn digit(&mut self, digit: f64, positional: bool) -> bool {
        let multiplied = self.power.is_some() || self.scale.is_some();
        match self.pending {
            None => self.digits = 1,
            // "百零五"
            Some(0.0) if multiplied => self.unit = 0.0,
            Some(before) if positional && !multiplied && self.digits > 0 => {
                self.pending = Some(before * 10.0 + digit);
                self.digits += 1;
                self.zero |= digit == 0.0;
                return true;
            }
            Some(_) => return false,
        }
        self.zero |= digit == 0.0;
        self.pending = Some(digit);
        true
    }

    fn power(&mut self, power: f64) -> bool {
        if self.power.is_some_and(|last| power >= last) || self.digits > 1 || self.pending == Some(0.0) {
            return false;
        }
        self.section += self.pending.take().unwrap_or(1.0) * power;
        self.power = Some(power);
        self.unit = power;
        true
    }

    fn scale(&mut self, scale: f64) -> bool {
        let said = self.section + self.pending.unwrap_or(0.0);
        // "万" alone is ten thousand; "億" alone is no number.
        let bare = said == 0.0;
        if self.scale.is_some_and(|last| scale >= last) || self.digits > 1 || bare && scale > 1e4 {
            return false;
        }
        if bare && (self.scale.is_some() || self.pending.is_some()) {
            return false;
        }
        self.total += if bare { 1.0 } else { said } * scale;
        self.section = 0.0;
        self.pending = None;
        self.power = None;
        self.scale = Some(scale);
        self.unit = scale;
        true
    }

    fn value(&self, spec: &Unspaced) -> Option<f64> {
        let mut last = self.pending.unwrap_or(0.0);
        if self.digits == 2 && !self.zero {
            return None;
        }
        // "两百五" is 250.
        if spec.trailing_tens && self.unit >= 100.0 && !self.zero && (1.0..10.0).contains(&last) {
            last *= self.unit / 10.0;
        }
        Some(self.total + self.section + last)
    }
}

/// A numeral that begins with the word at 0; `word` gives what stands at a position, if it is glued
/// to the one before. Plain digits alone are none: they are read elsewhere.
pub(super) fn read<'a>(
    spec: &Unspaced,
    pointed: bool,
    word: impl Fn(usize) -> Option<&'a str>,
) -> Option<Numeral> {
    let mut sum = Sum::default();
    let mut at = 0;
    let mut plain = true;
    while at < LONGEST {
        let Some(next) = word(at) else { break };
        let taken = if next.starts_with(|c: char| c.is_ascii_digit()) {
            // "3万" is thirty thousand, but "3" is followed by no sign.
            let Some((length, value)) = digits(&word, at).filter(|_| sum.pending.is_none()) else {
                break;
            };
            if word(at + length).and_then(sign).is_none_or(|sign| matches!(sign, Sign::Digit(_))) {
                // "1万5000" ends in plain digits, "3" is nothing else.
                if at == 0 || value >= sum.scale.unwrap_or(0.0) {
                    break;
                }
            }
            sum.pending = Some(value);
            sum.digits = 0;
            sum.unit = 0.0;
            length
        } else {
            let taken = match sign(next) {
                Some(Sign::Digit(digit)) => sum.digit(digit, !spec.spaced),
                Some(Sign::Power(power)) => sum.power(power),
                Some(Sign::Scale(scale)) => sum.scale(scale),
                None => false,
            };
            plain &= !taken;
            usize::from(taken)
        };
        if taken == 0 {
            break;
        }
        at += taken;
    }
    let value = sum.value(spec);
    let (length, decimals) = if pointed { decimals(spec, at, &word) } else { (0, 0.0) };
    (at > 0 && !plain).then(|| Numeral { length: at + length, value: value.map(|whole| whole + decimals) })
}

/// The point at a position and the digits behind it: how many words, and what they add.
fn decimals<'a>(spec: &Unspaced, at: usize, word: &impl Fn(usize) -> Option<&'a str>) -> (usize, f64) {
    if spec.point.is_empty() || word(at) != Some(spec.point) {
        return (0, 0.0);
    }
    let (mut length, mut place, mut total) = (1, 0.1, 0.0);
    while let Some(Sign::Digit(digit)) = word(at + length).and_then(sign).filter(|_| length < 10) {
        total += digit * place;
        place /= 10.0;
        length += 1;
    }
    if length > 1 { (length, total) } else { (0, 0.0) }
}

/// Digits with thousands and decimals: how many words, and the value.
fn digits<'a>(word: &impl Fn(usize) -> Option<&'a str>, at: usize) -> Option<(usize, f64)> {
    let mut written = word(at)?.to_owned();
    let mut length = 1;
    while word(at + length) == Some(",") && word(at + length + 1).is_some_and(|group| group.len() == 3) {
        written.push_str(word(at + length + 1)?);
        length += 2;
    }
    if word(at + length) == Some(".")
        && let Some(fraction) = word(at + length + 1).filter(|next| next.bytes().all(|b| b.is_ascii_digit()))
    {
        written.push('.');
        written.push_str(fraction);
        length += 2;
    }
    (written.len() <= 15).then(|| written.parse().ok().map(|value| (length, value)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, spec: &Unspaced) -> Option<(usize, Option<f64>)> {
        let mut words: Vec<String> = Vec::new();
        for c in text.chars() {
            match words.last_mut() {
                Some(last)
                    if c.is_ascii_digit() && last.ends_with(|before: char| before.is_ascii_digit()) =>
                {
                    last.push(c);
                }
                _ => words.push(c.to_string()),
            }
        }
        read(spec, true, |at| words.get(at).map(String::as_str)).map(|found| (found.length, found.value))
    }

    #[test]
    fn signs_multiply_what_stands_before_them() {
        let spec = Unspaced::NONE;
        for (text, wanted) in [
            ("二十五", 25.0),
            ("十", 10.0),
            ("百零五", 105.0),
            ("三千五百", 3500.0),
            ("1万5000", 15_000.0),
            ("一億二千万", 1.2e8),
            ("3.5万", 35_000.0),
            ("1,200万", 1.2e7),
            ("二〇一七", 2017.0),
            ("零五", 5.0),
            ("이십오", 25.0),
            ("만오천", 15_000.0),
        ] {
            assert_eq!(value(text, &spec).and_then(|found| found.1), Some(wanted), "{text}");
        }
        let chinese = Unspaced { trailing_tens: true, ..spec };
        for (text, wanted) in [("两百五", 250.0), ("三万五", 35_000.0), ("一百零五", 105.0), ("二十五", 25.0)]
        {
            assert_eq!(value(text, &chinese).and_then(|found| found.1), Some(wanted), "{text}");
        }
    }

    #[test]
    fn decimals_stand_behind_the_point() {
        let spec = Unspaced { point: "点", ..Unspaced::NONE };
        assert_eq!(value("三点五", &spec), Some((3, Some(3.5))));
        assert_eq!(value("三点", &spec), Some((1, Some(3.0))));
    }

    #[test]
    fn what_is_no_numeral_is_none() {
        let spec = Unspaced::NONE;
        assert_eq!(value("3時", &spec), None);
        assert_eq!(value("億", &spec), None);
        assert_eq!(value("三四日", &spec), Some((2, None)));
        assert_eq!(value("삼일", &Unspaced { spaced: true, ..spec }), Some((1, Some(3.0))));
    }
}
