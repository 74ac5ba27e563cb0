//! Learning the tagger: labels, features and the phrases that are known, then their weights.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Zoned;

use super::clusters::Clusters;
use super::crf::{self, Sentence};
use super::features::{Extraction, Knowledge, Own};
use super::gazetteer::{Counts, Gazetteer, LONGEST, hash};
use super::{MAX_TOKENS, Slot, Tagger};
use crate::nlu::data::{Annotation, Example};
use crate::nlu::entity::{Clock, Language, builtin};
use crate::nlu::index::Index;
use crate::nlu::rng::hash_text;
use crate::nlu::text::{Text, Token, code_points, normalise};
use crate::nlu::weights::{Dense, MOST, Weights};

/// An example, its normalised text, and the class of its intent.
pub(crate) struct Tagged<'a> {
    pub text: &'a Text,
    pub example: &'a Example,
    pub class: usize,
}

/// Weights below this are left out of the model.
const LEAST: f32 = 0.03;

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
    let spoken: Vec<Vec<u64>> = items.iter().map(|item| words(item.text)).collect();
    tagger.clusters = Clusters::learn(&spoken);
    (tagger.phrases, tagger.words) = gazetteers(&relevant);
    let hashes = known_features(&relevant, tagger.knowledge(), language, MOST / 3 / tagger.labels());
    tagger.index = Index::new(&hashes);
    tagger.hashes = hashes;
    let sentences: Vec<Sentence> = relevant
        .iter()
        .map(|(item, gold)| {
            let mut rows = Vec::with_capacity(gold.len());
            each_word(item, gold, tagger.knowledge(), language, |found| {
                rows.push(found.iter().filter_map(|hash| tagger.index.find(*hash)).collect());
            });
            Sentence { rows, gold: gold.clone(), class: item.class }
        })
        .collect();
    let (dense, edges) =
        crf::learn(&sentences, &tagger.allowed, tagger.hashes.len(), tagger.labels(), seed, tick);
    let dense = without_idle(&dense, &mut tagger.hashes);
    tagger.index = Index::new(&tagger.hashes);
    tagger.weights = Weights::pack(&dense, tagger.hashes.len(), LEAST);
    tagger.edges = edges;
    tagger
}

/// Leaves out the features that decide nothing: finding them takes as long as finding those that do.
fn without_idle(dense: &Dense, hashes: &mut Vec<u32>) -> Dense {
    let width = dense.classes;
    let mut kept = Dense::new(0, width);
    let mut rows = dense.rows.chunks(width.max(1));
    hashes.retain(|_| {
        let row = rows.next().unwrap_or_default();
        let counts = row.iter().any(|weight| weight.abs() >= LEAST);
        if counts {
            kept.rows.extend_from_slice(row);
        }
        counts
    });
    kept
}

fn words(text: &Text) -> Vec<u64> {
    tokens(text).iter().map(|token| hash_text(text.slice(*token))).collect()
}

/// What phrases, and what single words, are annotated as.
fn gazetteers(items: &[(&Tagged<'_>, Vec<u16>)]) -> (Gazetteer, Gazetteer) {
    let (mut phrases, mut words) = (Counts::new(), Counts::new());
    for (item, gold) in items {
        let own = own(item.text, gold);
        for (counts, own) in [(&mut phrases, own.phrases), (&mut words, own.words)] {
            for (key, count) in own {
                *counts.entry(key).or_default() += count;
            }
        }
    }
    let (mut phrases, mut words) = (Gazetteer::new(&phrases), Gazetteer::new(&words));
    for (item, _) in items {
        phrases.see(item.text, tokens(item.text));
        words.see(item.text, tokens(item.text));
    }
    (phrases, words)
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

/// What a sentence itself annotates.
fn own(text: &Text, gold: &[u16]) -> Own {
    let mut own = Own::default();
    for (first, last, slot) in super::spans(gold) {
        let words = tokens(text).get(first..=last).unwrap_or_default();
        let Ok(slot) = u16::try_from(slot) else {
            continue;
        };
        if words.len() <= LONGEST {
            *own.phrases.entry((hash(text, words), slot)).or_default() += 1;
        }
        for word in words.chunks(1) {
            *own.words.entry((hash(text, word), slot)).or_default() += 1;
        }
    }
    own
}

/// Calls `word` with the feature hashes of each word of a sentence.
fn each_word(
    item: &Tagged<'_>,
    gold: &[u16],
    known: Knowledge<'_>,
    language: Language,
    mut word: impl FnMut(&[u32]),
) {
    // What is recognised does not depend on when; only its value does, and that is not used.
    let now = Zoned::default();
    let mut builtins = Vec::new();
    builtin::find(item.text, Clock { now: &now, language }, &mut builtins);
    let own = own(item.text, gold);
    let words = tokens(item.text);
    let extraction = Extraction::new(item.text, words, item.class, &builtins, known, Some(&own));
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
    known: Knowledge<'_>,
    language: Language,
    most: usize,
) -> Vec<u32> {
    let mut all = Vec::new();
    for (item, gold) in items {
        each_word(item, gold, known, language, |found| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_decide_nothing_are_left_out() {
        let mut hashes = vec![5, 7, 9];
        let dense = Dense { rows: vec![0.0, 1.0, 0.001, 0.0, -1.0, 0.0], classes: 2 };
        assert_eq!(without_idle(&dense, &mut hashes).rows, [0.0, 1.0, -1.0, 0.0]);
        assert_eq!(hashes, [5, 9]);
    }
}
