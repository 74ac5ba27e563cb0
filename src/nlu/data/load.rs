//! From a YAML tree to training data, collecting every problem on the way.

use std::fmt;

use super::document::{Document, Entry, Item};
use super::yaml::{self, Kind, Node};
use super::{LanguagePack, TrainingData, annotation};
use crate::nlu::entity::compile_pattern;
use crate::nlu::template;

/// More than this many problems are not told apart: the file is of another kind.
const MAX_PROBLEMS: usize = 100;

/// One thing wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The name given for the document.
    pub source: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}. {}", self.source, self.line, self.message, self.fix)
    }
}

/// All that is wrong with a document, in the order of its lines (at most 100 problems).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct LoadError {
    /// At least one.
    pub problems: Vec<Problem>,
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

pub(super) fn parse(source: &str, text: &str) -> Result<TrainingData, LoadError> {
    read(source, text).into_data()
}

pub(super) fn read(source: &str, text: &str) -> Document {
    let pack = LanguagePack::default();
    let mut loader = Loader { source, problems: Vec::new(), pack, entries: Vec::new() };
    let mut language = None;
    match yaml::parse(text) {
        Err(error) => loader.problem(error.line, error.message, "Correct the YAML at this line"),
        Ok(None) => {}
        Ok(Some(root)) => language = loader.document(&root),
    }
    let Loader { problems, pack, entries, .. } = loader;
    Document { source: source.to_owned(), language, entries, problems, pack }
}

struct Loader<'a> {
    source: &'a str,
    problems: Vec<Problem>,
    pack: LanguagePack,
    entries: Vec<Entry>,
}

impl Loader<'_> {
    fn entry(&mut self, line: usize, item: Item) {
        self.entries.push(Entry { line, item });
    }

    fn problem(&mut self, line: usize, message: impl Into<String>, fix: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                source: self.source.to_owned(),
                line,
                message: message.into(),
                fix: fix.into(),
            });
        }
    }

    /// Reads the document into the pack; the language that it names.
    fn document(&mut self, root: &Node) -> Option<String> {
        let mut language = None;
        let Kind::Mapping(pairs) = &root.kind else {
            // A file that holds nothing but comments is a null scalar.
            if root.as_str() != Some("~") && root.as_str() != Some("") {
                self.problem(
                    root.line,
                    "the document is not a mapping",
                    "Start it with \"nlu:\" on a line of its own",
                );
            }
            return language;
        };
        for (key, value) in pairs {
            match key.as_str() {
                Some("language") => match value.as_str().and_then(primary_tag) {
                    Some(tag) => language = Some(tag),
                    None => self.problem(
                        value.line,
                        "\"language\" is not a language tag",
                        "Write a BCP-47 tag such as \"language: en\"",
                    ),
                },
                Some("version") => self.version(value),
                Some("nlu") => self.items(value),
                Some("responses") => self.responses(value),
                // Stories, rules, slots, session_config … belong to other parts of Rasa.
                _ => {}
            }
        }
        language
    }

    fn version(&mut self, node: &Node) {
        let known =
            node.as_str().is_some_and(|text| text.split('.').next() == Some("3") || text.starts_with("2."));
        if !known {
            self.problem(node.line, "this version of the format is not known", "Write version: \"3.1\"");
        }
    }

    fn items(&mut self, node: &Node) {
        let items = match &node.kind {
            Kind::Sequence(items) => items,
            Kind::Scalar(text) if text.is_empty() || text == "~" => return,
            _ => {
                self.problem(node.line, "\"nlu\" is not a list", "Start each item with \"- intent: name\"");
                return;
            }
        };
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Node) {
        const KINDS: [&str; 4] = ["intent", "synonym", "regex", "lookup"];
        let Some((kind, name)) = KINDS.iter().find_map(|kind| item.get(kind).map(|name| (*kind, name)))
        else {
            self.problem(
                item.line,
                "this item is neither intent, synonym, regex nor lookup",
                "Start it with \"- intent: name\", \"- synonym: value\", \"- regex: entity\" or \"- lookup: entity\"",
            );
            return;
        };
        let Some(name_text) = name.as_str().map(str::trim).filter(|text| !text.is_empty()) else {
            self.problem(name.line, format!("this {kind} has no name"), format!("Write \"- {kind}: name\""));
            return;
        };
        let templates = item.get("templates").filter(|_| kind == "intent");
        for (line, text) in templates.map(|node| self.examples(node)).unwrap_or_default() {
            match template::parse(&text) {
                Ok(piece) => {
                    let (intent, template) = (name_text.to_owned(), text.clone());
                    self.entry(line, Item::Template { intent, template, lookups: piece.lookups() });
                    self.pack.templates.entry(name_text.to_owned()).or_default().insert(text);
                }
                Err(message) => {
                    self.problem(line, message, "Write it as \"turn (on|off) [the] {device}\"");
                }
            }
        }
        let Some(examples) = item.get("examples") else {
            if templates.is_some() {
                return;
            }
            self.problem(
                item.line,
                format!("{kind} {name_text} has no examples"),
                "Add \"examples: |\" with one \"- …\" per line",
            );
            return;
        };
        for (line, text) in self.examples(examples) {
            match kind {
                "intent" => self.sentence(name_text, line, &text),
                "synonym" => {
                    self.entry(line, Item::Synonym { value: name_text.to_owned(), variant: text.clone() });
                    self.pack.add_synonym(text, name_text.to_owned());
                }
                "lookup" => {
                    self.entry(line, Item::Lookup { entity: name_text.to_owned(), value: text.clone() });
                    self.pack.lookups.entry(name_text.to_owned()).or_default().insert(text);
                }
                _ => self.pattern(name_text, line, text),
            }
        }
    }

    /// The entries of a `|` block, or of a YAML list of strings or `text:` mappings, with lines.
    fn examples(&mut self, node: &Node) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        match &node.kind {
            Kind::Scalar(block) => {
                for (index, raw) in block.lines().enumerate() {
                    let line = node.line + index;
                    let entry = raw.trim();
                    if let Some(text) = entry.strip_prefix('-') {
                        let text = text.trim();
                        if !text.is_empty() {
                            found.push((line, text.to_owned()));
                        }
                    } else if !entry.is_empty() && !entry.starts_with('#') {
                        self.problem(
                            line,
                            "this example does not start with \"- \"",
                            "Put each example on its own line after \"- \"",
                        );
                    }
                }
            }
            Kind::Sequence(items) => {
                for item in items {
                    match item.as_str().or_else(|| item.get("text").and_then(Node::as_str)) {
                        Some(text) if !text.trim().is_empty() => {
                            found.push((item.line, text.trim().trim_start_matches("- ").to_owned()));
                        }
                        _ => self.problem(item.line, "this example has no text", "Write it as \"- text: …\""),
                    }
                }
            }
            Kind::Mapping(_) => self.problem(
                node.line,
                "\"examples\" is a mapping",
                "Write \"examples: |\" and one \"- …\" per line",
            ),
        }
        found
    }

    fn sentence(&mut self, intent: &str, line: usize, text: &str) {
        match annotation::parse(text) {
            Ok(example) if example.text.is_empty() => {}
            Ok(example) => {
                self.entry(line, Item::Example { intent: intent.to_owned(), example: example.clone() });
                self.pack.intents.entry(intent.to_owned()).or_default().insert(example);
            }
            Err(message) => {
                self.problem(line, message, "Write [text](entity) or [text]{\"entity\": \"name\"}");
            }
        }
    }

    fn pattern(&mut self, entity: &str, line: usize, pattern: String) {
        if let Err(error) = compile_pattern(&pattern) {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.problem(
                line,
                format!("the regex of {entity} is not accepted: {reason}"),
                "Use the syntax of the Rust regex crate: no look-around, no back-references",
            );
        } else {
            self.entry(line, Item::Regex { entity: entity.to_owned(), pattern: pattern.clone() });
            self.pack.regexes.entry(entity.to_owned()).or_default().insert(pattern);
        }
    }

    fn responses(&mut self, node: &Node) {
        let Kind::Mapping(pairs) = &node.kind else {
            self.problem(
                node.line,
                "\"responses\" is not a mapping",
                "Write \"utter_<intent>:\" and under it \"- text: …\"",
            );
            return;
        };
        for (key, value) in pairs {
            let Some(intent) =
                key.as_str().and_then(|name| name.strip_prefix("utter_")).filter(|name| !name.is_empty())
            else {
                self.problem(key.line, "this response belongs to no intent", "Name it utter_<intent>");
                continue;
            };
            let Kind::Sequence(items) = &value.kind else {
                self.problem(
                    value.line,
                    format!("utter_{intent} is not a list"),
                    "Write one \"- text: …\" per variant",
                );
                continue;
            };
            for item in items {
                match item.get("text").and_then(Node::as_str).map(str::trim) {
                    Some(text) if !text.is_empty() => {
                        let response = Item::Response { intent: intent.to_owned(), text: text.to_owned() };
                        self.entry(item.line, response);
                        self.pack.responses.entry(intent.to_owned()).or_default().insert(text.to_owned());
                    }
                    // Rasa also has custom and button-only variants; they hold no sentence.
                    _ if item.get("custom").is_some() || item.get("buttons").is_some() => {}
                    _ => self.problem(item.line, "this variant has no text", "Write it as \"- text: …\""),
                }
            }
        }
    }
}

/// `en` of `en-US` or `EN_us`; `None` when that is no language.
pub(crate) fn primary_tag(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let letters = primary.bytes().all(|byte| byte.is_ascii_lowercase());
    (letters && (2..=3).contains(&primary.len()) && primary != "und").then_some(primary)
}

#[cfg(test)]
mod tests;
