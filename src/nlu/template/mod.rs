//! Sentence templates as Home Assistant writes them: `turn (on|off) [the] {device}`.
//!
//! | written | stands for |
//! |---|---|
//! | `(on\|off)` | one of these |
//! | `[the]` | this or nothing |
//! | `{device}` | a value of the lookup `device`, found as the entity `device` |
//! | `{device:target}` | a value of the lookup `device`, found as the entity `target` |
//!
//! A template says exactly what it understands, so it is matched as it stands, before any model is
//! asked, and never written out in full; a few of its sentences are drawn for the model to learn
//! what people say besides. A template whose lookup no pack defines matches nothing.

mod examples;
mod matching;
mod parsing;
mod sampling;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(crate) use examples::Examples;
pub(crate) use matching::Templates;
pub(crate) use parsing::parse;
pub(crate) use sampling::sample;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Piece {
    /// Normalised, without white space.
    Word(String),
    /// Where words part.
    Space,
    All(Vec<Piece>),
    /// One of these; an empty [`Piece::All`] makes it optional.
    Any(Vec<Piece>),
    /// A value of a list, and the entity that it is.
    List(String, String),
}

impl Piece {
    /// The lookup tables that it takes values from.
    pub(crate) fn lookups(&self) -> BTreeSet<String> {
        match self {
            Self::Word(_) | Self::Space => BTreeSet::new(),
            Self::All(pieces) | Self::Any(pieces) => pieces.iter().flat_map(Self::lookups).collect(),
            Self::List(list, _) => BTreeSet::from([list.clone()]),
        }
    }

    /// How many sentences it can say, where `values` tells the length of a list.
    pub(crate) fn sentences(&self, values: &impl Fn(&str) -> usize) -> usize {
        match self {
            Self::Word(_) | Self::Space => 1,
            Self::All(pieces) => {
                pieces.iter().fold(1, |product, piece| product.saturating_mul(piece.sentences(values)))
            }
            Self::Any(pieces) => {
                pieces.iter().fold(0, |sum, piece| sum.saturating_add(piece.sentences(values)))
            }
            Self::List(list, _) => values(list),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_as_many_sentences_as_its_parts_allow() {
        let count =
            |template: &str| parse(template).unwrap().sentences(&|list| usize::from(list == "ten") * 10);
        assert_eq!(count("stop"), 1);
        assert_eq!(count("(turn|switch) on [the] {ten}"), 40);
        assert_eq!(count("turn on {nothing}"), 0);
        assert_eq!(count(&"[a|b|c]".repeat(100)), usize::MAX);
    }
}
