//! What a vocabulary file states besides where words are not separated.
//!
//! The long lists hold several words in a string, with spaces between; `_` is a space in a word.

/// What is stated of a language that writes no spaces between words, or glues particles to them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unspaced {
    /// Whether it has spaces all the same: a reading begins where a word does, and ends there or
    /// before a particle.
    pub spaced: bool,
    /// Pairs: a character and the one that it is read as, the traditional before the simplified.
    pub variants: &'static [&'static str],
    /// Words that hold a numeral or a word of time but mean something else.
    pub ordinary: &'static [&'static str],
    /// Words of time that phrases hold and that are never cut otherwise: "明天气温" holds no "天气".
    pub whole: &'static [&'static str],
    /// What numbers count: a numeral before one of them is a number.
    pub counters: &'static [&'static str],
    /// Single characters beside which a numeral stands free, and with which no reading begins.
    pub particles: &'static [&'static str],
    /// What may be glued behind a reading up to the next space, where there are spaces.
    pub endings: &'static [&'static str],
    /// The only words that a numeral of one sign counts, if not all.
    pub lone_before: &'static [&'static str],
    /// A numeral that is an article when it stands alone: it is no number.
    pub article: &'static str,
    /// Whether "two hundred five" is 250.
    pub trailing_tens: bool,
    /// What makes a year, a month, a day of a number.
    pub year: &'static str,
    pub month: &'static str,
    pub day: &'static [&'static str],
    /// A day of the month that is rather so long when it stands alone: "一日".
    pub one_day: [&'static str; 2],
    /// An hour that is rather "a bit" ("一点"), and what may be glued before it where it is an hour.
    pub a_bit: [&'static str; 2],
    pub before_hour: &'static [&'static str],
    /// Between a whole number and its decimals, and if not everywhere, behind what.
    pub point: &'static str,
    pub point_after: &'static str,
    /// Between the parts of a fraction: "3分の1" is no three minutes.
    pub fraction: [&'static str; 2],
    /// Single characters that name weekdays in brackets: "5日(木)".
    pub weekday_signs: &'static [&'static str],
    /// What makes a date of "3/4" behind it.
    pub behind_date: &'static [&'static str],
    /// Calendars that are not read.
    pub calendars: &'static [&'static str],
    /// Eras, with the year before their first.
    pub eras: &'static [(&'static str, i32)],
    /// The first year of an era.
    pub first_year: &'static str,
    /// Between a part of the day and a time.
    pub part_links: &'static [&'static str],
    /// What makes a distance in time of days before it: "三日前".
    pub away: &'static [&'static str],
    /// Whether mobile numbers are eleven digits from 13 to 19.
    pub mobile: bool,
}

impl Unspaced {
    /// Nothing stated.
    pub(super) const NONE: Self = Self {
        spaced: false,
        variants: &[],
        ordinary: &[],
        whole: &[],
        counters: &[],
        particles: &[],
        endings: &[],
        lone_before: &[],
        article: "",
        trailing_tens: false,
        year: "",
        month: "",
        day: &[],
        one_day: [""; 2],
        a_bit: [""; 2],
        before_hour: &[],
        point: "",
        point_after: "",
        fraction: [""; 2],
        weekday_signs: &[],
        behind_date: &[],
        calendars: &[],
        eras: &[],
        first_year: "",
        part_links: &[],
        away: &[],
        mobile: false,
    };
}
