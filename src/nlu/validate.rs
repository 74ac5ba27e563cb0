//! What is wrong, or looks wrong, with training data: each with its place and what to do.
//!
//! Languages are checked apart: the same sentence may well mean two things in two of them. The
//! checks take time in proportion to the data.

mod annotations;
mod sentences;
mod templates;
mod unused;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::data::{Document, Example, Item, OUT_OF_SCOPE};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The data cannot be meant so.
    Error,
    /// The model will be worse for it.
    Warning,
    /// Perhaps something was forgotten.
    Hint,
}

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The document cannot be read: YAML, markup, a regex.
    Format,
    /// There is no sentence of an intent.
    NoExamples,
    /// One sentence, two intents.
    ConflictingIntents,
    /// Annotations that overlap.
    OverlappingAnnotations,
    /// A template that takes values from a list that nothing defines.
    UnknownList,
    /// One sentence twice in one intent.
    DuplicateSentence,
    /// One sentence twice in one intent, annotated differently.
    ConflictingAnnotations,
    /// An intent with too few sentences.
    FewExamples,
    /// An entity type that is hardly annotated.
    RareEntity,
    /// An entity type with hardly more than one value.
    DominantValue,
    /// An annotated value that stands unannotated in other sentences of the intent.
    Unannotated,
    /// A lookup table of an entity type that no sentence annotates.
    UnusedLookup,
    /// A regex of an entity type that no sentence annotates.
    UnusedRegex,
    /// A synonym of a value that no sentence and no table has.
    UnusedSynonym,
    /// A response without an intent.
    ResponseWithoutIntent,
    /// An intent without a response, where others have one.
    IntentWithoutResponse,
}

impl Check {
    /// How bad it is.
    pub fn level(self) -> Level {
        match self {
            Self::Format
            | Self::NoExamples
            | Self::ConflictingIntents
            | Self::OverlappingAnnotations
            | Self::UnknownList => Level::Error,
            Self::DuplicateSentence
            | Self::ConflictingAnnotations
            | Self::FewExamples
            | Self::RareEntity
            | Self::DominantValue
            | Self::Unannotated => Level::Warning,
            Self::UnusedLookup
            | Self::UnusedRegex
            | Self::UnusedSynonym
            | Self::ResponseWithoutIntent
            | Self::IntentWithoutResponse => Level::Hint,
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was checked.
    pub check: Check,
    /// The name given for the document.
    pub source: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Hint => "hint",
        };
        write!(f, "{}:{}: {level}: {}. {}", self.source, self.line, self.message, self.fix)
    }
}

/// Checks documents together, as a model would be trained on them. The findings come in the
/// order of the documents and their lines.
pub fn validate(documents: &[Document]) -> Vec<Finding> {
    let mut findings = Findings { documents, found: Vec::new() };
    let mut languages: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
    for (number, document) in documents.iter().enumerate() {
        for problem in &document.problems {
            let place = Place { document: number, line: problem.line };
            findings.add(Check::Format, place, problem.message.clone(), &problem.fix);
        }
        languages.entry(document.language()).or_default().extend(
            document.entries.iter().map(|entry| Entry {
                place: Place { document: number, line: entry.line },
                item: &entry.item,
            }),
        );
    }
    let mut entries = documents.iter().flat_map(|document| &document.entries);
    let is_said = |item: &Item| match item {
        Item::Example { intent, .. } | Item::Template { intent, .. } => intent != OUT_OF_SCOPE,
        _ => false,
    };
    if !documents.is_empty() && !entries.any(|entry| is_said(&entry.item)) {
        let place = Place { document: 0, line: 1 };
        let message = "there is no sentence of an intent".to_owned();
        findings.add(Check::NoExamples, place, message, "Add \"- intent: name\" with \"examples: |\"");
    }
    for entries in languages.values() {
        let sentences: Vec<Sentence<'_>> = entries.iter().filter_map(Sentence::of).collect();
        let templates = templates::check(entries, &mut findings);
        sentences::check(&sentences, &templates, &mut findings);
        annotations::check(&sentences, entries, &mut findings);
        unused::check(&sentences, entries, &mut findings);
    }
    let mut found = findings.found;
    found.sort_by_key(|(place, finding)| (place.document, place.line, finding.check));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// A line of a document, by the number of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    document: usize,
    line: usize,
}

/// What stands there.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    place: Place,
    item: &'a Item,
}

/// A sentence of an intent.
#[derive(Debug, Clone, Copy)]
struct Sentence<'a> {
    place: Place,
    intent: &'a str,
    example: &'a Example,
}

impl<'a> Sentence<'a> {
    fn of(entry: &Entry<'a>) -> Option<Self> {
        match entry.item {
            Item::Example { intent, example } => Some(Self { place: entry.place, intent, example }),
            _ => None,
        }
    }
}

struct Findings<'a> {
    documents: &'a [Document],
    found: Vec<(Place, Finding)>,
}

impl Findings<'_> {
    fn add(&mut self, check: Check, place: Place, message: String, fix: &str) {
        let source = self.source(place).to_owned();
        let fix = fix.to_owned();
        let finding = Finding { level: check.level(), check, source, line: place.line, message, fix };
        self.found.push((place, finding));
    }

    fn source(&self, place: Place) -> &str {
        self.documents.get(place.document).map_or("", |document| document.source.as_str())
    }

    /// How a message points at another place than its own.
    fn at(&self, place: Place) -> String {
        format!("{}:{}", self.source(place), place.line)
    }
}

/// A text in quotes, cut to what fits in a line.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("\"{}…\"", text.get(..at).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests;
