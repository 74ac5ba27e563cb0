//! Where a reading may begin and end in languages without spaces, and when a numeral is a number.

use super::grammar::UNKNOWN;
use super::unspaced::{Lexicon, is_hangul, is_hiragana};
use super::words::Words;
use crate::nlu::text::TokenKind;

/// No word of Hangul that is looked at behind a reading is longer.
const LONGEST_REST: usize = 8;

impl Words<'_> {
    /// Whether a reading may start at a position: not inside an ordinary word, nor in the middle of
    /// a word of Hangul or hiragana ("べんきょう" holds no "きょう").
    pub(super) fn starts_unspaced(&self, lexicon: &Lexicon, at: usize) -> bool {
        if self.piece(at).is_none_or(|piece| piece.inside || piece.ordinary) || self.in_date(lexicon, at) {
            return false;
        }
        if lexicon.spec.calendars.iter().any(|calendar| self.before(at).trim_end().ends_with(calendar)) {
            return false;
        }
        let Some(before) = at.checked_sub(1).filter(|_| self.glued(at)) else {
            return true;
        };
        match (self.kind(before), self.kind(at)) {
            (Some(TokenKind::Symbol), _) => {
                !before.checked_sub(1).is_some_and(|left| self.is_number(left) && self.ties(before))
            }
            (Some(TokenKind::Ideograph), Some(TokenKind::Number)) => !lexicon.spec.spaced,
            (Some(TokenKind::Ideograph | TokenKind::Word), Some(TokenKind::Ideograph)) => {
                let hiragana = |at: usize| self.word(at).starts_with(is_hiragana);
                let middle = hiragana(before) && hiragana(at) && !lexicon.is_particle(self.id(before));
                !middle && !self.word(at).starts_with(is_hangul)
            }
            _ => false,
        }
    }

    /// Whether a reading may end before a position.
    pub(super) fn ends_unspaced(&self, lexicon: &Lexicon, end: usize) -> bool {
        let Some(last) = end.checked_sub(1) else {
            return false;
        };
        if self.piece(end).is_some_and(|piece| piece.inside) || self.in_date(lexicon, end) {
            return false;
        }
        if [self.word(last), self.word(end)] == lexicon.spec.fraction
            && (self.is_number(end + 1) || self.numeral(end + 1).is_some())
        {
            return false;
        }
        if !self.glued(end) {
            return true;
        }
        match (self.kind(last), self.kind(end)) {
            (Some(TokenKind::Number | TokenKind::Word), Some(TokenKind::Number | TokenKind::Word)) => false,
            (_, Some(TokenKind::Ideograph)) if self.word(end).starts_with(is_hangul) => {
                self.ending(lexicon, last, end)
            }
            _ => !(self.is_number(last) && self.ties(end)),
        }
    }

    /// Whether a position is between a year and its month, or a month and its day: the parts of a
    /// day that no year has ("2月30日") are nothing.
    fn in_date(&self, lexicon: &Lexicon, at: usize) -> bool {
        let counted = |at: usize| self.is_number(at) || self.piece(at).is_some_and(|p| p.value.is_some());
        let Some(before) = at.checked_sub(1).filter(|before| before.checked_sub(1).is_some_and(counted))
        else {
            return false;
        };
        let end = if self.is_number(at) { Some(at + 1) } else { self.numeral(at).map(|(end, _)| end) };
        end.filter(|end| self.next(*end) == end + 1).is_some_and(|end| {
            let spec = lexicon.spec;
            self.word(before) == spec.year && self.id(end) == lexicon.month
                || self.id(before) == lexicon.month && spec.day.contains(&self.word(end))
        })
    }

    /// Whether what is glued behind a reading in Hangul is a particle, or what its number counts.
    fn ending(&self, lexicon: &Lexicon, last: usize, end: usize) -> bool {
        let numeral = self.is_number(last) || self.piece(last).is_some_and(|piece| piece.value.is_some());
        if numeral && self.counter(lexicon, end) {
            return true;
        }
        // "내일오후": another word of time.
        if self.piece(end).is_some_and(|piece| piece.end > end + 1 && !piece.ordinary && !piece.counter) {
            return true;
        }
        let rest = (end..end + LONGEST_REST)
            .take_while(|at| (*at == end || self.glued(*at)) && self.word(*at).starts_with(is_hangul));
        let rest: String = rest.map(|at| self.word(at)).collect();
        lexicon.endings.contains(&rest)
    }

    /// Whether what numbers count stands at a position, as a word of its own.
    fn counter(&self, lexicon: &Lexicon, at: usize) -> bool {
        let Some(piece) = self.piece(at).filter(|piece| piece.counter) else {
            return false;
        };
        !lexicon.spec.spaced || self.kind(piece.end).is_none() || self.ends_unspaced(lexicon, piece.end)
    }

    /// Whether a number at a position, read up to `end`, is one by itself. Digits are. A numeral is
    /// one before what it counts, or where it stands free: a single sign on both sides ("三と五"), a
    /// longer one before a particle or a sign.
    pub(super) fn counts(&self, at: usize, end: usize) -> bool {
        let (Some(lexicon), Some((numeral, _))) = (&self.grammar.unspaced, self.numeral(at)) else {
            return true;
        };
        if self.is_number(at) || numeral != end {
            return true;
        }
        let spec = lexicon.spec;
        let signs = end - at;
        if signs == 1 && self.word(at) == spec.article {
            return false;
        }
        if (self.glued(end) || spec.spaced) && self.counter(lexicon, end) {
            return true;
        }
        let free = |glued: bool, at: usize| {
            !glued || self.kind(at) == Some(TokenKind::Symbol) || lexicon.is_particle(self.id(at))
        };
        let behind = self.kind(end).is_none() || free(self.glued(end), end);
        let before = at
            .checked_sub(1)
            .is_none_or(|before| free(self.glued(at), before) || self.word(before).starts_with(is_hiragana));
        if spec.spaced {
            // "이천" is also a town, "하나" nothing but a number.
            let listed = self.piece(at).is_some_and(|piece| piece.id != UNKNOWN);
            return signs > if listed { 1 } else { 2 };
        }
        behind && (before || signs > 1)
    }

    /// Whether a time may end before a position, where it ends in a bare number: not in
    /// "三点二十个".
    pub(super) fn counts_nothing(&self, end: usize) -> bool {
        let numeral = |at: usize| self.is_number(at) || self.piece(at).is_some_and(|p| p.value.is_some());
        let counter = self.piece(end).is_some_and(|piece| piece.counter) && self.glued(end);
        !(counter && end.checked_sub(1).is_some_and(numeral))
    }

    /// A month that is written as a number: "3月".
    pub(super) fn numbered_month(&self, at: usize) -> Option<(usize, i32)> {
        let lexicon = self.grammar.unspaced.as_ref()?;
        let (end, month) = self.numeral(at).or_else(|| {
            let (month, 1..=2) = self.digits(at)? else {
                return None;
            };
            Some((at + 1, f64::from(month)))
        })?;
        let named = self.id(end) == lexicon.month && self.next(end) == end + 1 && self.glued(end);
        (named && month.fract() == 0.0 && (1.0..=12.0).contains(&month)).then_some((end + 1, month as i32))
    }

    /// A year of an era: "令和8".
    pub(super) fn year_of_era(&self, at: usize) -> Option<(usize, i32)> {
        let lexicon = self.grammar.unspaced.as_ref()?;
        let before = self.entry(at).era?;
        let next = self.next(at);
        if self.word(next) == lexicon.spec.first_year {
            return Some((next + 1, before + 1));
        }
        let (end, year) = match self.digits(next) {
            Some((year, 1..=3)) => (next + 1, year),
            _ => self.numeral(next).map(|(end, year)| (end, year as i32))?,
        };
        (1..200).contains(&year).then_some((end, before + year))
    }

    /// Whether what stands at a position makes a date of the "3/4" before it.
    pub(super) fn dated_behind(&self, at: usize) -> bool {
        let Some(lexicon) = &self.grammar.unspaced else {
            return false;
        };
        let rest = self.rest(at);
        lexicon.spec.behind_date.iter().any(|word| rest.starts_with(word))
    }

    /// The position behind a weekday in brackets: "5日(木)", "11月30日（周一）".
    pub(super) fn noted_weekday(&self, at: usize) -> Option<usize> {
        let lexicon = self.grammar.unspaced.as_ref()?;
        let end = self.next(at + 1);
        let weekday =
            self.entry(at + 1).weekday.is_some() || lexicon.spec.weekday_signs.contains(&self.word(at + 1));
        (self.word(at) == "(" && weekday && self.word(end) == ")").then_some(end + 1)
    }

    /// Whether a day of the month that was read is rather so many days: "一日", "三日前".
    pub(super) fn spans_days(&self, at: usize, end: usize) -> bool {
        let Some(lexicon) = &self.grammar.unspaced else {
            return false;
        };
        let spec = lexicon.spec;
        end == at + 2 && [self.word(at), self.word(at + 1)] == spec.one_day
            || (spec.spaced || self.glued(end))
                && spec.away.iter().any(|word| self.rest(end).starts_with(word))
    }

    /// Whether an hour that was read is rather "a bit": "快一点".
    pub(super) fn is_a_bit(&self, at: usize, end: usize) -> bool {
        let Some(lexicon) = &self.grammar.unspaced else {
            return false;
        };
        let spec = lexicon.spec;
        let said = end == at + 2 && [self.word(at), self.word(at + 1)] == spec.a_bit;
        said && self.glued(at)
            && at.checked_sub(1).is_some_and(|before| {
                // Behind a word of time, as in "下午一点", it is an hour.
                let timely = self.piece(before).is_some_and(|piece| piece.inside && !piece.ordinary);
                self.kind(before) == Some(TokenKind::Ideograph)
                    && !timely
                    && !spec.before_hour.contains(&self.word(before))
            })
    }
}
