//! Learning the tagger: an averaged structured perceptron (Collins, 2002), with a margin: while
//! learning, every wrong label starts a step ahead of the right one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Zoned;

use super::features::Extraction;
use super::gazetteer::{Counts, Gazetteer, LONGEST, hash};
use super::{MAX_TOKENS, Slot, Tagger, viterbi};
use crate::nlu::data::{Annotation, Example};
use crate::nlu::entity::{Clock, Language, builtin};
use crate::nlu::index::Index;
use crate::nlu::rng::Rng;
use crate::nlu::text::{Text, Token, code_points, normalise};
use crate::nlu::weights::{Dense, MOST, Weights};

/// An example, its normalised text, and the class of its intent.
pub(crate) struct Tagged<'a> {
    pub text: &'a Text,
    pub example: &'a Example,
    pub class: usize,
}

const EPOCHS: usize = 8;
/// How far ahead a wrong label starts.
const MARGIN: f32 = 3.0;
/// Weights below this share of the largest of their row are left out.
const LEAST: f32 = 0.04;

/// One prepared sentence.
struct Sentence {
    /// Feature rows of each word.
    rows: Vec<Vec<u32>>,
    gold: Vec<u16>,
    class: usize,
}

/// Learns from the examples of all intents; `synonyms` maps normalised variants to values. `tick`
/// is called after every pass.
pub(crate) fn learn(
    items: &[Tagged<'_>],
    classes: usize,
    language: Language,
    synonyms: &BTreeMap<String, String>,
    seed: u64,
    tick: &mut dyn FnMut(),
) -> Tagger {
    let slots: BTreeSet<Slot> = items.iter().flat_map(|item| &item.example.annotations).map(slot).collect();
    let slots: Vec<Slot> = slots.into_iter().collect();
    let mut tagger = Tagger { slots, values: synonyms.clone(), ..Tagger::default() };
    if tagger.slots.is_empty() {
        return Tagger::default();
    }
    let gold: Vec<Vec<u16>> = items.iter().map(|item| labels(item, &tagger.slots)).collect();
    tagger.allowed = allowed(items, &gold, classes);
    remember_values(items, &mut tagger.values);
    let relevant: Vec<(&Tagged<'_>, Vec<u16>)> =
        items.iter().zip(gold).filter(|(item, _)| tagger.knows(item.class)).collect();
    let mut counts = Counts::new();
    for (item, gold) in &relevant {
        for (key, count) in own(item.text, gold) {
            *counts.entry(key).or_default() += count;
        }
    }
    tagger.gazetteer = Gazetteer::new(&counts);
    let hashes = known_features(&relevant, &tagger.gazetteer, language, MOST / 2 / tagger.labels());
    tagger.index = Index::new(&hashes);
    tagger.hashes = hashes;
    let sentences: Vec<Sentence> = relevant
        .iter()
        .map(|(item, gold)| {
            let mut rows = Vec::with_capacity(gold.len());
            each_word(item, gold, &tagger.gazetteer, language, |found| {
                rows.push(found.iter().filter_map(|hash| tagger.index.find(*hash)).collect());
            });
            Sentence { rows, gold: gold.clone(), class: item.class }
        })
        .collect();
    let (dense, transitions) = perceptron(&sentences, &tagger, seed, tick);
    let largest = dense.rows.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    tagger.weights = Weights::pack(&dense, tagger.hashes.len(), LEAST * largest.min(1.0));
    tagger.transitions = transitions;
    tagger
}

fn slot(annotation: &Annotation) -> Slot {
    Slot { entity: annotation.entity.clone(), role: annotation.role.clone(), group: annotation.group.clone() }
}

fn tokens(text: &Text) -> &[Token] {
    text.tokens.get(..text.tokens.len().min(MAX_TOKENS)).unwrap_or_default()
}

/// The label of each word. A word that an annotation covers in part is outside.
fn labels(item: &Tagged<'_>, slots: &[Slot]) -> Vec<u16> {
    let mut labels = vec![0; tokens(item.text).len()];
    for annotation in &item.example.annotations {
        let Ok(number) = slots.binary_search(&slot(annotation)) else {
            continue;
        };
        let Ok(begin) = u16::try_from(1 + 2 * number) else {
            continue;
        };
        let mut first = true;
        for (label, token) in labels.iter_mut().zip(tokens(item.text)) {
            let (start, end) = item.text.origin(token.start, token.end);
            if start >= annotation.start && end <= annotation.end && *label == 0 {
                *label = if first { begin } else { begin + 1 };
                first = false;
            }
        }
    }
    labels
}

fn allowed(items: &[Tagged<'_>], gold: &[Vec<u16>], classes: usize) -> Vec<Vec<u16>> {
    let mut allowed: Vec<BTreeSet<u16>> = vec![BTreeSet::from([0]); classes];
    for (item, gold) in items.iter().zip(gold) {
        if let Some(labels) = allowed.get_mut(item.class) {
            for label in gold.iter().filter(|label| **label > 0) {
                // What one example begins another may continue.
                let begin = label - (label + 1) % 2;
                labels.extend([begin, begin + 1]);
            }
        }
    }
    allowed.into_iter().map(|labels| labels.into_iter().collect()).collect()
}

fn remember_values(items: &[Tagged<'_>], values: &mut BTreeMap<String, String>) {
    for example in items.iter().map(|item| item.example) {
        for annotation in &example.annotations {
            if let Some(value) = &annotation.value {
                let said = code_points(&example.text, annotation.start, annotation.end);
                values.entry(normalise(&said)).or_insert_with(|| value.clone());
            }
        }
    }
}

/// The phrases that a sentence itself annotates.
fn own(text: &Text, gold: &[u16]) -> Counts {
    let mut counts = Counts::new();
    for (first, last, slot) in super::spans(gold) {
        let words = tokens(text).get(first..=last).unwrap_or_default();
        if words.len() <= LONGEST
            && let Ok(slot) = u16::try_from(slot)
        {
            *counts.entry((hash(text, words), slot)).or_default() += 1;
        }
    }
    counts
}

/// Calls `word` with the feature hashes of each word of a sentence.
fn each_word(
    item: &Tagged<'_>,
    gold: &[u16],
    gazetteer: &Gazetteer,
    language: Language,
    mut word: impl FnMut(&[u32]),
) {
    // What is recognised does not depend on when; only its value does, and that is not used.
    let now = Zoned::default();
    let mut builtins = Vec::new();
    builtin::find(item.text, Clock { now: &now, language }, &mut builtins);
    let own = own(item.text, gold);
    let words = tokens(item.text);
    let extraction = Extraction::new(item.text, words, &builtins, gazetteer, Some(&own));
    let mut found = Vec::new();
    for at in 0..words.len() {
        found.clear();
        extraction.features(at, |hash| found.push(hash));
        word(&found);
    }
}

/// Features that stand at two words or more; all, when there are few sentences.
fn known_features(
    items: &[(&Tagged<'_>, Vec<u16>)],
    gazetteer: &Gazetteer,
    language: Language,
    most: usize,
) -> Vec<u32> {
    let mut all = Vec::new();
    for (item, gold) in items {
        each_word(item, gold, gazetteer, language, |found| {
            all.extend_from_slice(found);
        });
    }
    all.sort_unstable();
    let mut least = if items.len() > 500 { 2 } else { 1 };
    loop {
        let groups = all.chunk_by(|a, b| a == b).filter(|group| group.len() >= least);
        let known: Vec<u32> = groups.filter_map(|group| group.first().copied()).collect();
        if known.len() <= most {
            return known;
        }
        least *= 2;
    }
}

fn perceptron(
    sentences: &[Sentence],
    tagger: &Tagger,
    seed: u64,
    tick: &mut dyn FnMut(),
) -> (Dense, Vec<f32>) {
    let width = tagger.labels();
    let mut weights = Dense::new(tagger.hashes.len(), width);
    let mut moments = Dense::new(tagger.hashes.len(), width);
    let mut edges = vec![0.0_f32; width * width];
    let mut edge_moments = edges.clone();
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    let mut rng = Rng::new(seed ^ 0x7a66);
    let mut now = 1.0_f32;
    for _ in 0..EPOCHS {
        rng.shuffle(&mut order);
        for sentence in order.iter().filter_map(|at| sentences.get(*at)) {
            let Some(allowed) = tagger.allowed.get(sentence.class) else {
                continue;
            };
            let scores: Vec<Vec<f32>> = sentence
                .rows
                .iter()
                .zip(&sentence.gold)
                .map(|(rows, gold)| ahead(&weights, rows, allowed, *gold))
                .collect();
            let path = viterbi(&scores, allowed, |from, to| {
                edges.get(usize::from(from) * width + usize::from(to)).copied().unwrap_or(0.0)
            });
            now += 1.0;
            if path == sentence.gold {
                continue;
            }
            let (mut from_gold, mut from_path) = (0_u16, 0_u16);
            for ((rows, gold), guess) in sentence.rows.iter().zip(&sentence.gold).zip(&path) {
                if gold != guess {
                    for row in rows {
                        bump(weights.row_mut(*row), moments.row_mut(*row), *gold, 1.0, now);
                        bump(weights.row_mut(*row), moments.row_mut(*row), *guess, -1.0, now);
                    }
                }
                if (from_gold, gold) != (from_path, guess) {
                    let edge = |from: u16, to: u16| usize::from(from) * width + usize::from(to);
                    for (at, step) in [(edge(from_gold, *gold), 1.0), (edge(from_path, *guess), -1.0)] {
                        if let (Some(weight), Some(moment)) = (edges.get_mut(at), edge_moments.get_mut(at)) {
                            *weight += step;
                            *moment += step * now;
                        }
                    }
                }
                (from_gold, from_path) = (*gold, *guess);
            }
        }
        tick();
    }
    for (weight, moment) in
        weights.rows.iter_mut().zip(&moments.rows).chain(edges.iter_mut().zip(&edge_moments))
    {
        *weight -= moment / now;
    }
    (weights, edges)
}

/// Scores of the allowed labels, the wrong ones ahead by the margin.
fn ahead(weights: &Dense, rows: &[u32], allowed: &[u16], gold: u16) -> Vec<f32> {
    let mut scores: Vec<f32> =
        allowed.iter().map(|label| if *label == gold { 0.0 } else { MARGIN }).collect();
    for row in rows {
        let row = weights.row(*row);
        for (score, label) in scores.iter_mut().zip(allowed) {
            *score += row.get(usize::from(*label)).copied().unwrap_or(0.0);
        }
    }
    scores
}

fn bump(weights: &mut [f32], moments: &mut [f32], label: u16, step: f32, now: f32) {
    if let (Some(weight), Some(moment)) =
        (weights.get_mut(usize::from(label)), moments.get_mut(usize::from(label)))
    {
        *weight += step;
        *moment += step * now;
    }
}
