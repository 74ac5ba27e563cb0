//! What a language's vocabulary file states: words, how numbers are put together, and the
//! phrases of dates and times. The engine that reads them is the same for all languages.

use jiff::civil::Weekday;

pub(super) use super::guard::{Guard, Sense, When};
pub(super) use super::script::Unspaced;
use super::tense::Tense;

/// A stretch of time in which people do things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// 6 to 12.
    Morning,
    /// 12 to 18.
    Afternoon,
    /// Midnight to 6.
    Dawn,
    /// 11 to 14.
    Noon,
    /// 18 to midnight.
    Evening,
    /// 22 to 6 of the next day.
    Night,
    /// "am": 0 to 12. Names half a clock, not a stretch of the day.
    Am,
    /// "pm".
    Pm,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Which of several days or months of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The one that comes, today excluded.
    Coming,
    /// The one that comes, today included.
    This,
    /// The one of next week.
    OfNextWeek,
    /// The one before today.
    Last,
}

/// What a phrase means, in terms of what its slots captured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Op {
    /// A part of the day.
    Part(Part),
    /// A fixed time of day.
    At(i8, i8),
    /// `{hour}` and so many minutes, on a clock of twelve hours.
    Hour(i32),
    /// `{hour}` on a clock of 24 hours: 5 is five in the morning.
    Hour24(i32),
    /// As [`Op::Hour24`], but only where the hour is above twelve: "15 h" without "at".
    HourBig,
    /// `{hour}`, where nothing follows that it could count: "at 5", not "at 5 main street".
    HourBare,
    /// `{minute}` past or before `{hour}`, on a clock of twelve hours.
    Minutes(i32),
    /// `{hour}` `{minute}`, as said.
    HourMinute,
    /// `{minute}` past or before a fixed hour.
    MinutesOf(i32, i32),
    /// `{hour}`, `{hour}` `{minute}` or `{time}`, only with a part of the day behind.
    HourParted,
    HourMinuteParted,
    TimeParted,
    /// `{minute}` before or past half past, before `{hour}`: "fünf vor halb drei".
    AroundHalf(i32),
    /// A fixed hour and minute on a clock of twelve hours: "डेढ़ बजे".
    At12(i32, i32),
    /// The same for a whole hour, where nothing follows that it could count: "в час".
    HourOf(i32),
    /// `{hour}` in a part of the day that the phrase names.
    HourIn(Part),
    /// `{hour}` where a clause ends behind it, and never with a part of the day: "на 3 дня" is three days.
    HourAlone,
    /// As [`Op::Minutes`], where the words leave no doubt: any minute.
    MinutesSure(i32),
    /// `{minute}` of the hour that ends at `{hour}`: "десять минут пятого".
    MinutesInto,
    /// `{time}` as it was read.
    Time,
    /// So many days from today.
    Day(i64),
    /// So many days from today, or before today where the sentence speaks of the past: "कल".
    DayByTense(i64),
    /// Today, in the evening.
    Tonight,
    /// Today, in the night that ends tomorrow.
    ThisNight,
    /// Today, in a part of it.
    TodayPart(Part),
    /// So many days from today, in a part of that day.
    DayPart(i64, Part),
    /// `{weekday}`.
    Weekday(Which),
    /// `{weekday}` of the week so many weeks from this.
    WeekdayOfWeek(i64),
    /// `{weekday}` so many weeks after the coming one.
    WeekdayPlus(i64),
    /// `{dur}`, one `{unit}` or both, from now or before now.
    From(i32),
    /// `{day}` `{month}` and maybe `{year}`.
    Calendar,
    /// `{weekday}` that is the `{day}` of its month, where nothing follows that could be counted.
    WeekdayDay,
    /// `{day}` of this month or the next that has it.
    DayOfMonth,
    /// As [`Op::DayOfMonth`], where nothing follows that could be the "second" of something.
    DayOfMonthBare,
    /// `{day}` of the month so many months from this.
    DayOf(i64),
    /// `{day}` `{month}` of the year so many years from this.
    CalendarOf(i64),
    /// The `{day}`th `{weekday}` of `{month}`, or of the month so many months from this.
    NthWeekdayOf(i64),
    /// A day of every year.
    Feast(i8, i8),
    /// The first or last day of the month so many months from this.
    MonthStart(i64),
    MonthEnd(i64),
    /// The last day of the year so many years from this.
    YearEnd(i64),
    /// The week, weekend, month or year so many from this.
    Week(i64),
    Weekend(i64),
    Month(i64),
    Year(i64),
    /// `{month}` and maybe `{year}`, from its first day to its last.
    NamedMonth(Which),
    /// `{month}` of the year so many years from this.
    MonthOf(i64),
    /// `{year}`.
    NamedYear,
    /// So much time from now on, or up to now.
    Span(i32),
    /// `{n}` of `{unit}` from now on, or up to now.
    SpanOf(i32),
    /// From `{edge}` to `{edge}`.
    Between,
    /// The same, where the words between also have other meanings: both ends must be sure.
    BetweenSure,
    /// The same, where the words between make hours of numbers: "dalle 3 alle 5".
    BetweenHours,
    /// As [`Op::BetweenHours`], but numbers are hours only where nothing follows that they could count.
    BetweenBare,
    /// From `{day}` to `{day}` of `{month}`.
    Days,
    /// Every `{unit}`, or every `{n}` of them.
    Every,
    /// Every such unit.
    Each(Unit),
    /// Every so many of such a unit.
    EachOf(i32, Unit),
    /// Every so many of `{unit}`.
    EveryOther(i32),
    /// Every other day, said as such.
    Alternate,
    /// Every `{weekdays}`.
    EveryWeekdays,
    /// Every second `{weekdays}`.
    EveryOtherWeekdays,
    /// Monday to Friday.
    Workdays,
    /// Saturday and Sunday.
    Weekends,
    /// The `{day}`th `{weekday}` of every month.
    NthWeekday,
    /// Every month on the `{day}`.
    MonthDay,
    /// Every year on `{day}` `{month}`.
    YearDay,
    /// Every day, in a part of it, if a time follows; what it adds to that.
    Daily(Part),
    /// So much of `{unit}`.
    Amount(f64),
    /// `{n}` and a half of a unit that the phrase names.
    AndHalf(Unit),
    /// So many minutes.
    Fixed(i64),
    /// One `{unit}` and `{dur}`.
    OneAnd,
    /// `{n}` or one, times so many, as a number: "two dozen".
    Times(f64),
    /// `{n}` and a fraction.
    Plus(f64),
    /// `{n}` and `{n2}` parts of so many.
    Parts(f64),
    /// `{n}` of the kind.
    Percent,
    /// `{n}` times so many of a hundred.
    PercentOf(f64),
    /// `{n}` as an ordinal.
    Ordinal,
    /// `{n}` of `{currency}`, and `{n2}` hundredths.
    Money,
    /// `{n}` of a currency, divided by so many.
    MoneyOf(&'static str, f64),
    /// `{n}` of a currency, where nothing follows that it could count.
    MoneyAlone(&'static str),
    /// `{n}` of a currency, and `{n2}` tenths.
    MoneyTenths(&'static str),
    Temperature(&'static str),
    /// The same below zero.
    Frost(&'static str),
    /// `{n}` of `{measure}`.
    Distance,
}

/// Which reading a phrase belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Part,
    Duration,
    Time,
    /// Phrases that are times only at the end of an interval: "5" in "from 3 to 5".
    Edge,
    Date,
    Interval,
    Recurrence,
    Quantity,
}

/// Phrases: words, `(a|b)` choices, `[optional]` parts and `{slots}`.
pub(super) type Rules = &'static [(&'static str, Op)];

/// The vocabulary of a language. Words of one meaning may stand in one string, with spaces between.
// The flags are independent of each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(super) struct Tongue {
    /// Letters that are typed for another, and that one, or nothing when they are left out.
    pub spellings: &'static [(&'static str, &'static str)],
    /// Letters that are words of their own, written in front of the next: "و" in "والنصف".
    pub prefixes: &'static [&'static str],
    /// Words that only look as if they began with one of these.
    pub whole: &'static [&'static str],
    /// Words and endings that tell the tense of a clause.
    pub tenses: &'static [(&'static str, Tense)],
    pub tense_endings: &'static [(&'static str, Tense)],
    /// The sign before decimals, and the one between thousands.
    pub decimal: &'static str,
    pub thousands: &'static str,
    /// Whether 3/4 is the fourth of March.
    pub month_first: bool,
    /// Number words up to 900 and scales from 1000.
    pub numbers: &'static [(&'static str, f64)],
    /// How numbers from 1 to 999 are written as one word, if they are.
    pub written: Option<fn(u32) -> Vec<String>>,
    /// Thousand inside a word.
    pub thousand_inside: &'static [&'static str],
    /// What stands between tens and units, hundreds and the rest, thousands and the rest.
    pub tens_links: &'static [&'static str],
    pub hundreds_links: &'static [&'static str],
    pub scale_links: &'static [&'static str],
    /// Whether "hundred" and "thousand" stand alone for 100 and 1000.
    pub bare_scales: bool,
    /// The same of the larger scales.
    pub bare_millions: bool,
    /// 70 is 60 + 10, 80 is 4 × 20.
    pub vigesimal: bool,
    /// "Five and twenty", "five ten" for 15.
    pub units_first: bool,
    /// Words that change the number behind them: "साढ़े तीन" is three and a half.
    pub shifts: &'static [(&'static str, f64)],
    /// Words between whole and decimals.
    pub point: &'static [&'static str],
    pub minus: &'static [&'static str],
    /// Words that count as one in front of a unit but alone are no numbers.
    pub ones: &'static [&'static str],
    /// "and a half", behind a number or a unit.
    pub and_half: &'static [&'static str],
    /// Between the parts of a duration.
    pub and: &'static [&'static str],
    pub ordinals: &'static [(&'static str, u32)],
    /// Letters glued to digits that make them an ordinal.
    pub ordinal_suffixes: &'static [&'static str],
    /// Whether "3." is one, and the words before which it is so outside a date.
    pub ordinal_dot: &'static [&'static str],
    /// Monday first.
    pub weekdays: &'static [(&'static str, Weekday)],
    /// Weekdays as every one of them: "mondays", "montags".
    pub plurals: &'static [(&'static str, Weekday)],
    /// Parts of the day that are written behind a weekday as one word: "Montagmorgen".
    pub day_parts: &'static [(&'static str, Part)],
    /// A word that may follow a weekday: "segunda-feira".
    pub weekday_tail: &'static str,
    pub months: &'static [(&'static str, i32)],
    /// Months of several words.
    pub long_months: &'static [(&'static str, i32)],
    pub units: &'static [(&'static str, Unit)],
    /// Two of a unit as one word.
    pub duals: &'static [(&'static str, Unit)],
    /// Units of a letter or two, read only right behind digits.
    pub glued_units: &'static [(&'static str, Unit)],
    pub measures: &'static [(&'static str, &'static str)],
    pub currencies: &'static [(&'static str, &'static str)],
    /// Between a date and a time of day.
    pub moment_links: &'static [&'static str],
    /// Words behind which "two days before" counts from what they say, not from now.
    pub anchors: &'static [&'static str],
    /// Words behind which "3/4" is a date.
    pub before_date: &'static [&'static str],
    /// What may follow a bare hour.
    pub clause: &'static [&'static str],
    pub guards: &'static [Guard],
    pub rules: &'static [(Section, Rules)],
    /// What a language states besides that writes no spaces between words.
    pub unspaced: Option<&'static Unspaced>,
}

impl Tongue {
    /// A language without words of its own.
    pub(super) const NEUTRAL: Self = Self {
        spellings: &[],
        prefixes: &[],
        whole: &[],
        tenses: &[],
        tense_endings: &[],
        decimal: ".",
        thousands: ",",
        month_first: false,
        numbers: &[],
        written: None,
        thousand_inside: &[],
        tens_links: &[],
        hundreds_links: &[],
        scale_links: &[],
        bare_scales: true,
        bare_millions: false,
        vigesimal: false,
        units_first: false,
        shifts: &[],
        point: &[],
        minus: &[],
        ones: &[],
        and_half: &[],
        and: &[],
        ordinals: &[],
        ordinal_suffixes: &[],
        ordinal_dot: &[],
        weekdays: &[],
        plurals: &[],
        day_parts: &[],
        weekday_tail: "",
        months: &[],
        long_months: &[],
        units: &[],
        duals: &[],
        glued_units: &[],
        measures: &[],
        currencies: &[],
        moment_links: &[","],
        anchors: &[],
        before_date: &[],
        clause: &[],
        guards: &[],
        rules: &[],
        unspaced: None,
    };
}
