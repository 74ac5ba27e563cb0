//! Which of the languages that a model knows a text is in.
//!
//! The script decides first: it is certain and needs one character. Letters are
//! [weighed](script), since a sentence in any script may hold Latin names. Between languages of one
//! script, statistics of the language (`whatlang`) are weighed by the length of the text, since
//! they say little on "ok" or "stop"; how familiar the words are to each language's examples
//! says the rest.

mod script;

use whatlang::{Detector, Lang};

use script::Letters;

/// As much of a text as identification looks at.
const MAX_CHARS: usize = 300;
/// From this many letters on statistics count in full.
const ENOUGH: f32 = 60.0;

/// Of what the likeliest script has to say a language has to write at least this share.
const LEAST_SHARE: f32 = 0.6;

/// A language that a text may be in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likely {
    /// Its place among the known ones.
    pub index: usize,
    /// How much statistics speak for it, 0..=1.
    pub weight: f32,
    /// How much of the text it writes, against the language that writes the most of it; 0..=1.
    pub share: f32,
}

/// The known languages that the script of the text allows, none when it allows none.
pub(crate) fn likely(original: &str, known: &[&str]) -> Vec<Likely> {
    let cut = original.char_indices().nth(MAX_CHARS).map_or(original.len(), |(at, _)| at);
    let seen = original.get(..cut).unwrap_or_default();
    let letters = Letters::of(seen);
    let shares: Vec<f32> = known.iter().map(|language| letters.written_in(language)).collect();
    let most = shares.iter().copied().fold(letters.of_one_script(), f32::max);
    // Digits and symbols are of no language in particular.
    let share = |letters: f32| if most > 0.0 { letters / most } else { 1.0 };
    let mut likely: Vec<Likely> = shares
        .into_iter()
        .enumerate()
        .map(|(index, letters)| Likely { index, weight: 0.0, share: share(letters) })
        .filter(|likely| likely.share >= LEAST_SHARE)
        .collect();
    if likely.len() > 1 {
        weigh(seen, known, &mut likely);
    }
    likely
}

fn weigh(seen: &str, known: &[&str], likely: &mut [Likely]) {
    let kana = seen.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}'));
    let codes: Vec<Lang> =
        likely.iter().filter_map(|likely| known.get(likely.index).and_then(|tag| code(tag))).collect();
    let Some(info) = Detector::with_allowlist(codes).detect(seen) else {
        return;
    };
    let letters = seen.chars().filter(|c| c.is_alphabetic()).count() as f32;
    for Likely { index, weight, .. } in likely {
        let lang = known.get(*index).and_then(|tag| code(tag));
        if lang == Some(Lang::Jpn) && kana {
            *weight = 1.0;
        } else if lang == Some(info.lang()) && !kana {
            *weight = (letters / ENOUGH).min(1.0) * info.confidence() as f32;
        }
    }
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
            .max_by(|a, b| (a.share * (1.0 + a.weight)).total_cmp(&(b.share * (1.0 + b.weight))))
            .and_then(|likely| known.get(likely.index).copied())
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

    #[test]
    fn a_name_in_other_letters_does_not_make_another_language() {
        let known = ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "pt", "ru", "ur", "zh"];
        for (text, language) in [
            ("включи Spotify пожалуйста", "ru"),
            ("включи Spotify", "ru"),
            ("поставь Bohemian Rhapsody", "ru"),
            ("Spotifyを再生して", "ja"),
            ("Netflix開いて", "ja"),
            ("YouTubeでBTSの動画を見せて", "ja"),
            ("打开Netflix", "zh"),
            ("用Google Maps导航回家", "zh"),
            ("Spotify 틀어줘", "ko"),
            ("شغل Spotify من فضلك", "ar"),
            ("कृपया Spotify चलाओ", "hi"),
            ("براہ کرم Spotify چلائیں", "ur"),
            ("play the song Калинка for me please", "en"),
            ("what does 猫 mean in the japanese language", "en"),
            ("spiel mir bitte das neue Album von БИ-2 und nichts anderes", "de"),
        ] {
            assert_eq!(best(text, &known), Some(language), "{text}");
        }
    }

    #[test]
    fn a_name_alone_does_not_open_a_model_of_its_letters() {
        assert!(likely("включи Spotify пожалуйста", &["en", "de"]).is_empty());
        assert!(likely("打开Netflix", &["en"]).is_empty());
        assert_eq!(likely("3 + 4", &["en", "ru"]).len(), 2);
    }
}
