//! What the tagger sees of a word: itself, its neighbours, its ends, its shape, its cluster, which
//! known phrases and built-in entities it is part of, and which intent the sentence has.

use super::clusters::Clusters;
use super::gazetteer::{Counts, Gazetteer, LONGEST};
use crate::nlu::entity::Candidate;
use crate::nlu::rng::{hash_text, mix};
use crate::nlu::text::{Case, Text, Token, TokenKind};

/// What is known of phrases and words before any weight is.
#[derive(Clone, Copy)]
pub(super) struct Knowledge<'a> {
    pub phrases: &'a Gazetteer,
    /// Single words of annotated phrases.
    pub words: &'a Gazetteer,
    pub clusters: &'a Clusters,
}

/// What a sentence itself annotates: phrases, and single words of them.
#[derive(Default)]
pub(super) struct Own {
    pub phrases: Counts,
    pub words: Counts,
}

/// The words of one utterance, prepared.
pub(super) struct Extraction {
    class: u64,
    words: Vec<u64>,
    /// Hashes of each word's shape and ends.
    forms: Vec<Vec<u64>>,
    clusters: Vec<u64>,
    /// For each word, the phrases and built-ins that it is part of.
    marks: Vec<Vec<u64>>,
    /// For each word, what it is annotated as elsewhere.
    habits: Vec<Vec<u64>>,
    /// For each word, how it was written; nothing where all are written alike.
    cases: Vec<u64>,
    ideographs: bool,
}

const OUTSIDE: u64 = 0x0dd5_0b1e;

impl Extraction {
    pub(super) fn new(
        text: &Text,
        tokens: &[Token],
        class: usize,
        builtins: &[Candidate],
        known: Knowledge<'_>,
        own: Option<&Own>,
    ) -> Self {
        let words: Vec<u64> = tokens.iter().map(|token| hash_text(text.slice(*token))).collect();
        let forms = tokens.iter().map(|token| forms(text.slice(*token), token.kind)).collect();
        let clusters = words.iter().map(|word| known.clusters.of(*word)).collect();
        let mut marks: Vec<Vec<u64>> = vec![Vec::new(); tokens.len()];
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
        for hit in known.phrases.find(text, tokens, LONGEST, own.map(|own| &own.phrases)) {
            let slot = u64::from(hit.slot);
            // How long, how often and how reliably tells how much to believe it.
            let long = ((hit.length.min(5) as u64) << 3) | u64::from(hit.longest);
            let often = (u64::from(hit.count) << 3) | u64::from(hit.share);
            for (place, mark) in marks.iter_mut().skip(hit.start).take(hit.length).enumerate() {
                let part = position(place, hit.length);
                push(mark, mix(0x6a2e ^ (slot << 8) ^ part));
                push(mark, mix(0x6a2f ^ (slot << 24) ^ (long << 8) ^ part));
                push(mark, mix(0x6a30 ^ (slot << 32) ^ (often << 16) ^ (long << 8) ^ part));
            }
        }
        let mut habits: Vec<Vec<u64>> = vec![Vec::new(); tokens.len()];
        for hit in known.words.find(text, tokens, 1, own.map(|own| &own.words)) {
            if let Some(habit) = habits.get_mut(hit.start).filter(|habit| habit.len() < 4) {
                habit.push(mix(0x77ab
                    ^ (u64::from(hit.slot) << 16)
                    ^ (u64::from(hit.count) << 8)
                    ^ u64::from(hit.share)));
            }
        }
        let ideographs = tokens.iter().any(|token| token.kind == TokenKind::Ideograph);
        // Transcripts often know no capitals: while learning some sentences have none either, so that
        // nothing hangs on them alone.
        let plain = own.is_some() && hash_text(&text.normal).is_multiple_of(4);
        let cases = if plain { Vec::new() } else { cases(text, tokens) };
        Self { cases, class: mix(class as u64 ^ 0xc1a5), words, forms, clusters, marks, habits, ideographs }
    }

    fn word(&self, at: usize, step: isize) -> u64 {
        at.checked_add_signed(step).and_then(|at| self.words.get(at)).copied().unwrap_or(OUTSIDE)
    }

    fn cluster(&self, at: usize, step: isize) -> u64 {
        at.checked_add_signed(step).and_then(|at| self.clusters.get(at)).copied().unwrap_or(OUTSIDE)
    }

    fn shape(&self, at: usize, step: isize) -> u64 {
        let forms = at.checked_add_signed(step).and_then(|at| self.forms.get(at));
        forms.and_then(|forms| forms.first()).copied().unwrap_or(OUTSIDE)
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
        }
        for mark in self.marks.get(at).into_iter().flatten().take(6) {
            feature(18, pair(*mark, before));
        }
        for (template, step) in [(19, -1), (20, 1)] {
            let neighbour = at.checked_add_signed(step).and_then(|at| self.marks.get(at));
            for mark in neighbour.into_iter().flatten().take(6) {
                feature(template, *mark);
            }
        }
        for (template, step) in [(21, 0), (22, -1), (23, 1)] {
            let neighbour = at.checked_add_signed(step).and_then(|at| self.habits.get(at));
            for habit in neighbour.into_iter().flatten() {
                feature(template, *habit);
            }
        }
        let (cluster_before, cluster, cluster_after) =
            (self.cluster(at, -1), self.cluster(at, 0), self.cluster(at, 1));
        feature(24, cluster);
        feature(25, cluster_before);
        feature(26, cluster_after);
        feature(27, pair(cluster_before, cluster));
        feature(28, pair(cluster, cluster_after));
        feature(29, pair(before, cluster));
        feature(30, pair(cluster, after));
        // What is peculiar to an intent, on top of what holds in all.
        for (template, content) in [(31, 0), (32, this), (33, before), (34, after), (35, self.shape(at, 0))] {
            feature(template, pair(content, self.class));
        }
        feature(36, pair(pair(second_before, before), this));
        feature(37, pair(pair(this, after), second_after));
        if !self.cases.is_empty() {
            let case = |step: isize| {
                at.checked_add_signed(step).and_then(|at| self.cases.get(at)).copied().unwrap_or(9)
            };
            feature(62, case(0));
            feature(63, case(-1) * 16 + case(0));
            feature(64, case(0) * 16 + case(1));
            feature(65, (case(-1) * 16 + case(0)) * 16 + case(1));
            feature(66, pair(this, case(0)));
            feature(67, pair(before, case(0)));
        }
        if self.ideographs {
            self.character_features(at, &mut feature);
        }
    }

    /// Where a word is a character, words are longer and their borders are seen from the script.
    fn character_features(&self, at: usize, feature: &mut impl FnMut(u64, u64)) {
        let chain = |from: isize, to: isize, part: &dyn Fn(isize) -> u64| {
            (from..=to).fold(0_u64, |hash, step| mix(hash ^ part(step)))
        };
        let word = |step| self.word(at, step);
        let shape = |step| self.shape(at, step);
        for (template, (from, to)) in
            (40..).zip([(-3, -1), (1, 3), (-3, 0), (0, 3), (-2, 1), (-1, 2), (-4, -1), (1, 4), (-2, 2)])
        {
            feature(template, chain(from, to, &word));
        }
        for (template, (from, to)) in (50..).zip([(-1, 0), (0, 1), (-1, 1), (-2, 2), (-3, 0), (0, 3)]) {
            feature(template, chain(from, to, &shape));
        }
        feature(60, word(-4));
        feature(61, word(4));
    }
}

fn cases(text: &Text, tokens: &[Token]) -> Vec<u64> {
    let cases: Vec<u64> = tokens
        .iter()
        .map(|token| match (token.kind, text.case(*token)) {
            (TokenKind::Word, Case::Small) => 1,
            (TokenKind::Word, Case::Title) => 2,
            (TokenKind::Word, Case::Letter) => 3,
            (TokenKind::Word, Case::Capitals) => 4,
            _ => 5,
        })
        .collect();
    let tells = cases.iter().any(|case| (2..=4).contains(case)) && cases.contains(&1);
    if tells { cases } else { Vec::new() }
}

/// At most so many marks a word: a text of one phrase repeated is still bounded.
fn push(marks: &mut Vec<u64>, mark: u64) {
    if marks.len() < 14 && !marks.contains(&mark) {
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

/// Kana of both kinds, their long mark, numerals and other characters.
fn script(word: &str) -> u64 {
    match word.chars().next() {
        Some('ー') => 3,
        Some('\u{3040}'..='\u{309f}') => 0,
        Some('\u{30a0}'..='\u{30ff}') => 1,
        Some('〇' | '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十' | '百' | '千') => {
            4
        }
        _ => 2,
    }
}
