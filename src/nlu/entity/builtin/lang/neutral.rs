//! What is read in every language: digits with signs, symbols and international abbreviations.

use crate::nlu::entity::builtin::tongue::{Op, Rules, Section, Unit};

pub(in crate::nlu::entity::builtin) const GLUED_UNITS: &[(&str, Unit)] =
    &[("s", Unit::Second), ("min", Unit::Minute), ("h", Unit::Hour)];

pub(in crate::nlu::entity::builtin) const MEASURES: &[(&str, &str)] =
    &[("km", "kilometre"), ("m", "metre"), ("cm", "centimetre"), ("mm", "millimetre")];

/// Signs and ISO 4217 codes. Codes that are words of a language are left out.
pub(in crate::nlu::entity::builtin) const CURRENCIES: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("$", "USD"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("₹", "INR"),
    ("₽", "RUB"),
    ("₩", "KRW"),
    ("₺", "TRY"),
    ("₴", "UAH"),
    ("eur", "EUR"),
    ("usd", "USD"),
    ("gbp", "GBP"),
    ("jpy", "JPY"),
    ("chf", "CHF"),
    ("brl", "BRL"),
    ("inr", "INR"),
    ("cny", "CNY"),
    ("cad", "CAD"),
    ("aud", "AUD"),
    ("mxn", "MXN"),
    ("pkr", "PKR"),
    ("rub", "RUB"),
];

pub(in crate::nlu::entity::builtin) const RULES: &[(Section, Rules)] = &[
    (Section::Time, &[("{clock}", Op::Time)]),
    (Section::Interval, &[("{edge} (-|–) {edge}", Op::Between)]),
    (
        Section::Quantity,
        &[
            ("{n} %", Op::Percent),
            ("{n} {currency}", Op::Money),
            ("{currency} {n}", Op::Money),
            ("r $ {n}", Op::MoneyOf("BRL", 1.0)),
            ("us $ {n}", Op::MoneyOf("USD", 1.0)),
            ("{n} °", Op::Temperature("degree")),
            ("{n} ° c", Op::Temperature("celsius")),
            ("{n} ° f", Op::Temperature("fahrenheit")),
            ("{n} {measure}", Op::Distance),
        ],
    ),
];
