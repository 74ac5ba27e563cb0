//! The tense of a clause, which says what a word means that stands for the day before and the day
//! after alike: "कल" is yesterday in "कल बारिश हुई" and tomorrow in "कल बारिश होगी".
//!
//! Hindi and Urdu end a clause with its verb: the first word behind that tells a tense counts, and
//! where none follows in the sentence, the last one before. Where none says that it is past, it is
//! the future: commands are about what is to come.

use super::grammar::{Grammar, Id};
use crate::nlu::text::{Text, Token, TokenKind};

/// What a word says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    Past,
    /// Present or future.
    NotPast,
}

impl Grammar {
    /// For each word whether its clause speaks of the past; empty in languages without such words.
    pub(super) fn past(&self, text: &Text, tokens: &[Token], ids: &[Id]) -> Vec<bool> {
        if self.tongue.tenses.is_empty() {
            return Vec::new();
        }
        let said: Vec<Said> =
            tokens.iter().zip(ids).map(|(token, id)| self.said(text, *token, *id)).collect();
        let mut tenses = vec![None; said.len()];
        let mut next = None;
        for (tense, said) in tenses.iter_mut().zip(&said).rev() {
            next = said.after(next);
            *tense = next;
        }
        let mut last = None;
        for (tense, said) in tenses.iter_mut().zip(&said) {
            last = said.after(last);
            *tense = tense.or(last);
        }
        tenses.into_iter().map(|tense| tense == Some(Tense::Past)).collect()
    }

    fn said(&self, text: &Text, token: Token, id: Id) -> Said {
        let word = text.slice(token);
        match token.kind {
            TokenKind::Symbol if matches!(word, "." | "!" | "?" | ";") => Said::End,
            TokenKind::Word => {
                let ending = || {
                    self.tongue
                        .tense_endings
                        .iter()
                        .find(|(endings, _)| endings.split(' ').any(|ending| word.ends_with(ending)))
                };
                match self.entry(id).tense.or_else(|| ending().map(|(_, tense)| *tense)) {
                    Some(tense) => Said::Tense(tense),
                    None => Said::Nothing,
                }
            }
            _ => Said::Nothing,
        }
    }
}

/// What a word says about the tense of the words around it.
#[derive(Debug, Clone, Copy)]
enum Said {
    Nothing,
    Tense(Tense),
    /// The sentence ends here.
    End,
}

impl Said {
    fn after(self, known: Option<Tense>) -> Option<Tense> {
        match self {
            Self::Nothing => known,
            Self::Tense(tense) => Some(tense),
            Self::End => None,
        }
    }
}
