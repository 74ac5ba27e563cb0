//! Annotations: overlapping, rare, all alike, or forgotten.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;

use super::{Check, Entry, Findings, Place, Sentence, quoted};
use crate::nlu::data::{Annotation, Item};
use crate::nlu::text::{Text, code_points, normalise};

/// An entity type with fewer annotations is not learned.
const FEWEST: usize = 3;
/// From this many annotations on their values are compared.
const ENOUGH: usize = 10;
/// A value with more than this share of the annotations is all that is learned.
const DOMINANT: f64 = 0.8;
/// A value without annotation so often, and no less often than with one, was forgotten.
const FORGOTTEN: usize = 2;
/// Places in one sentence that are looked at.
const MAX_MATCHES: usize = 1_000;

pub(super) fn check(sentences: &[Sentence<'_>], entries: &[Entry<'_>], findings: &mut Findings<'_>) {
    for sentence in sentences {
        overlapping(sentence, findings);
    }
    types(sentences, entries, findings);
    let mut intents: BTreeMap<&str, Vec<&Sentence<'_>>> = BTreeMap::new();
    for sentence in sentences {
        intents.entry(sentence.intent).or_default().push(sentence);
    }
    for (intent, sentences) in intents {
        forgotten(intent, &sentences, findings);
    }
}

fn overlapping(sentence: &Sentence<'_>, findings: &mut Findings<'_>) {
    let example = sentence.example;
    let ranges_overlap = example.annotations.windows(2).any(|pair| match pair {
        [left, right] => right.start < left.end,
        _ => false,
    });
    // Markup does not nest: of an annotation inside another the outer one's end is left over.
    if ranges_overlap || example.text.contains("](") || example.text.contains("]{") {
        let message = format!("annotations overlap, or their markup is broken: {}", quoted(&example.text));
        let fix = "Annotate each stretch once: [text](entity), with no brackets inside";
        findings.add(Check::OverlappingAnnotations, sentence.place, message, fix);
    }
}

/// An entity type in the sentences.
struct Type {
    place: Place,
    count: usize,
    values: BTreeMap<String, usize>,
}

fn types(sentences: &[Sentence<'_>], entries: &[Entry<'_>], findings: &mut Findings<'_>) {
    // What a table or a pattern finds needs no examples to be found.
    let helped: BTreeSet<&str> = entries
        .iter()
        .filter_map(|entry| match entry.item {
            Item::Lookup { entity, .. } | Item::Regex { entity, .. } => Some(entity.as_str()),
            _ => None,
        })
        .collect();
    let mut types: BTreeMap<&str, Type> = BTreeMap::new();
    for sentence in sentences {
        for annotation in &sentence.example.annotations {
            let found = types.entry(&annotation.entity).or_insert_with(|| Type {
                place: sentence.place,
                count: 0,
                values: BTreeMap::new(),
            });
            found.count += 1;
            *found.values.entry(said(sentence, annotation)).or_default() += 1;
        }
    }
    for (entity, found) in types.into_iter().filter(|(entity, _)| !helped.contains(entity)) {
        if found.count < FEWEST {
            let times = if found.count == 1 { "once" } else { "twice" };
            let message = format!("entity {entity} is annotated only {times}");
            let fix = "Annotate at least 3 examples, better 10, or add a lookup table of its values";
            findings.add(Check::RareEntity, found.place, message, fix);
        }
        let most = found.values.iter().max_by_key(|(_, count)| **count);
        if let Some((value, count)) = most
            && found.count >= ENOUGH
            && *count as f64 > DOMINANT * found.count as f64
        {
            let message =
                format!("{} of {} annotations of entity {entity} are {}", count, found.count, quoted(value));
            findings.add(Check::DominantValue, found.place, message, "Vary the values in the examples");
        }
    }
}

/// An annotated value among the sentences of one intent.
#[derive(Default)]
struct Value<'a> {
    entities: BTreeMap<&'a str, usize>,
    annotated: Option<Place>,
    bare: usize,
    first_bare: Option<Place>,
}

fn forgotten(intent: &str, sentences: &[&Sentence<'_>], findings: &mut Findings<'_>) {
    let mut values: BTreeMap<String, Value<'_>> = BTreeMap::new();
    for sentence in sentences {
        for annotation in &sentence.example.annotations {
            let phrase = said(sentence, annotation);
            // One letter or a digit stands in too many words and numbers to say anything.
            if phrase.chars().filter(|c| c.is_alphabetic()).count() > 1 {
                let value = values.entry(phrase).or_default();
                *value.entities.entry(&annotation.entity).or_default() += 1;
                value.annotated.get_or_insert(sentence.place);
            }
        }
    }
    let mut values: Vec<(String, Value<'_>)> = values.into_iter().collect();
    let Ok(automaton) = AhoCorasick::new(values.iter().map(|(phrase, _)| phrase)) else {
        return;
    };
    for sentence in sentences {
        for index in bare(sentence, &automaton) {
            if let Some((_, value)) = values.get_mut(index) {
                value.bare += 1;
                value.first_bare.get_or_insert(sentence.place);
            }
        }
    }
    for (phrase, value) in values {
        let annotated: usize = value.entities.values().sum();
        let entity = value.entities.iter().max_by_key(|(_, count)| **count);
        if let (Some((entity, _)), Some(place), Some(first)) = (entity, value.first_bare, value.annotated)
            && value.bare >= FORGOTTEN
            && value.bare >= annotated
        {
            let message = format!(
                "{} is annotated as {entity} in {annotated} of the {} sentences of {intent} that have it (at {}), but not here",
                quoted(&phrase),
                annotated + value.bare,
                findings.at(first),
            );
            findings.add(
                Check::Unannotated,
                place,
                message,
                "Annotate it in all of them or in none, unless it means two things",
            );
        }
    }
}

/// The values that stand in a sentence, on word boundaries, outside of every annotation.
fn bare(sentence: &Sentence<'_>, automaton: &AhoCorasick) -> BTreeSet<usize> {
    let text = Text::new(&sentence.example.text);
    automaton
        .find_overlapping_iter(&text.normal)
        .take(MAX_MATCHES)
        .filter(|found| text.on_word_boundaries(found.start(), found.end()))
        .filter(|found| {
            let (start, end) = text.origin(found.start(), found.end());
            sentence.example.annotations.iter().all(|other| end <= other.start || other.end <= start)
        })
        .map(|found| found.pattern().as_usize())
        .collect()
}

/// The normalised text of an annotation.
pub(super) fn said(sentence: &Sentence<'_>, annotation: &Annotation) -> String {
    normalise(&code_points(&sentence.example.text, annotation.start, annotation.end))
}
