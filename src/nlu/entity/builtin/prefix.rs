//! Words that are written as one: "والنصف" is "and" with "the half".

use std::borrow::Cow;

use super::grammar::{Grammar, Id, UNKNOWN};
use super::unspaced;
use crate::nlu::text::{Text, Token, TokenKind};

/// A word has at most this many others in front of it.
const MOST_PREFIXES: usize = 3;

impl Grammar {
    /// The words of a text and their numbers in the lexicon. What is written in front of a known
    /// word becomes a word of its own; of an unknown word nothing is cut off.
    pub(super) fn words<'a>(&self, text: &'a Text) -> (Cow<'a, [Token]>, Vec<Id>) {
        let id = |token: &Token| self.id(text.slice(*token));
        if let Some(tokens) = self.unspaced.as_ref().and_then(|_| unspaced::split(text)) {
            let ids = tokens.iter().map(id).collect();
            return (Cow::Owned(tokens), ids);
        }
        if self.tongue.prefixes.is_empty() {
            return (Cow::Borrowed(text.tokens.as_slice()), text.tokens.iter().map(id).collect());
        }
        let mut tokens = Vec::with_capacity(text.tokens.len() + 4);
        let mut ids = Vec::with_capacity(text.tokens.len() + 4);
        for token in &text.tokens {
            let whole = id(token);
            let pieces = if whole == UNKNOWN && token.kind == TokenKind::Word {
                self.peel(text.slice(*token))
            } else {
                Vec::new()
            };
            let mut start = token.start;
            for (length, id) in &pieces {
                tokens.push(Token { start, end: start + length, ..*token });
                ids.push(*id);
                start += length;
            }
            if pieces.is_empty() {
                tokens.push(*token);
                ids.push(whole);
            }
        }
        (Cow::Owned(tokens), ids)
    }

    /// The pieces of a word by their lengths in bytes; none when what remains is unknown.
    fn peel(&self, word: &str) -> Vec<(usize, Id)> {
        let mut pieces = Vec::new();
        let mut rest = word;
        for _ in 0..MOST_PREFIXES {
            let cut =
                self.tongue.prefixes.iter().find_map(|prefix| Some((*prefix, rest.strip_prefix(prefix)?)));
            let Some((prefix, behind)) = cut else {
                break;
            };
            pieces.push((prefix.len(), self.id(prefix)));
            rest = behind;
            // A single letter behind another is an abbreviation, not a word with one before it.
            if rest.chars().nth(1).is_none() {
                break;
            }
            let mut id = self.id(rest);
            if id == UNKNOWN && prefix == "ل" && rest.starts_with('ل') {
                // The article loses its first letter: "للساعة" is "ل" with "الساعة".
                id = self.id(&format!("ا{rest}"));
            }
            if id != UNKNOWN {
                pieces.push((rest.len(), id));
                return pieces;
            }
        }
        Vec::new()
    }
}
