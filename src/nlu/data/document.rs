//! One document as it was written: every entry with its line, beside what it comes to.
//!
//! Training wants merged, sorted sets; whoever checks or measures wants each line as it stands,
//! repetitions included.

use std::collections::BTreeSet;

use super::{Example, LanguagePack, LoadError, Problem, TrainingData, load};

/// The language of a document that names none.
const DEFAULT_LANGUAGE: &str = "en";

/// A document that was read, with whatever is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The name given for it.
    pub source: String,
    /// The BCP-47 primary tag that it names, if it names one.
    pub language: Option<String>,
    /// What it says, in the order of its lines; entries with a problem are left out.
    pub entries: Vec<Entry>,
    /// What is wrong with it (at most 100 problems).
    pub problems: Vec<Problem>,
    pub(super) pack: LanguagePack,
}

/// One line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Line, from 1.
    pub line: usize,
    /// What it says.
    pub item: Item,
}

/// What a line can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A sentence of an intent.
    Example {
        /// The intent.
        intent: String,
        /// The sentence.
        example: Example,
    },
    /// A sentence template of an intent; it can be read.
    Template {
        /// The intent.
        intent: String,
        /// The template.
        template: String,
        /// The lookup tables that it takes values from.
        lookups: BTreeSet<String>,
    },
    /// Another way to say a value.
    Synonym {
        /// The canonical value.
        value: String,
        /// The other way.
        variant: String,
    },
    /// A value of an entity type.
    Lookup {
        /// The entity type.
        entity: String,
        /// The value.
        value: String,
    },
    /// A pattern of an entity type; it compiles.
    Regex {
        /// The entity type.
        entity: String,
        /// The pattern.
        pattern: String,
    },
    /// A response template.
    Response {
        /// The intent that it answers.
        intent: String,
        /// The template.
        text: String,
    },
}

impl Document {
    /// Reads one document in the format of [`TrainingData::parse_yaml`]. Never fails: what is
    /// wrong stands in [`Document::problems`].
    pub fn read(source: &str, text: &str) -> Self {
        load::read(source, text)
    }

    /// The language of the entries: the one named, else English.
    pub fn language(&self) -> &str {
        self.language.as_deref().unwrap_or(DEFAULT_LANGUAGE)
    }

    /// The sentences with their intents, in the order of their lines, repetitions included.
    pub fn examples(&self) -> impl Iterator<Item = (&str, &Example)> {
        self.entries.iter().filter_map(|entry| match &entry.item {
            Item::Example { intent, example } => Some((intent.as_str(), example)),
            _ => None,
        })
    }

    /// What it comes to.
    ///
    /// # Errors
    ///
    /// [`LoadError`] with all its problems, if it has any.
    pub fn into_data(self) -> Result<TrainingData, LoadError> {
        if !self.problems.is_empty() {
            return Err(LoadError { problems: self.problems });
        }
        let mut data = TrainingData::default();
        if self.pack != LanguagePack::default() {
            let language = self.language.unwrap_or_else(|| DEFAULT_LANGUAGE.to_owned());
            data.packs.insert(language, self.pack);
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_keeps_its_line_and_repetitions_stay() {
        let document = Document::read(
            "pack.yml",
            "nlu:\n- intent: a\n  examples: |\n    - hello\n    - hello\n- synonym: s\n  examples: |\n    - v\n- lookup: l\n  examples: |\n    - w\n- regex: r\n  examples: |\n    - x+\nresponses:\n  utter_a:\n  - text: hi\n",
        );
        let lines: Vec<usize> = document.entries.iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [4, 5, 8, 11, 14, 17]);
        assert_eq!(document.examples().count(), 2);
        assert_eq!((document.language.as_deref(), document.language()), (None, "en"));
        assert_eq!(document.into_data().unwrap().example_count(), 1);
    }

    #[test]
    fn a_document_with_problems_still_shows_the_rest() {
        let text = "language: de-AT\nnlu:\n- intent: a\n  examples: |\n    - gut\n    - [x](\n";
        let document = Document::read("pack.yml", text);
        assert_eq!(document.language(), "de");
        assert_eq!((document.entries.len(), document.problems.len()), (1, 1));
        assert!(document.into_data().is_err());
    }
}
