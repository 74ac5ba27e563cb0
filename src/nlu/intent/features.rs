//! The features of a sentence: word 1–2-grams, and character 2–5-grams inside words, as hashes.

use crate::nlu::rng::mix;
use crate::nlu::text::{Text, TokenKind};

/// Which family a feature is of. Word features also tell how familiar a sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Word,
    Bigram,
    Characters,
}

const LONGEST: usize = 5;
/// A word longer than this adds no more features: no real word is, hostile ones are.
const MAX_WORD_CHARS: usize = 48;
/// More tokens than this add no more features.
const MAX_TOKENS: usize = 256;

/// Calls `emit` for every feature of the text, repeats included.
pub(super) fn extract(text: &Text, mut emit: impl FnMut(Family, u32)) {
    let mut previous = word_hash(BOUNDARY);
    let mut run: Vec<char> = Vec::with_capacity(MAX_WORD_CHARS + 2);
    let mut run_end = 0;
    for token in text.tokens.iter().filter(|token| token.kind != TokenKind::Symbol).take(MAX_TOKENS) {
        let word = text.slice(*token);
        let hash = match token.kind {
            // All numbers of one length are one word; which number it was is in the characters.
            TokenKind::Number => {
                word_hash(NUMBERS.get(word.len().min(NUMBERS.len()) - 1).copied().unwrap_or("0"))
            }
            _ => word_hash(word),
        };
        emit(Family::Word, squeeze(hash));
        if let Some(bare) = crate::nlu::text::without_diacritics(word) {
            emit(Family::Word, squeeze(word_hash(&bare)));
        }
        emit(Family::Bigram, squeeze(mix(previous ^ hash.rotate_left(17))));
        previous = hash;

        // Characters of a script without spaces make one run, as those of a word do.
        let continues = token.kind == TokenKind::Ideograph && run_end == token.start && run_end > 0;
        if !continues {
            characters(&run, &mut emit);
            run.clear();
        }
        run.extend(word.chars().take(MAX_WORD_CHARS.saturating_sub(run.len())));
        run_end = token.end;
    }
    characters(&run, &mut emit);
    emit(Family::Bigram, squeeze(mix(previous ^ word_hash(BOUNDARY).rotate_left(17))));
}

const BOUNDARY: &str = "\u{1}";
const NUMBERS: [&str; 5] = ["0", "00", "000", "0000", "00000"];

fn word_hash(word: &str) -> u64 {
    crate::nlu::rng::hash_text(word)
}

/// Hashes are kept in 32 bits: among 300,000 features about ten share one, which harms nothing.
fn squeeze(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn characters(run: &[char], emit: &mut impl FnMut(Family, u32)) {
    if run.is_empty() {
        return;
    }
    let mut padded = ['\u{2}'; MAX_WORD_CHARS + 2];
    let length = run.len().min(MAX_WORD_CHARS);
    for (slot, c) in padded.iter_mut().skip(1).zip(run) {
        *slot = *c;
    }
    let padded = padded.get(..length + 2).unwrap_or_default();
    for start in 0..padded.len() {
        let mut hash = 0x5bd1_e995_u64;
        for (size, c) in (1..=LONGEST).zip(padded.iter().skip(start)) {
            hash = mix(hash ^ u64::from(u32::from(*c)));
            if size >= 2 {
                emit(Family::Characters, squeeze(hash));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(original: &str, family: Family) -> usize {
        let mut count = 0;
        extract(&Text::new(original), |found, _| {
            count += usize::from(found == family);
        });
        count
    }

    #[test]
    fn a_sentence_has_its_words_and_pairs_with_both_ends() {
        assert_eq!(count("turn it on!", Family::Word), 3);
        assert_eq!(count("turn it on!", Family::Bigram), 4);
    }

    #[test]
    fn a_word_is_also_what_it_is_without_its_diacritics() {
        let words = |original: &str| {
            let mut words = Vec::new();
            extract(&Text::new(original), |family, hash| {
                if family == Family::Word {
                    words.push(hash);
                }
            });
            words
        };
        assert_eq!(words("Für").len(), 2);
        assert!(words("für").contains(&words("fur")[0]));
    }

    #[test]
    fn a_word_has_its_characters_with_both_ends() {
        // "<on>": 3 pairs, 2 triples, 1 of four.
        assert_eq!(count("on", Family::Characters), 6);
    }

    #[test]
    fn a_hostile_word_adds_no_more_features_than_a_long_one() {
        assert_eq!(
            count(&"x".repeat(100_000), Family::Characters),
            count(&"x".repeat(60), Family::Characters)
        );
    }

    #[test]
    fn one_script_without_spaces_makes_one_run() {
        assert_eq!(count("明日", Family::Characters), count("ab", Family::Characters));
        assert_eq!(count("明日", Family::Word), 2);
    }
}
