//! Which of the languages that a model knows a text is in.
//!
//! The script decides first: it is certain and needs one character. Between languages of one
//! script, statistics of the language (`whatlang`) are weighed by the length of the text, since
//! they say little on "ok" or "stop"; how familiar the words are to each language's examples
//! says the rest.

use whatlang::{Detector, Lang, Script};

/// As much of a text as identification looks at.
const MAX_CHARS: usize = 300;
/// From this many letters on statistics count in full.
const ENOUGH: f32 = 60.0;

/// A language that a text may be in: index among the known ones, and the weight of evidence, 0..=1.
pub(crate) type Likely = (usize, f32);

/// The known languages that the script of the text allows, none when it allows none.
pub(crate) fn likely(original: &str, known: &[&str]) -> Vec<Likely> {
    let cut = original.char_indices().nth(MAX_CHARS).map_or(original.len(), |(at, _)| at);
    let seen = original.get(..cut).unwrap_or_default();
    let Some(script) = whatlang::detect_script(seen) else {
        // Digits and symbols are of no language in particular.
        return (0..known.len()).map(|index| (index, 0.0)).collect();
    };
    let mut likely: Vec<Likely> = known
        .iter()
        .enumerate()
        .filter(|(_, language)| writes(language, script))
        .map(|(index, _)| (index, 0.0))
        .collect();
    if likely.len() > 1 {
        weigh(seen, known, &mut likely);
    }
    likely
}

fn weigh(seen: &str, known: &[&str], likely: &mut [Likely]) {
    let kana = seen.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}'));
    let codes: Vec<Lang> =
        likely.iter().filter_map(|(index, _)| known.get(*index).and_then(|tag| code(tag))).collect();
    let Some(info) = Detector::with_allowlist(codes).detect(seen) else {
        return;
    };
    let letters = seen.chars().filter(|c| c.is_alphabetic()).count() as f32;
    for (index, weight) in likely {
        let lang = known.get(*index).and_then(|tag| code(tag));
        if lang == Some(Lang::Jpn) && kana {
            *weight = 1.0;
        } else if lang == Some(info.lang()) && !kana {
            *weight = (letters / ENOUGH).min(1.0) * info.confidence() as f32;
        }
    }
}

/// Whether a language is written in a script.
fn writes(language: &str, script: Script) -> bool {
    use Script::{
        Arabic, Armenian, Bengali, Cyrillic, Devanagari, Ethiopic, Georgian, Greek, Gujarati, Gurmukhi,
        Hangul, Hebrew, Hiragana, Kannada, Katakana, Khmer, Latin, Malayalam, Mandarin, Myanmar, Oriya,
        Sinhala, Tamil, Telugu, Thai,
    };
    let scripts: &[Script] = match language {
        "ar" | "fa" | "ps" | "ckb" | "sd" | "ug" => &[Arabic],
        // Also written in Latin letters in chat.
        "ur" => &[Arabic, Latin],
        "hi" | "mr" | "ne" => &[Devanagari, Latin],
        "ru" | "uk" | "bg" | "mk" | "be" | "kk" | "ky" | "mn" => &[Cyrillic],
        "sr" => &[Cyrillic, Latin],
        "ja" => &[Hiragana, Katakana, Mandarin],
        "zh" | "yue" => &[Mandarin],
        "ko" => &[Hangul],
        "el" => &[Greek],
        "he" | "yi" => &[Hebrew],
        "hy" => &[Armenian],
        "ka" => &[Georgian],
        "am" | "ti" => &[Ethiopic],
        "bn" | "as" => &[Bengali],
        "gu" => &[Gujarati],
        "pa" => &[Gurmukhi, Arabic],
        "kn" => &[Kannada],
        "ml" => &[Malayalam],
        "or" => &[Oriya],
        "si" => &[Sinhala],
        "ta" => &[Tamil],
        "te" => &[Telugu],
        "th" => &[Thai],
        "km" => &[Khmer],
        "my" => &[Myanmar],
        _ => &[Latin],
    };
    scripts.contains(&script)
}

fn code(language: &str) -> Option<Lang> {
    let code = match language {
        "en" => "eng",
        "es" => "spa",
        "fr" => "fra",
        "de" => "deu",
        "it" => "ita",
        "pt" => "por",
        "ru" => "rus",
        "ja" => "jpn",
        "ko" => "kor",
        "zh" => "cmn",
        "ar" => "ara",
        "hi" => "hin",
        "ur" => "urd",
        "nl" => "nld",
        "pl" => "pol",
        "uk" => "ukr",
        "tr" => "tur",
        "sv" => "swe",
        "da" => "dan",
        "fi" => "fin",
        "no" | "nb" => "nob",
        "cs" => "ces",
        "sk" => "slk",
        "el" => "ell",
        "he" => "heb",
        "fa" => "pes",
        "bn" => "ben",
        "vi" => "vie",
        "id" => "ind",
        "th" => "tha",
        "ro" => "ron",
        "hu" => "hun",
        "bg" => "bul",
        "hr" => "hrv",
        "sr" => "srp",
        "sl" => "slv",
        "ca" => "cat",
        "et" => "est",
        "lv" => "lav",
        "lt" => "lit",
        "mr" => "mar",
        "ne" => "nep",
        "ta" => "tam",
        "te" => "tel",
        "af" => "afr",
        "la" => "lat",
        other => other,
    };
    Lang::from_code(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(original: &str, known: &[&'static str]) -> Option<&'static str> {
        likely(original, known)
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .and_then(|(index, _)| known.get(index).copied())
    }

    #[test]
    fn the_script_alone_can_decide() {
        let known = ["en", "ja", "ko", "ru", "zh"];
        assert_eq!(best("こんにちは", &known), Some("ja"));
        assert_eq!(best("안녕", &["en", "ko"]), Some("ko"));
        assert_eq!(best("привет", &known), Some("ru"));
    }

    #[test]
    fn a_script_of_no_known_language_allows_none() {
        assert!(likely("привет", &["en", "de"]).is_empty());
    }

    #[test]
    fn sentences_of_one_script_are_told_apart() {
        let known = ["de", "en", "es", "fr"];
        assert_eq!(best("wann ist meine nächste Hausaufgabe fällig, bitte sag es mir", &known), Some("de"));
        assert_eq!(best("the weather is nice and i would like to go outside with them", &known), Some("en"));
        assert_eq!(best("quand dois-je rendre mon prochain devoir de physique", &known), Some("fr"));
    }
}
