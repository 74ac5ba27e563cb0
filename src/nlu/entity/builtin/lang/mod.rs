//! The languages whose words are known, one vocabulary file each.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod hi;
mod it;
mod ja;
mod ko;
pub(super) mod neutral;
mod pt;
mod ru;
mod ur;
mod zh;

use std::sync::LazyLock;

use super::grammar::Grammar;
use super::tongue::Tongue;

/// A language to read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Any language without a file of its own: digits and signs.
    Other,
    Arabic,
    German,
    English,
    Spanish,
    French,
    Hindi,
    Italian,
    Portuguese,
    Japanese,
    Korean,
    Chinese,
    Russian,
    Urdu,
}

static OTHER: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&Tongue::NEUTRAL));
static ARABIC: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&ar::ARABIC));
static GERMAN: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&de::GERMAN));
static ENGLISH: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&en::ENGLISH));
static SPANISH: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&es::SPANISH));
static FRENCH: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&fr::FRENCH));
static HINDI: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&hi::HINDI));
static ITALIAN: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&it::ITALIAN));
static PORTUGUESE: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&pt::PORTUGUESE));
static JAPANESE: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&ja::JAPANESE));
static KOREAN: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&ko::KOREAN));
static CHINESE: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&zh::CHINESE));
static RUSSIAN: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&ru::RUSSIAN));
static URDU: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&ur::URDU));

impl Language {
    /// The language of a BCP-47 primary tag.
    pub(crate) fn of(tag: &str) -> Self {
        match tag {
            "ar" => Self::Arabic,
            "de" => Self::German,
            "en" => Self::English,
            "es" => Self::Spanish,
            "fr" => Self::French,
            "hi" => Self::Hindi,
            "it" => Self::Italian,
            "pt" => Self::Portuguese,
            "ja" => Self::Japanese,
            "ko" => Self::Korean,
            "zh" => Self::Chinese,
            "ru" => Self::Russian,
            "ur" => Self::Urdu,
            _ => Self::Other,
        }
    }

    pub(super) fn grammar(self) -> &'static Grammar {
        match self {
            Self::Other => &OTHER,
            Self::Arabic => &ARABIC,
            Self::German => &GERMAN,
            Self::English => &ENGLISH,
            Self::Spanish => &SPANISH,
            Self::French => &FRENCH,
            Self::Hindi => &HINDI,
            Self::Italian => &ITALIAN,
            Self::Portuguese => &PORTUGUESE,
            Self::Japanese => &JAPANESE,
            Self::Korean => &KOREAN,
            Self::Chinese => &CHINESE,
            Self::Russian => &RUSSIAN,
            Self::Urdu => &URDU,
        }
    }
}
