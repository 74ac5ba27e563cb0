//! What the tagger sees of a word: itself, its neighbours, its ends, its shape, and which known
//! phrases and built-in entities it is part of.

use super::gazetteer::{Counts, Gazetteer};
use crate::nlu::entity::Candidate;
use crate::nlu::rng::{hash_text, mix};
use crate::nlu::text::{Text, Token, TokenKind};

/// The words of one utterance, prepared.
pub(super) struct Extraction {
    /// Hash of each word; all numbers of one length are one.
    words: Vec<u64>,
    /// Hashes of each word's shape and ends.
    forms: Vec<Vec<u64>>,
    /// For each word, the phrases and built-ins that it is part of.
    marks: Vec<Vec<u64>>,
}

const OUTSIDE: u64 = 0x0dd5_0b1e;

impl Extraction {
    pub(super) fn new(
        text: &Text,
        tokens: &[Token],
        builtins: &[Candidate],
        gazetteer: &Gazetteer,
        own: Option<&Counts>,
    ) -> Self {
        let words = tokens.iter().map(|token| hash_text(text.slice(*token))).collect();
        let forms = tokens.iter().map(|token| forms(text.slice(*token), token.kind)).collect();
        let mut marks: Vec<Vec<u64>> = vec![Vec::new(); tokens.len()];
        gazetteer.find(text, tokens, own, |start, length, slot| {
            for (place, mark) in marks.iter_mut().skip(start).take(length).enumerate() {
                let part = position(place, length);
                push(mark, mix(0x6a2e ^ (u64::from(slot) << 8) ^ part));
                // How long the phrase is tells how much to believe it.
                push(mark, mix(0x6a2f ^ (u64::from(slot) << 24) ^ ((length.min(4) as u64) << 8) ^ part));
            }
        });
        for found in builtins {
            let covered = tokens
                .iter()
                .enumerate()
                .filter(|(_, token)| token.start >= found.start && token.end <= found.end);
            let length = covered.clone().count();
            for (place, (at, _)) in covered.enumerate() {
                if let Some(mark) = marks.get_mut(at) {
                    push(mark, mix(hash_text(&found.entity) ^ position(place, length)));
                }
            }
        }
        Self { words, forms, marks }
    }

    fn word(&self, at: usize, step: isize) -> u64 {
        at.checked_add_signed(step).and_then(|at| self.words.get(at)).copied().unwrap_or(OUTSIDE)
    }

    /// Calls `emit` for every feature of the word at a position.
    pub(super) fn features(&self, at: usize, mut emit: impl FnMut(u32)) {
        let mut feature = |template: u64, content: u64| {
            emit((mix(content.wrapping_add(template.wrapping_mul(0x9e37_79b9_7f4a_7c15))) >> 32) as u32);
        };
        let pair = |a: u64, b: u64| a.rotate_left(19) ^ b;
        let (before, this, after) = (self.word(at, -1), self.word(at, 0), self.word(at, 1));
        let (second_before, second_after) = (self.word(at, -2), self.word(at, 2));
        feature(0, 0);
        feature(1, this);
        feature(2, before);
        feature(3, after);
        feature(4, second_before);
        feature(5, second_after);
        feature(6, pair(before, this));
        feature(7, pair(this, after));
        feature(8, pair(second_before, before));
        feature(9, pair(after, second_after));
        feature(10, pair(before, after));
        feature(11, self.word(at, -3));
        feature(12, self.word(at, 3));
        feature(13, pair(pair(before, this), after));
        for form in self.forms.get(at).into_iter().flatten() {
            feature(14, *form);
        }
        for (template, step) in [(15, -1), (16, 1)] {
            let neighbour = at.checked_add_signed(step).and_then(|at| self.forms.get(at));
            for form in neighbour.into_iter().flatten().take(4) {
                feature(template, *form);
            }
        }
        for mark in self.marks.get(at).into_iter().flatten() {
            feature(17, *mark);
            feature(18, pair(*mark, before));
        }
        for (template, step) in [(19, -1), (20, 1)] {
            let neighbour = at.checked_add_signed(step).and_then(|at| self.marks.get(at));
            for mark in neighbour.into_iter().flatten() {
                feature(template, *mark);
            }
        }
    }
}

/// At most so many marks a word: a text of one phrase repeated is still bounded.
fn push(marks: &mut Vec<u64>, mark: u64) {
    if marks.len() < 16 && !marks.contains(&mark) {
        marks.push(mark);
    }
}

/// Whether a word begins, ends, fills or continues a phrase.
fn position(place: usize, length: usize) -> u64 {
    match (place, length) {
        (_, 1) => 3,
        (0, _) => 1,
        (place, length) if place + 1 == length => 2,
        _ => 0,
    }
}

/// Shape first, then the ends of the word.
fn forms(word: &str, kind: TokenKind) -> Vec<u64> {
    let length = word.chars().count();
    let shape = match kind {
        TokenKind::Number => 10 + length.min(6) as u64,
        TokenKind::Symbol => 20,
        TokenKind::Ideograph => 30 + script(word),
        TokenKind::Word => 40 + length.min(4) as u64,
    };
    let mut forms = vec![mix(shape)];
    if kind == TokenKind::Word {
        let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        for size in 1..=4_usize.min(length.saturating_sub(1)) {
            let suffix = ends.get(length - size).and_then(|at| word.get(*at..)).unwrap_or_default();
            forms.push(mix(hash_text(suffix) ^ 0x5ff1));
        }
        for size in 1..=4_usize.min(length.saturating_sub(1)) {
            let prefix = ends.get(size).and_then(|at| word.get(..*at)).unwrap_or_default();
            forms.push(mix(hash_text(prefix) ^ 0x9ef1));
        }
    }
    forms
}

fn script(word: &str) -> u64 {
    match word.chars().next() {
        Some('\u{3040}'..='\u{309f}') => 0,
        Some('\u{30a0}'..='\u{30ff}') => 1,
        _ => 2,
    }
}
