//! Training data: what the owner of a skill pack wrote.
//!
//! A [`TrainingData`] holds any number of merged packs, by language. Everything in it is kept in
//! sorted sets, so that neither its [fingerprint](TrainingData::fingerprint) nor a model trained
//! from it depends on the order in which files were read.

mod annotation;
mod document;
mod load;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::rng::{Rng, hash_text};

pub use document::{Document, Entry, Item};
pub(crate) use load::primary_tag;
pub use load::{LoadError, Problem};

/// The intent name that marks sentences which must not be answered.
pub const OUT_OF_SCOPE: &str = "oos";

/// One annotated stretch of an example.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Annotation {
    /// First Unicode code point of the plain text.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// Entity type, for example `subject`.
    pub entity: String,
    /// The value it stands for, when the pack says that it differs from the text.
    pub value: Option<String>,
    /// What the entity does in the sentence, for example `departure`.
    pub role: Option<String>,
    /// Which other entities it belongs with.
    pub group: Option<String>,
}

/// One example sentence without its markup.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Example {
    /// The sentence as a user would say it.
    pub text: String,
    /// Annotated stretches in order of their start; they do not overlap.
    pub annotations: Vec<Annotation>,
}

/// What the packs say in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LanguagePack {
    /// Examples by intent, [`OUT_OF_SCOPE`] among them.
    pub intents: BTreeMap<String, BTreeSet<Example>>,
    /// Sentence templates by intent, such as `turn (on|off) [the] {device}`; each can be read.
    pub templates: BTreeMap<String, BTreeSet<String>>,
    /// Canonical value by variant.
    pub synonyms: BTreeMap<String, String>,
    /// Values by entity type.
    pub lookups: BTreeMap<String, BTreeSet<String>>,
    /// Patterns by entity type; each compiles.
    pub regexes: BTreeMap<String, BTreeSet<String>>,
    /// Response templates by intent.
    pub responses: BTreeMap<String, BTreeSet<String>>,
}

impl LanguagePack {
    fn merge(&mut self, other: Self) {
        merge_sets(&mut self.intents, other.intents);
        merge_sets(&mut self.templates, other.templates);
        merge_sets(&mut self.lookups, other.lookups);
        merge_sets(&mut self.regexes, other.regexes);
        merge_sets(&mut self.responses, other.responses);
        for (variant, value) in other.synonyms {
            self.add_synonym(variant, value);
        }
    }

    /// Two packs that disagree are settled by the smaller value: a rule that does not depend on
    /// which file came first.
    fn add_synonym(&mut self, variant: String, value: String) {
        let kept = self.synonyms.entry(variant).or_insert_with(|| value.clone());
        if value < *kept {
            *kept = value;
        }
    }
}

fn merge_sets<T: Ord>(into: &mut BTreeMap<String, BTreeSet<T>>, from: BTreeMap<String, BTreeSet<T>>) {
    for (key, values) in from {
        into.entry(key).or_default().extend(values);
    }
}

/// Merged skill packs, by language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainingData {
    packs: BTreeMap<String, LanguagePack>,
}

impl TrainingData {
    /// Parses one document in Rasa NLU YAML 3.1, with Voicera's `language:`, `responses:` and, in an
    /// intent beside or instead of `examples:`, `templates:` as Home Assistant writes sentences:
    ///
    /// ```yaml
    /// nlu:
    /// - intent: turn_on
    ///   templates: |
    ///     - (turn|switch) on [the] {device}
    /// - lookup: device
    ///   examples: |
    ///     - floor lamp
    /// ```
    ///
    /// `source` names the document in problems, for example `education.en.yml`. Keys of other
    /// Rasa files (`stories`, `rules`, `slots` …) are passed over.
    ///
    /// # Errors
    ///
    /// [`LoadError`] lists every problem found, with source, line and what to do about it.
    pub fn parse_yaml(source: &str, text: &str) -> Result<Self, LoadError> {
        load::parse(source, text)
    }

    /// Adds what `other` holds. Examples that stand in both are kept once.
    pub fn merge(&mut self, other: Self) {
        for (language, pack) in other.packs {
            self.packs.entry(language).or_default().merge(pack);
        }
    }

    /// Keeps so many sentences of each intent in each language, out-of-scope negatives among them, drawn
    /// by chance. A seed draws the same sentences from the same data; more of them are those and others.
    /// Templates stay.
    pub fn draw(&mut self, per_intent: usize, seed: u64) {
        for (language, pack) in &mut self.packs {
            for (intent, examples) in &mut pack.intents {
                let mut drawn: Vec<Example> = std::mem::take(examples).into_iter().collect();
                Rng::new(seed ^ hash_text(language).rotate_left(1) ^ hash_text(intent)).shuffle(&mut drawn);
                examples.extend(drawn.into_iter().take(per_intent));
            }
        }
    }

    /// SHA-256 of the content in lower-case hexadecimal, the same for any order of files.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // The derived `Debug` of sorted collections is unambiguous: strings are quoted and escaped.
        hash.update(format!("{:?}", self.packs).as_bytes());
        hex(&hash.finalize())
    }

    /// Whether there is no example, lookup or regex at all.
    pub fn is_empty(&self) -> bool {
        self.packs.values().all(|pack| {
            pack.intents.values().all(BTreeSet::is_empty)
                && pack.templates.is_empty()
                && pack.lookups.is_empty()
                && pack.regexes.is_empty()
        })
    }

    /// The distinct intent names in alphabetical order, without out-of-scope negatives.
    pub fn intents(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self
            .packs
            .values()
            .flat_map(|pack| pack.intents.keys().chain(pack.templates.keys()))
            .map(String::as_str)
            .filter(|name| *name != OUT_OF_SCOPE)
            .collect();
        names.into_iter().collect()
    }

    /// The BCP-47 primary tags that have data, in alphabetical order.
    pub fn languages(&self) -> Vec<&str> {
        self.packs.keys().map(String::as_str).collect()
    }

    /// How many distinct example sentences there are, negatives included.
    pub fn example_count(&self) -> usize {
        self.packs.values().flat_map(|pack| pack.intents.values()).map(BTreeSet::len).sum()
    }

    /// What there is in each language, in alphabetical order of the tag.
    pub fn packs(&self) -> impl Iterator<Item = (&str, &LanguagePack)> {
        self.packs.iter().map(|(language, pack)| (language.as_str(), pack))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> TrainingData {
        TrainingData::parse_yaml("test.yml", text).unwrap()
    }

    const A: &str = "nlu:\n- intent: greet\n  examples: |\n    - hello\n    - hi there\n";
    const B: &str =
        "nlu:\n- intent: greet\n  examples: |\n    - hello\n- intent: bye\n  examples: |\n    - see you\n";

    #[test]
    fn the_fingerprint_does_not_depend_on_the_order_of_files() {
        let mut one = data(A);
        one.merge(data(B));
        let mut two = data(B);
        two.merge(data(A));
        assert_eq!(one.fingerprint(), two.fingerprint());
        assert_eq!(one.fingerprint().len(), 64);
        assert_ne!(one.fingerprint(), data(A).fingerprint());
    }

    #[test]
    fn merging_keeps_a_shared_sentence_once() {
        let mut merged = data(A);
        merged.merge(data(B));
        assert_eq!(merged.example_count(), 3);
        assert_eq!(merged.intents(), ["bye", "greet"]);
        assert_eq!(merged.languages(), ["en"]);
    }

    #[test]
    fn a_seed_draws_the_same_sentences_and_more_of_them_are_those_and_others() {
        let examples = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
        let examples = examples.map(|word| format!("    - sentence {word}\n")).concat();
        let all = data(&format!(
            "nlu:\n- intent: a\n  examples: |\n{examples}- intent: b\n  examples: |\n    - c\n"
        ));
        let drawn = |per_intent, seed| {
            let mut drawn = all.clone();
            drawn.draw(per_intent, seed);
            drawn
        };
        assert_eq!((drawn(5, 1).example_count(), drawn(50, 1)), (6, all.clone()));
        assert_eq!(drawn(5, 1), drawn(5, 1));
        assert_ne!(drawn(5, 1), drawn(5, 2));
        let (few, more) = (drawn(5, 1), drawn(8, 1));
        assert!(few.packs["en"].intents["a"].is_subset(&more.packs["en"].intents["a"]));
    }

    #[test]
    fn nothing_is_empty() {
        assert!(TrainingData::default().is_empty());
        assert!(data("version: \"3.1\"\n").is_empty());
        assert!(!data(A).is_empty());
    }
}
