//! Letters as they are compared where a word is not spelled exactly: without the marks that people
//! leave out in haste, as their language lets them.

use unicode_normalization::UnicodeNormalization;

/// The letters of a normalised word, in a language given by its BCP 47 primary tag.
///
/// Marks go where their letter stays the same letter: "sao" is "são", "cafe" is "café". Where the
/// language counts the marked letter as one of its own it stays another letter, so that leaving out
/// the mark is a slip like any other: German "ä" is no "a", Swedish "å" is no "a", Spanish "ñ" is no
/// "n". German, Danish and Norwegian have a spelling for keyboards without those letters, which is
/// as good as the letter: "Muenchen" is "München".
pub(super) fn letters(word: &str, language: &str) -> Vec<char> {
    let mut letters = Vec::with_capacity(word.len());
    for c in word.chars() {
        if c.is_ascii() {
            letters.push(c);
        } else if let Some(pair) = keyboard(c, language) {
            letters.extend(pair.chars());
        } else if own(language).contains(c) {
            letters.push(c);
        } else {
            letters.extend(bare(c));
        }
    }
    letters
}

/// Two letters that stand for one, by convention.
fn keyboard(c: char, language: &str) -> Option<&'static str> {
    let pair = match (language, c) {
        ("de", 'ä') | ("da" | "no" | "nb" | "nn", 'æ') => "ae",
        ("de", 'ö') | ("da" | "no" | "nb" | "nn", 'ø') => "oe",
        ("de", 'ü') => "ue",
        ("da" | "no" | "nb" | "nn", 'å') => "aa",
        _ => return None,
    };
    Some(pair)
}

/// Marked letters that are letters of their own.
fn own(language: &str) -> &'static str {
    match language {
        "sv" | "fi" => "åäö",
        "et" => "äöüõ",
        "hu" => "öüőű",
        "tr" | "az" => "çğıöşü",
        "is" => "ðþæö",
        "es" | "gl" => "ñ",
        _ => "",
    }
}

/// A letter without its marks; nothing of what is only a mark.
fn bare(c: char) -> Option<char> {
    match c {
        'ł' => Some('l'),
        'đ' => Some('d'),
        'ø' => Some('o'),
        'ı' => Some('i'),
        // Vowels and points that Arabic and Hebrew may write and seldom do; the Arabic stretcher.
        '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '\u{591}'..='\u{5c7}' => None,
        'أ' | 'إ' | 'آ' | 'ٱ' => Some('ا'),
        'ё' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => c.nfd().next(),
        // Elsewhere a mark makes another letter.
        _ => Some(c),
    }
}

/// How many letters are to be changed, put in, left out or swapped with the next to make `a` of
/// `b`, if no more than `most` (optimal string alignment: Damerau's four slips, each letter once).
/// Takes time in proportion to the words and 4 to the power of `most`.
pub(super) fn edits(a: &[char], b: &[char], most: usize) -> Option<usize> {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same..)?, b.get(same..)?);
    let (Some((x, a_rest)), Some((y, b_rest))) = (a.split_first(), b.split_first()) else {
        let left = a.len() + b.len();
        return (left <= most).then_some(left);
    };
    let most = most.checked_sub(1)?;
    let swapped = match (a_rest.split_first(), b_rest.split_first()) {
        (Some((next_a, a)), Some((next_b, b))) if next_a == y && next_b == x => edits(a, b, most),
        _ => None,
    };
    let others = [edits(a_rest, b_rest, most), edits(a_rest, b, most), edits(a, b_rest, most)];
    others.into_iter().chain([swapped]).flatten().min().map(|edits| edits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(word: &str, language: &str) -> String {
        letters(word, language).into_iter().collect()
    }

    #[test]
    fn marks_go_as_the_language_lets_them() {
        for (language, word, bare) in [
            ("pt", "são", "sao"),
            ("fr", "élève", "eleve"),
            ("de", "münchen", "muenchen"),
            ("de", "café", "cafe"),
            ("sv", "åre", "åre"),
            ("da", "århus", "aarhus"),
            ("es", "logroño", "logroño"),
            ("es", "málaga", "malaga"),
            ("pl", "łódź", "lodz"),
            ("ru", "чёрный", "черный"),
            ("ar", "أَحْمَد", "احمد"),
            ("hi", "हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(spelled(word, language), bare, "{language}");
        }
    }

    #[test]
    fn slips_are_counted() {
        let count = |a: &str, b: &str| {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(edits(&a, &b, 2), edits(&b, &a, 2));
            edits(&a, &b, 2)
        };
        assert_eq!(count("kitchen", "kitchen"), Some(0));
        assert_eq!(count("kitchen", "kithcen"), Some(1));
        assert_eq!(count("kitchen", "kichen"), Some(1));
        assert_eq!(count("kitchen", "kitcchen"), Some(1));
        assert_eq!(count("kitchen", "kittchan"), Some(2));
        assert_eq!(count("kitchen", "chicken"), None);
        assert_eq!(count("", "ab"), Some(2));
        assert_eq!(count("", "abc"), None);
    }
}
