//! Language tags, as clients and configuration write them.

/// The longest tag: what RFC 5646 §4.4.1 asks implementations to have room for.
const LONGEST: usize = 35;

/// Whether `text` has the shape of a language tag (RFC 5646 §2.1), in whatever case: a language of two or
/// three letters, then subtags. Not whether anybody speaks it.
pub fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    text.len() <= LONGEST
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_by_its_shape() {
        for tag in ["en", "EN", "ckb", "pt-BR", "PT-br", "zh-Hans-CN", "de-CH-1996", "sl-rozaj-biske-1994"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in [
            "",
            "e",
            "english",
            "en-",
            "-en",
            "en--GB",
            "en_GB",
            "e1",
            "dé",
            "en-toolongsubtag",
            "en GB",
            "en-\0",
            "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd",
        ] {
            assert!(!is_language_tag(tag), "{tag:?}");
        }
    }
}
