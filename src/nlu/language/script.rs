//! Which scripts a text is written in, and how much of it in each.

use whatlang::Script;

/// A letter of a script without an alphabet says as much as two or three.
const WHOLE_SYLLABLE: f32 = 2.5;
/// Latin letters count for less: brands, titles and abbreviations keep them in any script.
const OFTEN_BORROWED: f32 = 0.4;

/// How much each script of a text says.
pub(super) struct Letters(Vec<(Script, f32)>);

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        let mut letters: Vec<(Script, f32)> = Vec::new();
        for found in text.chars().filter_map(script) {
            let weight = match found {
                Script::Latin => OFTEN_BORROWED,
                Script::Mandarin | Script::Hangul => WHOLE_SYLLABLE,
                _ => 1.0,
            };
            match letters.iter_mut().find(|(known, _)| *known == found) {
                Some((_, sum)) => *sum += weight,
                None => letters.push((found, weight)),
            }
        }
        Self(letters)
    }

    /// What the scripts of a language say. Latin letters beside others are names in any language,
    /// also where it is written in them alone in chat.
    pub(super) fn written_in(&self, language: &str) -> f32 {
        let (mut own, mut latin) = (0.0, 0.0);
        for (script, weight) in self.0.iter().filter(|(script, _)| writes(language, *script)) {
            *(if *script == Script::Latin { &mut latin } else { &mut own }) += weight;
        }
        f32::max(own, latin)
    }

    /// What the script says that says the most.
    pub(super) fn of_one_script(&self) -> f32 {
        self.0.iter().map(|(_, weight)| *weight).fold(0.0, f32::max)
    }
}

/// The script of a letter, by the blocks of Unicode.
fn script(c: char) -> Option<Script> {
    let script = match u32::from(c) {
        0x41..=0x5a | 0x61..=0x7a => Script::Latin,
        0..=0xbf | 0xd7 | 0xf7 => return None,
        0xc0..=0x2af | 0x1e00..=0x1eff | 0xff21..=0xff3a | 0xff41..=0xff5a => Script::Latin,
        0x370..=0x3ff | 0x1f00..=0x1fff => Script::Greek,
        0x400..=0x52f => Script::Cyrillic,
        0x531..=0x58f => Script::Armenian,
        0x590..=0x5ff => Script::Hebrew,
        0x620..=0x64a | 0x66e..=0x6d3 | 0x750..=0x77f | 0x8a0..=0x8ff | 0xfb50..=0xfdff | 0xfe70..=0xfefc => {
            Script::Arabic
        }
        0x900..=0x963 | 0x971..=0x97f => Script::Devanagari,
        0x980..=0x9ff => Script::Bengali,
        0xa00..=0xa7f => Script::Gurmukhi,
        0xa80..=0xaff => Script::Gujarati,
        0xb00..=0xb7f => Script::Oriya,
        0xb80..=0xbff => Script::Tamil,
        0xc00..=0xc7f => Script::Telugu,
        0xc80..=0xcff => Script::Kannada,
        0xd00..=0xd7f => Script::Malayalam,
        0xd80..=0xdff => Script::Sinhala,
        0xe00..=0xe7f => Script::Thai,
        0x1000..=0x109f => Script::Myanmar,
        0x10a0..=0x10ff => Script::Georgian,
        0x1200..=0x139f => Script::Ethiopic,
        0x1780..=0x17ff => Script::Khmer,
        0x1100..=0x11ff | 0x3130..=0x318f | 0xac00..=0xd7af => Script::Hangul,
        0x3041..=0x309f => Script::Hiragana,
        0x30a1..=0x30ff | 0x31f0..=0x31ff | 0xff66..=0xff9f => Script::Katakana,
        0x3005..=0x3007 | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff => {
            Script::Mandarin
        }
        _ => return None,
    };
    Some(script)
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
