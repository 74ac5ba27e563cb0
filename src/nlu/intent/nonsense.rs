//! Sentences that mean nothing, in the letters of those that do: what a foreign language and a hand
//! on the keyboard look like to a model. Training sees from them how much of a sentence has to be
//! known before an intent can be.

use std::collections::{BTreeMap, HashSet};

use crate::nlu::rng::Rng;
use crate::nlu::text::{Text, TokenKind};

/// Letters of the longest word.
const LONGEST: usize = 14;
/// How often a word that turns out to be a real one is made anew.
const ATTEMPTS: usize = 4;

/// Stands for both ends of a word.
const EDGE: char = '\u{1}';

/// Which letters follow which two.
struct Chain<'a> {
    next: BTreeMap<[char; 2], Vec<char>>,
    words: HashSet<&'a str>,
    /// Characters of scripts without spaces.
    characters: Vec<char>,
}

/// As many sentences, each as long as one of the `texts`, with none of their words.
pub(super) fn sentences(texts: &[&Text], count: usize, seed: u64) -> Vec<Text> {
    let chain = Chain::new(texts);
    let mut rng = Rng::new(seed ^ 0x0bab_b1e5);
    let mut order: Vec<usize> = (0..texts.len()).collect();
    rng.shuffle(&mut order);
    order.truncate(count);
    order
        .into_iter()
        .filter_map(|at| texts.get(at))
        .filter(|text| text.tokens.iter().any(|token| token.kind != TokenKind::Symbol))
        .map(|text| chain.imitate(text, &mut rng))
        .collect()
}

impl<'a> Chain<'a> {
    fn new(texts: &[&'a Text]) -> Self {
        let mut chain = Self { next: BTreeMap::new(), words: HashSet::new(), characters: Vec::new() };
        for text in texts {
            for token in &text.tokens {
                let word = text.slice(*token);
                match token.kind {
                    TokenKind::Word => {
                        chain.words.insert(word);
                        let mut before = [EDGE; 2];
                        for c in word.chars().chain([EDGE]) {
                            chain.next.entry(before).or_default().push(c);
                            before = [before[1], c];
                        }
                    }
                    TokenKind::Ideograph => chain.characters.extend(word.chars()),
                    TokenKind::Number | TokenKind::Symbol => {}
                }
            }
        }
        chain
    }

    fn imitate(&self, text: &Text, rng: &mut Rng) -> Text {
        let mut said = String::with_capacity(text.normal.len());
        let mut end = 0;
        for token in &text.tokens {
            said.push_str(text.normal.get(end..token.start).unwrap_or_default());
            match token.kind {
                TokenKind::Word => said.push_str(&self.word(rng)),
                TokenKind::Ideograph => said.extend(pick(&self.characters, rng)),
                TokenKind::Number | TokenKind::Symbol => said.push_str(text.slice(*token)),
            }
            end = token.end;
        }
        Text::new(&said)
    }

    fn word(&self, rng: &mut Rng) -> String {
        let mut word = String::new();
        for _ in 0..ATTEMPTS {
            word.clear();
            let mut before = [EDGE; 2];
            for _ in 0..LONGEST {
                match self.next.get(&before).and_then(|next| pick(next, rng)) {
                    Some(c) if c != EDGE => {
                        word.push(c);
                        before = [before[1], c];
                    }
                    _ => break,
                }
            }
            if !self.words.contains(word.as_str()) {
                break;
            }
        }
        word
    }
}

fn pick(characters: &[char], rng: &mut Rng) -> Option<char> {
    let at = rng.next().checked_rem(characters.len() as u64)?;
    characters.get(usize::try_from(at).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_as_long_as_sense_and_the_same_each_time() {
        let texts: Vec<Text> = ["when is my homework due", "show me all of my grades, please", "明日の授業"]
            .map(Text::new)
            .into();
        let texts: Vec<&Text> = texts.iter().collect();
        let said = |seed| -> Vec<String> {
            sentences(&texts, 3, seed).into_iter().map(|text| text.normal).collect()
        };
        assert_eq!(said(1), said(1));
        assert_eq!(said(1).len(), 3);
        assert!(said(1).iter().any(|text| text.split(' ').count() == 5));
        assert!(said(1).iter().all(|text| texts.iter().all(|sense| sense.normal != *text)));
        assert!(sentences(&[], 3, 1).is_empty());
    }
}
