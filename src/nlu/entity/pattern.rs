//! The regexes of a pack. They run on the original text, whose case and punctuation their author
//! had in mind, and always in linear time.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::Candidate;
use crate::nlu::text::{MAX_CHARS, Text};
use crate::nlu::types::Extractor;

/// What one compiled pattern may take.
const MAX_BYTES: usize = 1 << 20;
/// Matches of one pattern that are looked at.
const MAX_MATCHES: usize = 100;

/// Compiles a pattern as packs may write it: case-insensitive, without look-around.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).case_insensitive(true).size_limit(MAX_BYTES).nest_limit(50).build()
}

/// Compiled patterns with the entity that each finds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Patterns {
    sources: Vec<(String, String)>,
    #[serde(skip)]
    compiled: Vec<Regex>,
}

impl Patterns {
    /// Patterns that do not compile are left out; the loader has told their author.
    pub(crate) fn new(sources: impl Iterator<Item = (String, String)>) -> Self {
        let mut patterns = Self { sources: sources.collect(), compiled: Vec::new() };
        patterns.sources.retain(|(_, pattern)| compile(pattern).is_ok());
        patterns.restore();
        patterns
    }

    /// Compiles what was read from bytes; false when that is impossible.
    pub(crate) fn restore(&mut self) -> bool {
        self.compiled = self.sources.iter().filter_map(|(_, pattern)| compile(pattern).ok()).collect();
        self.compiled.len() == self.sources.len()
    }

    pub(crate) fn find(&self, original: &str, text: &Text, candidates: &mut Vec<Candidate>) {
        if self.compiled.is_empty() {
            return;
        }
        let cut = original.char_indices().nth(MAX_CHARS).map_or(original.len(), |(at, _)| at);
        let Some(seen) = original.get(..cut) else {
            return;
        };
        for (regex, (entity, _)) in self.compiled.iter().zip(&self.sources) {
            for found in regex.find_iter(seen).take(MAX_MATCHES) {
                if let Some((start, end)) = text.of_original(seen, found.start(), found.end()) {
                    candidates.push(Candidate {
                        start,
                        end,
                        entity: entity.clone(),
                        value: None,
                        confidence: 0.95,
                        role: None,
                        group: None,
                        extractor: Extractor::Regex,
                        time_dependent: false,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, original: &str) -> Vec<String> {
        let text = Text::new(original);
        let patterns = Patterns::new(std::iter::once(("room".into(), pattern.into())));
        let mut candidates = Vec::new();
        patterns.find(original, &text, &mut candidates);
        super::super::settle(original, &text, candidates).0.into_iter().map(|entity| entity.text).collect()
    }

    #[test]
    fn a_pattern_finds_its_entity_after_any_text() {
        assert_eq!(found(r"\b[A-Z]{2}-\d{3}\b", "où est é AB-123?"), ["AB-123"]);
    }

    #[test]
    fn patterns_that_would_take_too_much_are_refused() {
        assert!(compile(r"(\w{1000}){1000}").is_err());
        assert!(compile("(").is_err());
    }

    #[test]
    fn an_empty_match_is_nothing() {
        assert!(found("x*", "aaa").is_empty());
    }
}
