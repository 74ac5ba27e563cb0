//! Guards: contexts in which a word does not mean what the vocabulary says.

use super::grammar::{DIGITS, END, Grammar, Id, SILENT, START, UNKNOWN};
use super::tongue::Tongue;
use crate::nlu::text::{Text, Token, TokenKind};

/// What a guard takes from a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Everything: the word is as if unknown.
    Any,
    /// That a phrase may begin with it.
    Start,
    /// That it is an ordinal.
    Ordinal,
    /// That it is a day of the week.
    Weekday,
    /// That it is a month.
    Month,
    /// That it is a number.
    Number,
    /// That it is a unit of time.
    Unit,
}

/// Where a word has a sense. `^` and `$` are the ends of the utterance, `#` is a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    OnlyAfter(&'static [&'static str]),
    OnlyBefore(&'static [&'static str]),
    NotAfter(&'static [&'static str]),
    NotBefore(&'static [&'static str]),
}

/// A word that means what the vocabulary says only in some contexts.
pub(super) type Guard = (&'static str, Sense, When);

/// A context in which a word loses a sense.
#[derive(Debug)]
pub(super) struct Guarded {
    word: Id,
    bare: Id,
    after: bool,
    only: bool,
    context: Vec<Id>,
}

impl Grammar {
    /// A guard swaps a word for a twin that lacks the sense.
    pub(super) fn add_guards(&mut self, tongue: &'static Tongue) {
        for (words, sense, when) in tongue.guards {
            for word in words.split_whitespace() {
                self.add_guard(word, *sense, *when);
            }
        }
    }

    fn add_guard(&mut self, word: &str, sense: Sense, when: When) {
        let word = self.intern(word);
        let Some(entry) = self.entries.get_mut(usize::from(word)) else {
            return;
        };
        entry.guarded = true;
        let mut twin = *entry;
        match sense {
            Sense::Any | Sense::Start => {}
            Sense::Ordinal => twin.ordinal = None,
            Sense::Weekday => twin.weekday = None,
            Sense::Month => twin.month = None,
            Sense::Number => twin.number = None,
            Sense::Unit => twin.unit = None,
        }
        let bare = match sense {
            Sense::Any => UNKNOWN,
            Sense::Start => SILENT,
            _ => self.fresh(twin),
        };
        let (after, only, words) = match when {
            When::OnlyAfter(words) => (true, true, words),
            When::OnlyBefore(words) => (false, true, words),
            When::NotAfter(words) => (true, false, words),
            When::NotBefore(words) => (false, false, words),
        };
        let context =
            words.iter().flat_map(|words| words.split_whitespace()).map(|word| self.intern(word)).collect();
        self.guards.push(Guarded { word, bare, after, only, context });
    }

    /// Takes from words the senses that they do not have where they stand.
    ///
    /// A word without any sense loses its number; for the others the twin comes back, by position.
    pub(super) fn guard(&self, text: &Text, tokens: &[Token], ids: &mut [Id]) -> Vec<(usize, Id)> {
        let mut twins = Vec::new();
        if self.guards.is_empty() {
            return twins;
        }
        let context = |ids: &[Id], at: Option<usize>, edge: Id| -> Id {
            let Some(at) = at.filter(|at| *at < ids.len()) else {
                return edge;
            };
            match tokens.get(at).map(|token| token.kind) {
                Some(TokenKind::Number) => DIGITS,
                Some(TokenKind::Symbol)
                    if matches!(
                        tokens.get(at).map(|token| text.slice(*token)),
                        Some("." | "!" | "?" | ",")
                    ) =>
                {
                    edge
                }
                _ => ids.get(at).copied().unwrap_or(UNKNOWN),
            }
        };
        for at in 0..ids.len() {
            let Some(id) = ids.get(at).copied().filter(|id| self.entry(*id).guarded) else {
                continue;
            };
            let (before, behind) =
                (context(ids, at.checked_sub(1), START), context(ids, at.checked_add(1), END));
            // "Vingt-neuf", with a dash between.
            let dashed = || {
                let left = at.checked_sub(2).and_then(|left| ids.get(left));
                self.entry(before).minus && left.is_some_and(|left| self.entry(*left).number.is_some())
            };
            let number_before = self.entry(before).number.is_some() || dashed();
            let lost = self.guards.iter().filter(|guard| guard.word == id).find(|guard| {
                let other = if guard.after { before } else { behind };
                guard.context.contains(&other) != guard.only && !(number_before && guard.bare == UNKNOWN)
            });
            match lost {
                Some(Guarded { bare: UNKNOWN, .. }) => {
                    if let Some(id) = ids.get_mut(at) {
                        *id = UNKNOWN;
                    }
                }
                Some(guard) => twins.push((at, guard.bare)),
                None => {}
            }
        }
        twins
    }
}
