//! Entities learned from the contexts in which examples annotate them.
//!
//! A linear chain over the words of an utterance: each word begins an entity, continues one, or
//! is outside. Only what the examples of the recognised intent annotate can be found, which makes
//! both the search short and the choice easier.

mod clusters;
mod crf;
mod features;
mod gazetteer;
mod learn;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Candidate;
use crate::nlu::index::Index;
use crate::nlu::text::{Text, normalise};
use crate::nlu::types::Extractor;
use crate::nlu::weights::Weights;
use clusters::Clusters;
use features::{Extraction, Knowledge};
use gazetteer::Gazetteer;

pub(crate) use crf::EPOCHS as PASSES;
pub(crate) use learn::{Tagged, learn};

/// Words of an utterance that are looked at: bounds time, no command is as long.
const MAX_TOKENS: usize = 200;

/// What a stretch of words can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub entity: String,
    pub role: Option<String>,
    pub group: Option<String>,
}

/// See the [module](self). Labels are numbers: 0 is outside, `1 + 2s` begins slot `s`, `2 + 2s`
/// continues it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tagger {
    slots: Vec<Slot>,
    /// For each intent class, its labels in ascending order, outside first.
    allowed: Vec<Vec<u16>>,
    /// Feature hashes, ascending; the row of a feature is its position.
    hashes: Vec<u32>,
    weights: Weights,
    edges: Edges,
    phrases: Gazetteer,
    words: Gazetteer,
    clusters: Clusters,
    /// Canonical value by normalised phrase.
    values: BTreeMap<String, String>,
    #[serde(skip)]
    index: Index,
}

impl Tagger {
    /// Rebuilds what is not stored; false when what was stored cannot be used.
    pub(crate) fn restore(&mut self, classes: usize) -> bool {
        // A pack that annotates nothing has nothing to restore.
        if self.slots.is_empty() {
            return self.hashes.is_empty() && self.allowed.is_empty();
        }
        let labels = self.labels();
        let sound = self.hashes.is_sorted()
            && self.weights.is_sound(self.hashes.len())
            && self.weights.classes() == labels
            && self.allowed.len() == classes
            && self.allowed.iter().flatten().all(|label| usize::from(*label) < labels)
            && self.edges.is_sound(&self.allowed, labels)
            && self.phrases.is_sound(self.slots.len())
            && self.words.is_sound(self.slots.len())
            && self.clusters.is_sound();
        if sound {
            self.weights.restore();
            self.phrases.restore();
            self.words.restore();
            self.clusters.restore();
            self.index = Index::new(&self.hashes);
        }
        sound
    }

    fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { phrases: &self.phrases, words: &self.words, clusters: &self.clusters }
    }

    fn labels(&self) -> usize {
        1 + 2 * self.slots.len()
    }

    /// Whether any example of the class annotates anything.
    pub(crate) fn knows(&self, class: usize) -> bool {
        self.allowed.get(class).is_some_and(|labels| labels.len() > 1)
    }

    /// Proposes what it finds in an utterance of an intent class.
    pub(crate) fn find(
        &self,
        text: &Text,
        class: usize,
        builtins: &[Candidate],
        candidates: &mut Vec<Candidate>,
    ) {
        let Some(allowed) = self.allowed.get(class).filter(|labels| labels.len() > 1) else {
            return;
        };
        let tokens = text.tokens.get(..text.tokens.len().min(MAX_TOKENS)).unwrap_or_default();
        let extraction = Extraction::new(text, tokens, class, builtins, self.knowledge(), None);
        let mut scores: Vec<Vec<f32>> = Vec::with_capacity(tokens.len());
        let (mut vector, mut all) = (Vec::new(), Vec::new());
        for at in 0..tokens.len() {
            vector.clear();
            extraction.features(at, |hash| {
                if let Some(row) = self.index.find(hash) {
                    vector.push((row, 1.0));
                }
            });
            self.weights.margins(&vector, &mut all);
            scores.push(
                allowed.iter().map(|label| all.get(usize::from(*label)).copied().unwrap_or(0.0)).collect(),
            );
        }
        let path = viterbi(&scores, allowed, |from, to| self.edges.weight(class, allowed.len(), from, to));
        for (first, last, slot) in spans(&path) {
            let (Some(first), Some(last), Some(slot)) =
                (tokens.get(first), tokens.get(last), self.slots.get(slot))
            else {
                continue;
            };
            let phrase = text.normal.get(first.start..last.end).unwrap_or_default();
            candidates.push(Candidate {
                start: first.start,
                end: last.end,
                entity: slot.entity.clone(),
                value: self.values.get(&normalise(phrase)).cloned().map(Value::String),
                confidence: 0.85,
                role: slot.role.clone(),
                group: slot.group.clone(),
                extractor: Extractor::Model,
                time_dependent: false,
            });
        }
    }
}

/// Weights from label to label: in general, and what is peculiar to each class.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Edges {
    width: usize,
    /// All labels × all labels.
    general: Vec<f32>,
    /// For each class, its labels × its labels.
    peculiar: Vec<Vec<f32>>,
}

impl Edges {
    fn new(allowed: &[Vec<u16>], width: usize) -> Self {
        let peculiar = allowed.iter().map(|labels| vec![0.0; labels.len() * labels.len()]).collect();
        Self { width, general: vec![0.0; width * width], peculiar }
    }

    /// Labels are given by position among the `count` of the class, and by number.
    fn weight(&self, class: usize, count: usize, from: (usize, u16), to: (usize, u16)) -> f32 {
        let general = self.general.get(usize::from(from.1) * self.width + usize::from(to.1));
        let peculiar = self.peculiar.get(class).and_then(|edges| edges.get(from.0 * count + to.0));
        general.copied().unwrap_or(0.0) + peculiar.copied().unwrap_or(0.0)
    }

    fn is_sound(&self, allowed: &[Vec<u16>], width: usize) -> bool {
        self.width == width
            && self.general.len() == width * width
            && self.peculiar.len() == allowed.len()
            && self
                .peculiar
                .iter()
                .zip(allowed)
                .all(|(edges, labels)| edges.len() == labels.len() * labels.len())
            && self.general.iter().chain(self.peculiar.iter().flatten()).all(|weight| weight.is_finite())
    }
}

/// Whether label `to` may follow label `from`: a continuation needs its own slot before it.
fn follows(from: u16, to: u16) -> bool {
    to == 0 || to % 2 == 1 || from == to || from + 1 == to
}

/// The best path of labels. `scores` holds, for each word, a score for each label of `allowed`.
fn viterbi(
    scores: &[Vec<f32>],
    allowed: &[u16],
    transition: impl Fn((usize, u16), (usize, u16)) -> f32,
) -> Vec<u16> {
    let width = allowed.len();
    let edges: Vec<f32> = allowed
        .iter()
        .enumerate()
        .flat_map(|(to, label)| {
            allowed.iter().enumerate().map(move |(from, before)| ((from, *before), (to, *label)))
        })
        .map(|(from, to)| if follows(from.1, to.1) { transition(from, to) } else { f32::NEG_INFINITY })
        .collect();
    let mut best: Vec<f32> = vec![0.0; width];
    let mut back: Vec<u16> = Vec::with_capacity(scores.len() * width);
    for (at, row) in scores.iter().enumerate() {
        let mut next = Vec::with_capacity(width);
        for ((to, score), edges) in allowed.iter().zip(row).zip(edges.chunks(width)) {
            let (mut from, mut high) = (0_u16, f32::NEG_INFINITY);
            if at == 0 {
                // Nothing stands before the first word: as if it were outside.
                high =
                    if follows(0, *to) { edges.first().copied().unwrap_or(0.0) } else { f32::NEG_INFINITY };
            } else {
                for (index, (before, edge)) in (0_u16..).zip(best.iter().zip(edges)) {
                    if before + edge > high {
                        high = before + edge;
                        from = index;
                    }
                }
            }
            next.push(high + score);
            back.push(from);
        }
        best = next;
    }
    let mut state = best
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))
        .map_or(0, |(index, _)| index);
    let mut path = Vec::with_capacity(scores.len());
    for row in back.chunks(width.max(1)).rev() {
        path.push(allowed.get(state).copied().unwrap_or(0));
        state = row.get(state).copied().map_or(0, usize::from);
    }
    path.reverse();
    path
}

/// First word, last word and slot of each entity of a path.
fn spans(path: &[u16]) -> Vec<(usize, usize, usize)> {
    let mut spans: Vec<(usize, usize, usize)> = Vec::new();
    for (at, label) in path.iter().enumerate() {
        let Some(slot) = label.checked_sub(1).map(|index| usize::from(index / 2)) else {
            continue;
        };
        match spans.last_mut() {
            Some(last) if label % 2 == 0 && last.2 == slot && last.1 + 1 == at => last.1 = at,
            _ => spans.push((at, at, slot)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::data::{Annotation, Example};

    #[test]
    fn the_best_path_continues_only_what_it_began() {
        // Words score for "continue" alone: it has to begin first.
        let scores = vec![vec![0.0, 0.4, 2.0], vec![0.0, 0.0, 2.0]];
        assert_eq!(viterbi(&scores, &[0, 1, 2], |_, _| 0.0), [1, 2]);
        assert!(viterbi(&[], &[0], |_, _| 0.0).is_empty());
    }

    #[test]
    fn spans_end_where_the_next_begins() {
        assert_eq!(spans(&[0, 1, 2, 1, 0, 3]), [(1, 2, 0), (3, 3, 0), (5, 5, 1)]);
    }

    #[test]
    fn an_unseen_value_is_found_by_its_context() {
        let names =
            ["oslo", "rome", "paris", "lima", "cairo", "delhi", "quito", "bern", "nairobi", "new york"];
        let examples: Vec<Example> = names
            .iter()
            .map(|name| Example {
                text: format!("get me a ticket to {name} please"),
                annotations: vec![Annotation {
                    start: 19,
                    end: 19 + name.len(),
                    entity: "city".into(),
                    value: None,
                    role: None,
                    group: None,
                }],
            })
            .collect();
        let texts: Vec<Text> = examples.iter().map(|example| Text::new(&example.text)).collect();
        let items: Vec<Tagged<'_>> =
            texts.iter().zip(&examples).map(|(text, example)| Tagged { text, example, class: 0 }).collect();
        let tagger = learn(&items, 1, crate::nlu::entity::Language::English, &BTreeMap::new(), 1, &mut || {});
        let text = Text::new("a ticket to kuala lumpur please");
        let mut found = Vec::new();
        tagger.find(&text, 0, &[], &mut found);
        let texts: Vec<&str> = found.iter().map(|c| &text.normal[c.start..c.end]).collect();
        assert_eq!(texts.len(), 1);
        assert!(texts[0].starts_with("kuala"));
        let mut stored: Tagger = postcard::from_bytes(&postcard::to_stdvec(&tagger).unwrap()).unwrap();
        assert!(stored.restore(1));
        assert!(!stored.restore(2));
    }
}
