//! What is found in sentences, a table per language.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod hi;
mod it;
mod ja;
mod ko;
mod pt;
mod ru;
mod unspaced;
mod ur;
mod zh;

use proptest::prelude::*;

use super::*;
use crate::nlu::text::code_points;
use crate::nlu::types::Entity;

/// A Monday; Berlin has winter time.
const NOW: &str = "2026-11-23T10:00:00+01:00[Europe/Berlin]";

/// A sentence, and all that is found in it as `type:text=value`; an interval is written `from..to`,
/// other values of two parts `10 EUR`.
type Row = (&'static str, &'static [&'static str]);

fn entities(original: &str, language: &str, now: &str) -> (Vec<Entity>, bool) {
    let now: Zoned = now.parse().unwrap();
    let text = Text::new(original);
    let mut candidates = Vec::new();
    find(&text, Clock { now: &now, language: Language::of(language) }, &mut candidates);
    super::super::settle(original, &text, candidates)
}

fn shown(entity: &Entity) -> String {
    let part = |name: &str| match &entity.value[name] {
        Value::String(part) => part.clone(),
        part => part.to_string(),
    };
    let value = match entity.entity.as_str() {
        "interval" => format!("{}..{}", part("from"), part("to")),
        "money" => format!("{} {}", part("amount"), part("currency")),
        "temperature" | "distance" => format!("{} {}", part("value"), part("unit")),
        _ => match &entity.value {
            Value::String(value) => value.clone(),
            value => value.to_string(),
        },
    };
    format!("{}:{}={value}", entity.entity, entity.text)
}

/// Collects all rows that fail, so that one run shows them all.
fn check_at(language: &str, now: &str, rows: &[Row]) {
    let mut failed = Vec::new();
    for (sentence, wanted) in rows {
        let found: Vec<String> = entities(sentence, language, now).0.iter().map(shown).collect();
        if found != *wanted {
            failed.push(format!("{language} {sentence:?}\n  found  {found:?}\n  wanted {wanted:?}"));
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

fn check(language: &str, rows: &[Row]) {
    check_at(language, NOW, rows);
}

const LANGUAGES: [&str; 13] = ["en", "de", "es", "fr", "it", "pt", "ru", "ar", "hi", "ur", "ja", "ko", "zh"];

#[test]
fn every_phrase_of_every_language_is_well_formed() {
    for language in LANGUAGES {
        let grammar = Language::of(language).grammar();
        for (_, rules) in lang::neutral::RULES.iter().chain(grammar.tongue.rules) {
            for (pattern, _) in *rules {
                assert!(!rules::expand(pattern, &mut |_| vec![1]).is_empty(), "{language} {pattern}");
            }
        }
    }
}

#[test]
fn other_languages_read_digits_and_signs() {
    check(
        "th",
        &[
            (
                "drei one 7 um 15:30 am 2027-03-14, 3 %",
                &["number:7=7", "time:15:30=15:30:00", "date:2027-03-14=2027-03-14", "percentage:3 %=3"],
            ),
            (
                "в 18:45 и 2027-01-05T08:00",
                &["time:18:45=18:45:00", "datetime:2027-01-05T08:00=2027-01-05T08:00:00+01:00"],
            ),
            ("٣ دروس", &["number:٣=3"]),
            ("พรุ่งนี้ 15:00 5 km", &["time:15:00=15:00:00", "distance:5 km=5 kilometre"]),
            ("по 20 € и 5 °C", &["money:20 €=20 EUR", "temperature:5 °C=5 celsius"]),
            ("+49 30 1234567", &["phone:+49 30 1234567=+49301234567"]),
            ("14.03.2027", &["date:14.03.2027=2027-03-14"]),
        ],
    );
}

#[test]
fn addresses_keep_their_case() {
    check(
        "en",
        &[
            (
                "mail Ann.Lee@School.edu today",
                &["email:Ann.Lee@School.edu=Ann.Lee@School.edu", "date:today=2026-11-23"],
            ),
            ("open https://x.org/3?a=4", &["url:https://x.org/3?a=4=https://x.org/3?a=4"]),
        ],
    );
}

#[test]
fn only_values_that_hang_on_the_clock_say_so() {
    let rows = [
        ("tomorrow", true),
        ("in ten minutes", true),
        ("next week", true),
        ("on monday from 3 to 5 pm", true),
        ("14 march 2027 at noon", false),
        ("from 3 to 5 pm", false),
        ("every monday at 9", false),
        ("three", false),
        ("in 2027", false),
    ];
    for (sentence, dependent) in rows {
        assert_eq!(entities(sentence, "en", NOW).1, dependent, "{sentence}");
    }
}

/// Words that begin and join phrases, to reach deep into the grammar.
const PIECES: [&str; 78] = [
    "from",
    "to",
    "between",
    "and",
    "3",
    "31",
    "59",
    "999999999",
    "-",
    ":",
    "30",
    ".",
    ",",
    "%",
    "€",
    "monday",
    "february",
    "29",
    "next",
    "in",
    "weeks",
    "half",
    "past",
    "every",
    "von",
    "bis",
    "halb",
    "drei",
    "viertel",
    "vor",
    "hundert",
    "tausend",
    "le",
    "dernier",
    "quatre",
    "vingt",
    "de",
    "la",
    "tarde",
    "y",
    "mil",
    "e",
    "mezza",
    "às",
    "segunda",
    "million",
    "9999",
    "+",
    "через",
    "половине",
    "третьего",
    "с",
    "до",
    "пол",
    "часа",
    "الساعة",
    "الثانية",
    "عشرة",
    "و",
    "النصف",
    "كل",
    "إلا",
    "بعد",
    "لل",
    "ألفين",
    "कल",
    "साढ़े",
    "तीन",
    "बजे",
    "से",
    "लाख",
    "था",
    "۵",
    "ہر",
    "پونے",
    "تک",
    "ہفتے",
    "کو",
];

proptest! {
    #[test]
    fn whatever_is_said_offsets_fit(original in any::<String>(), language in 0..LANGUAGES.len()) {
        fits(&original, LANGUAGES[language])?;
    }

    #[test]
    fn whatever_is_put_together_offsets_fit(
        pieces in prop::collection::vec(0..PIECES.len(), 0..40),
        space in any::<bool>(),
        language in 0..LANGUAGES.len(),
    ) {
        let words: Vec<&str> = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        fits(&words.join(if space { " " } else { "" }), LANGUAGES[language])?;
    }
}

fn fits(original: &str, language: &str) -> Result<(), TestCaseError> {
    for now in [NOW, "9999-12-30T20:00:00+00:00[UTC]", "-009998-01-05T00:00:00+00:00[UTC]"] {
        let mut last = 0;
        for entity in entities(original, language, now).0 {
            prop_assert!(last <= entity.start && entity.start < entity.end);
            prop_assert_eq!(code_points(original, entity.start, entity.end).into_owned(), entity.text);
            last = entity.end;
        }
    }
    Ok(())
}

#[test]
fn long_texts_take_bounded_time() {
    // Far more than a busy machine needs for linear work, far less than for quadratic.
    for text in [
        "from 3 to ".repeat(10_000),
        "one hundred and ".repeat(6_000),
        "every monday and ".repeat(6_000),
        "1,111".repeat(20_000),
        "in 2 hours and 3 ".repeat(6_000),
        "a@".repeat(50_000),
        "с 3 до пяти часов ".repeat(6_000),
        "الساعة الثانية عشرة والنصف و".repeat(5_000),
        "والثلاثاء".repeat(10_000),
        "कल साढ़े तीन बजे से ".repeat(6_000),
        "ہر پیر کو پونے دو ".repeat(6_000),
    ] {
        for language in LANGUAGES {
            let start = std::time::Instant::now();
            entities(&text, language, NOW);
            assert!(start.elapsed().as_secs() < 2, "{language} {text:.20}");
        }
    }
}
