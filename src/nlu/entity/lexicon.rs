//! Words and phrases that are known to be entities: lookup tables, synonyms, and the values that
//! examples annotate. All are found in one pass over the text, on word boundaries only; then values
//! of tables that are [nearly](super::fuzzy) said.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Candidate;
use super::fuzzy::Fuzzy;
use crate::nlu::data::Example;
use crate::nlu::text::{Text, code_points, normalise};
use crate::nlu::types::Extractor;

/// Matches that are looked at in one utterance.
const MAX_MATCHES: usize = 2_000;
/// An annotated value is trusted outside its example when at least this share of its occurrences
/// in the examples is annotated so.
const TRUSTED: f32 = 0.5;
/// How sure a table's value is that is said without its marks, with one slip, and with more.
const ONLY_MARKS: f32 = 0.9;
const ONE_SLIP: f32 = 0.8;
const MORE_SLIPS: f32 = 0.7;

/// What a phrase is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Sense {
    /// Index of the phrase.
    phrase: u32,
    entity: String,
    role: Option<String>,
    group: Option<String>,
    /// Canonical value; `None`: as said.
    value: Option<String>,
    /// From a lookup table, rather than from an annotation.
    table: bool,
    /// How often the phrase is this, in percent of its occurrences.
    percent: u8,
}

/// See the [module](self).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Lexicon {
    phrases: Vec<String>,
    /// In order of the phrase.
    senses: Vec<Sense>,
    fuzzy: Fuzzy,
    #[serde(skip)]
    automaton: Option<AhoCorasick>,
}

impl Lexicon {
    /// Rebuilds what is not stored; false when what was stored cannot be used.
    pub(crate) fn restore(&mut self) -> bool {
        let sound = self.senses.is_sorted_by_key(|sense| sense.phrase)
            && self.senses.iter().all(|sense| (sense.phrase as usize) < self.phrases.len())
            && self.phrases.iter().all(|phrase| !phrase.is_empty())
            && self.fuzzy.is_sound();
        self.automaton = automaton(&self.phrases);
        self.fuzzy.restore(of_tables(&self.phrases, &self.senses));
        sound && (self.phrases.is_empty() || self.automaton.is_some())
    }

    /// Proposes what it finds. `expected` tells which entities the intent's examples annotate: a
    /// learned value of another entity is not proposed.
    pub(crate) fn find(&self, text: &Text, expected: impl Fn(&str) -> bool, candidates: &mut Vec<Candidate>) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        for found in automaton.find_overlapping_iter(&text.normal).take(MAX_MATCHES) {
            let (start, end) = (found.start(), found.end());
            if !text.on_word_boundaries(start, end) {
                continue;
            }
            let senses = self.senses_of(found.pattern().as_u32());
            for sense in senses.filter(|sense| sense.table || expected(&sense.entity)) {
                candidates.push(sense.candidate(start, end, f32::from(sense.percent.min(99)) / 100.0));
            }
        }
    }

    /// Adds what the tables nearly say, where nothing else was found but what the engine brings.
    /// Call last. What the model learned keeps its place, and takes the value that is meant; of the
    /// same entity it gives way if it saw only a part.
    pub(crate) fn correct(
        &self,
        text: &Text,
        expected: impl Fn(&str) -> bool,
        candidates: &mut Vec<Candidate>,
    ) {
        let mut nearly: Vec<Candidate> = Vec::new();
        for near in self.fuzzy.find(text) {
            let place = (near.start, near.end);
            for sense in self.senses_of(near.phrase).filter(|sense| sense.table && expected(&sense.entity)) {
                let learned = |found: &Candidate| {
                    let same = found.extractor == Extractor::Model && found.entity == sense.entity;
                    same && found.value.is_none() && found.start >= place.0 && found.end <= place.1
                };
                let whole = |found: &&mut Candidate| learned(found) && (found.start, found.end) == place;
                if let Some(found) = candidates.iter_mut().find(whole) {
                    found.value = sense.value.clone().map(Value::String);
                    continue;
                }
                let taken = candidates.iter().any(|found| {
                    let overlaps = found.start < place.1 && place.0 < found.end;
                    overlaps && found.extractor != Extractor::Builtin && !learned(found)
                });
                if !taken {
                    candidates.retain(|found| !learned(found));
                    let confidence = [ONLY_MARKS, ONE_SLIP].get(near.edits).copied().unwrap_or(MORE_SLIPS);
                    nearly.push(sense.candidate(place.0, place.1, confidence));
                }
            }
        }
        candidates.append(&mut nearly);
    }

    fn senses_of(&self, phrase: u32) -> impl Iterator<Item = &Sense> {
        let first = self.senses.partition_point(|sense| sense.phrase < phrase);
        self.senses.iter().skip(first).take_while(move |sense| sense.phrase == phrase)
    }
}

impl Sense {
    fn candidate(&self, start: usize, end: usize, confidence: f32) -> Candidate {
        Candidate {
            start,
            end,
            entity: self.entity.clone(),
            value: self.value.clone().map(Value::String),
            confidence,
            role: self.role.clone(),
            group: self.group.clone(),
            extractor: Extractor::Lookup,
            time_dependent: false,
        }
    }
}

/// Phrases of lookup tables, with their numbers.
fn of_tables<'a>(phrases: &'a [String], senses: &'a [Sense]) -> impl Iterator<Item = (u32, &'a str)> {
    let numbers = senses.chunk_by(|a, b| a.phrase == b.phrase).filter_map(|senses| {
        let sense = senses.iter().find(|sense| sense.table)?;
        Some(sense.phrase)
    });
    numbers.filter_map(|number| Some((number, phrases.get(number as usize)?.as_str())))
}

fn automaton(phrases: &[String]) -> Option<AhoCorasick> {
    if phrases.is_empty() {
        return None;
    }
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(phrases).ok()
}

/// Collects phrases before they are frozen.
#[derive(Default)]
pub(crate) struct LexiconBuilder {
    /// Canonical value by normalised variant.
    synonyms: BTreeMap<String, String>,
    tables: BTreeSet<(String, String, Option<String>)>,
    /// How often each normalised value was annotated as each thing.
    annotated: BTreeMap<String, BTreeMap<Meaning, u32>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Meaning {
    entity: String,
    role: Option<String>,
    group: Option<String>,
    value: Option<String>,
}

impl LexiconBuilder {
    pub(crate) fn synonym(&mut self, variant: &str, value: &str) {
        self.synonyms.insert(normalise(variant), value.to_owned());
    }

    /// Call after all synonyms: a variant of a table's value belongs to the table too.
    pub(crate) fn table(&mut self, entity: &str, values: &BTreeSet<String>) {
        let mut canonical: BTreeMap<String, &str> = BTreeMap::new();
        for value in values {
            let phrase = normalise(value);
            let stands_for = self.synonyms.get(&phrase).cloned().unwrap_or_else(|| value.clone());
            self.tables.insert((phrase.clone(), entity.to_owned(), Some(stands_for)));
            canonical.insert(phrase, value);
        }
        let variants: Vec<_> = self
            .synonyms
            .iter()
            .filter(|(_, value)| canonical.contains_key(&normalise(value)))
            .map(|(variant, value)| (variant.clone(), entity.to_owned(), Some(value.clone())))
            .collect();
        self.tables.extend(variants);
    }

    /// Call after all synonyms.
    pub(crate) fn example(&mut self, example: &Example) {
        for annotation in &example.annotations {
            let said = code_points(&example.text, annotation.start, annotation.end);
            let phrase = normalise(&said);
            let value = annotation.value.clone().or_else(|| self.synonyms.get(&phrase).cloned());
            let meaning = Meaning {
                entity: annotation.entity.clone(),
                role: annotation.role.clone(),
                group: annotation.group.clone(),
                value,
            };
            *self.annotated.entry(phrase).or_default().entry(meaning).or_default() += 1;
        }
    }

    /// The canonical value of every normalised variant.
    pub(crate) fn synonyms(&self) -> &BTreeMap<String, String> {
        &self.synonyms
    }

    /// Freezes; `sentences` are the examples' texts, in which occurrences are counted, in a language
    /// given by its BCP 47 primary tag.
    pub(crate) fn build<'a>(
        self,
        language: &str,
        sentences: impl Iterator<Item = &'a Text> + Clone,
    ) -> Lexicon {
        let occurrences = occurrences(&self.annotated, sentences.clone());
        let mut senses: BTreeMap<String, Vec<Sense>> = BTreeMap::new();
        for (phrase, entity, value) in self.tables {
            senses.entry(phrase).or_default().push(Sense {
                phrase: 0,
                entity,
                role: None,
                group: None,
                value,
                table: true,
                percent: 98,
            });
        }
        for (phrase, meanings) in self.annotated {
            let seen = occurrences.get(&phrase).copied().unwrap_or(1).max(1) as f32;
            for (meaning, count) in meanings {
                let share = (count as f32 / seen).min(1.0);
                if share < TRUSTED || phrase.is_empty() {
                    continue;
                }
                let senses = senses.entry(phrase.clone()).or_default();
                let plain = meaning.role.is_none() && meaning.group.is_none();
                if plain && senses.iter().any(|sense| sense.entity == meaning.entity) {
                    continue;
                }
                senses.push(Sense {
                    phrase: 0,
                    entity: meaning.entity,
                    role: meaning.role,
                    group: meaning.group,
                    value: meaning.value,
                    table: false,
                    percent: (share * 97.0) as u8,
                });
            }
        }
        senses.retain(|phrase, senses| !phrase.is_empty() && !senses.is_empty());
        let mut lexicon = Lexicon::default();
        for (index, (phrase, senses)) in (0_u32..).zip(senses) {
            lexicon.phrases.push(phrase);
            lexicon.senses.extend(senses.into_iter().map(|sense| Sense { phrase: index, ..sense }));
        }
        lexicon.automaton = automaton(&lexicon.phrases);
        lexicon.fuzzy = Fuzzy::learn(language, of_tables(&lexicon.phrases, &lexicon.senses), sentences);
        lexicon
    }
}

/// How often each annotated value stands in the sentences at all, on word boundaries.
fn occurrences<'a, T>(
    annotated: &BTreeMap<String, T>,
    sentences: impl Iterator<Item = &'a Text>,
) -> BTreeMap<String, u32> {
    let phrases: Vec<String> = annotated.keys().filter(|phrase| !phrase.is_empty()).cloned().collect();
    let mut counts = BTreeMap::new();
    let Some(automaton) = automaton(&phrases) else {
        return counts;
    };
    for text in sentences {
        for found in automaton.find_overlapping_iter(&text.normal) {
            if text.on_word_boundaries(found.start(), found.end())
                && let Some(phrase) = phrases.get(found.pattern().as_usize())
            {
                *counts.entry(phrase.clone()).or_default() += 1;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Lexicon {
        let mut builder = LexiconBuilder::default();
        builder.synonym("maths", "mathematics");
        builder
            .table("subject", &["Mathematics".to_owned(), "art".to_owned(), "art history".to_owned()].into());
        builder.build("en", std::iter::empty())
    }

    fn found(original: &str) -> Vec<(String, String, Value)> {
        let text = Text::new(original);
        let mut candidates = Vec::new();
        lexicon().find(&text, |_| true, &mut candidates);
        let (entities, _) = super::super::settle(original, &text, candidates);
        entities.into_iter().map(|entity| (entity.entity, entity.text, entity.value)).collect()
    }

    #[test]
    fn a_table_is_found_on_word_boundaries_whatever_its_case() {
        assert_eq!(
            found("MATHEMATICS now"),
            [("subject".into(), "MATHEMATICS".into(), "Mathematics".into())]
        );
        assert!(found("start the party").is_empty());
    }

    #[test]
    fn the_longest_phrase_wins() {
        assert_eq!(found("art history")[0].1, "art history");
    }

    #[test]
    fn a_synonym_of_a_tables_value_belongs_to_the_table() {
        assert_eq!(found("do my maths"), [("subject".into(), "maths".into(), "mathematics".into())]);
    }

    #[test]
    fn a_value_that_is_mostly_an_ordinary_word_is_not_learned() {
        let mut builder = LexiconBuilder::default();
        let annotation = crate::nlu::data::Annotation {
            start: 5,
            end: 9,
            entity: "song".into(),
            value: None,
            role: None,
            group: None,
        };
        builder.example(&Example { text: "play help".into(), annotations: vec![annotation] });
        let sentences: Vec<Text> = ["play help", "help me", "help", "i need help"].map(Text::new).into();
        assert!(builder.build("en", sentences.iter()).senses.is_empty());
    }
}
