//! The entities of the examples themselves: who says a sentence of the data, word by word, gets
//! what its author annotated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::nlu::data::Example;
use crate::nlu::entity::Candidate;
use crate::nlu::rng::hash_text;
use crate::nlu::text::{Text, Token, TokenKind, code_points, normalise, sentence_key};
use crate::nlu::types::Extractor;

/// What an annotated stretch is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Meaning {
    entity: String,
    role: Option<String>,
    group: Option<String>,
    value: Option<String>,
}

/// First word, last word, meaning.
type Span = (u16, u16, u32);

/// See the [module](self).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Examples {
    meanings: Vec<Meaning>,
    /// Hashes of sentences, ascending, and what they annotate. Sentences that are annotated in two
    /// ways, or in the middle of a word, are not here.
    sentences: Vec<(u64, Vec<Span>)>,
}

impl Examples {
    /// Of sentences and their texts; `synonyms` maps normalised variants to values.
    pub(crate) fn new<'a>(
        examples: impl Iterator<Item = (&'a Text, &'a Example)>,
        synonyms: &BTreeMap<String, String>,
    ) -> Self {
        let mut meanings: BTreeMap<Meaning, u32> = BTreeMap::new();
        let mut sentences: BTreeMap<u64, Option<Vec<Span>>> = BTreeMap::new();
        let mut annotated = false;
        for (text, example) in examples {
            annotated |= !example.annotations.is_empty();
            let spans = spans(text, example, synonyms, &mut meanings);
            sentences
                .entry(hash_text(&sentence_key(text)))
                .and_modify(|known| {
                    if *known != spans {
                        *known = None;
                    }
                })
                .or_insert(spans);
        }
        if !annotated {
            return Self::default();
        }
        let mut ordered: Vec<(u32, Meaning)> =
            meanings.into_iter().map(|(meaning, number)| (number, meaning)).collect();
        ordered.sort_unstable();
        Self {
            meanings: ordered.into_iter().map(|(_, meaning)| meaning).collect(),
            sentences: sentences.into_iter().filter_map(|(key, spans)| Some((key, spans?))).collect(),
        }
    }

    /// Whether what was read from bytes can be used.
    pub(crate) fn is_sound(&self) -> bool {
        self.sentences.is_sorted_by_key(|sentence| sentence.0)
    }

    /// What the example that an utterance is annotates; `None` where it is no example.
    pub(crate) fn find(&self, text: &Text) -> Option<Vec<Candidate>> {
        let key = hash_text(&sentence_key(text));
        let at = self.sentences.binary_search_by_key(&key, |sentence| sentence.0).ok()?;
        let words = words(text);
        let (_, spans) = self.sentences.get(at)?;
        spans
            .iter()
            .map(|(first, last, meaning)| {
                let meaning = self.meanings.get(*meaning as usize)?;
                Some(Candidate {
                    start: words.get(usize::from(*first))?.start,
                    end: words.get(usize::from(*last))?.end,
                    entity: meaning.entity.clone(),
                    value: meaning.value.clone().map(Value::String),
                    confidence: 0.99,
                    role: meaning.role.clone(),
                    group: meaning.group.clone(),
                    extractor: Extractor::Template,
                    time_dependent: false,
                })
            })
            .collect()
    }
}

fn words(text: &Text) -> Vec<Token> {
    text.tokens.iter().filter(|token| token.kind != TokenKind::Symbol).copied().collect()
}

fn spans(
    text: &Text,
    example: &Example,
    synonyms: &BTreeMap<String, String>,
    meanings: &mut BTreeMap<Meaning, u32>,
) -> Option<Vec<Span>> {
    let words = words(text);
    let mut spans = Vec::new();
    for annotation in &example.annotations {
        let places = words.iter().map(|word| text.origin(word.start, word.end));
        let first = places.clone().position(|(start, _)| start == annotation.start)?;
        let last = places.clone().rposition(|(_, end)| end == annotation.end)?;
        let said = normalise(&code_points(&example.text, annotation.start, annotation.end));
        let meaning = Meaning {
            entity: annotation.entity.clone(),
            role: annotation.role.clone(),
            group: annotation.group.clone(),
            value: annotation.value.clone().or_else(|| synonyms.get(&said).cloned()),
        };
        let number = u32::try_from(meanings.len()).ok()?;
        let number = *meanings.entry(meaning).or_insert(number);
        spans.push((u16::try_from(first).ok()?, u16::try_from(last).ok()?, number));
    }
    Some(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::data::Annotation;

    fn example(text: &str, start: usize, end: usize, entity: &str) -> Example {
        let annotation =
            Annotation { start, end, entity: entity.into(), value: None, role: None, group: None };
        Example { text: text.into(), annotations: vec![annotation] }
    }

    #[test]
    fn a_sentence_of_the_data_has_what_it_annotates_unless_it_says_two_things() {
        let data = [
            example("play help, please", 5, 9, "song"),
            example("play queen", 5, 10, "artist"),
            example("play queen!", 5, 10, "song"),
        ];
        let texts: Vec<Text> = data.iter().map(|example| Text::new(&example.text)).collect();
        let synonyms = BTreeMap::from([("help".to_owned(), "Help!".to_owned())]);
        let examples = Examples::new(texts.iter().zip(&data), &synonyms);
        let text = Text::new("Play HELP please");
        let found = examples.find(&text).unwrap();
        assert_eq!((found[0].start, found[0].end, found[0].entity.as_str()), (5, 9, "song"));
        assert_eq!(found[0].value, Some("Help!".into()));
        assert!(examples.find(&Text::new("play queen")).is_none());
        assert!(examples.find(&Text::new("play")).is_none());
    }
}
