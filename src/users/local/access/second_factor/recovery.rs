//! Recovery codes: for who has lost what makes the other codes.

use secrecy::SecretString;

use crate::kit::ids::Entropy;
use crate::users::local::secret;
use crate::users::store::Hash;

/// How many there are of them.
const CODES: usize = 10;
/// Digits of a code, five bits each: 120 bits, which nobody guesses, not even with the hash at hand (OWASP
/// ASVS 5.0, 6.5.2: 112 or more need no slow one).
const DIGITS: usize = 24;
/// Crockford's base32: no letter in it is mistaken for another or for a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Fresh ones, as people get them: six groups of four.
pub(super) fn fresh(entropy: &Entropy) -> Vec<SecretString> {
    (0..CODES).map(|_| written(u128::from_be_bytes(entropy.bytes())).into()).collect()
}

fn written(bits: u128) -> String {
    let mut code = String::with_capacity(DIGITS + DIGITS / 4);
    for at in 0..DIGITS {
        if at > 0 && at % 4 == 0 {
            code.push('-');
        }
        let digit = usize::try_from((bits >> (5 * at)) & 31).unwrap_or(0);
        code.push(char::from(ALPHABET[digit]));
    }
    code
}

/// What is kept of a code that somebody types, however it is grouped; `None` for what can't be one.
pub(super) fn read(text: &str) -> Option<Hash> {
    let mut plain = String::with_capacity(DIGITS);
    for letter in text.chars().filter(|letter| *letter != '-' && !letter.is_whitespace()) {
        let letter = match letter.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        if plain.len() == DIGITS || !ALPHABET.contains(&u8::try_from(letter).ok()?) {
            return None;
        }
        plain.push(letter);
    }
    (plain.len() == DIGITS).then(|| secret::hash_of(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;
    use std::collections::HashSet;

    #[test]
    fn there_are_ten_unlike_each_other_grouped_for_people() {
        let codes = fresh(&Entropy::seeded(1));
        let plain: HashSet<_> = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
        assert_eq!(plain.len(), 10);
        for code in plain {
            assert_eq!(code.split('-').map(str::len).collect::<Vec<_>>(), [4; 6], "{code}");
        }
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = read("0123-4567-89ab-cdef-0123-4567").unwrap();
        for typed in [
            "0123456789abcdef01234567",
            " 0123 4567 89AB CDEF 0123 4567 ",
            "O123-4567-89ab-cdef-oi23-4567",
            "0L23-4567-89ab-cdef-0123-4567",
        ] {
            assert_eq!(read(typed), Some(code), "{typed}");
        }
        assert_ne!(read("1123-4567-89ab-cdef-0123-4567"), Some(code));
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for typed in [
            "",
            "123456",
            "0123-4567-89ab-cdef-0123-456",
            "0123-4567-89ab-cdef-0123-45670",
            "u123-4567-89ab-cdef-0123-4567",
            "é123456789abcdef01234567",
        ] {
            assert_eq!(read(typed), None, "{typed}");
        }
        assert_eq!(read(&"0".repeat(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn every_code_reads_back(bits: u128, text in "\\PC{0,40}") {
            prop_assert!(read(&written(bits)).is_some());
            let _ = read(&text);
        }
    }
}
