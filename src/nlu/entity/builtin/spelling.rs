//! Spellings: what a word is looked up as.

use std::borrow::Cow;

use super::grammar::{Grammar, Id};

impl Grammar {
    /// Typed words often lack their accents: "manana" is "mañana" where it is nothing else.
    pub(super) fn add_unaccented(&mut self) {
        let plain: Vec<(String, Id)> = self
            .ids
            .iter()
            .filter(|(word, _)| word.chars().count() > 3 && !word.is_ascii())
            .map(|(word, id)| (unaccented(word), *id))
            .collect();
        for (word, id) in plain {
            self.ids.entry(word.into()).or_insert(id);
        }
    }

    /// A word as it is looked up.
    pub(super) fn folded<'a>(&self, word: &'a str) -> Cow<'a, str> {
        let spelling = |c: char| self.tongue.spellings.iter().find(|(typed, _)| typed.contains(c));
        if self.tongue.spellings.is_empty() || !word.chars().any(|c| spelling(c).is_some()) {
            return Cow::Borrowed(word);
        }
        let mut folded = String::with_capacity(word.len());
        for c in word.chars() {
            match spelling(c) {
                Some((_, meant)) => folded.push_str(meant),
                None => folded.push(c),
            }
        }
        Cow::Owned(folded)
    }
}

fn unaccented(word: &str) -> String {
    word.chars()
        .map(|c| match c {
            'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            'ç' => 'c',
            'ñ' => 'n',
            c => c,
        })
        .collect()
}
