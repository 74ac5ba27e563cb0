//! Matching an utterance against templates, in bounded time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Piece;
use crate::nlu::entity::Candidate;
use crate::nlu::text::{Text, TokenKind, normalise};
use crate::nlu::types::Extractor;

/// Steps that one template, and all of them, may take.
const STEPS: usize = 4_000;
const ALL_STEPS: usize = 100_000;
/// Bytes of the longest value of a list.
const LONGEST: usize = 96;
/// Positions that are followed at once.
const POSITIONS: usize = 32;

/// Values of lists, as said and as meant, ascending.
type Lists = BTreeMap<String, Vec<(String, String)>>;

/// The templates of one language.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Templates {
    /// Class of the intent, a word that has to be there, and the template.
    entries: Vec<(u16, String, Piece)>,
    lists: Lists,
}

/// Where in the key, as what list and which entity.
type Capture = (usize, usize, String, String);

impl Templates {
    pub(crate) fn new(
        entries: impl Iterator<Item = (u16, Piece)>,
        lookups: &BTreeMap<String, BTreeSet<String>>,
        synonyms: &BTreeMap<String, String>,
    ) -> Self {
        let entries: Vec<_> = entries.map(|(class, piece)| (class, needed(&piece), piece)).collect();
        if entries.is_empty() {
            return Self::default();
        }
        let mut lists = Lists::new();
        for (name, values) in lookups {
            let mut list: BTreeMap<String, String> = BTreeMap::new();
            for value in values {
                let phrase = normalise(value);
                let meant = synonyms.get(&phrase).cloned().unwrap_or_else(|| value.clone());
                list.insert(key(&Text::new(value)).0, meant);
            }
            let known: BTreeSet<String> = values.iter().map(|value| normalise(value)).collect();
            for (variant, value) in synonyms.iter().filter(|(_, value)| known.contains(&normalise(value))) {
                list.insert(key(&Text::new(variant)).0, value.clone());
            }
            lists.insert(name.clone(), list.into_iter().collect());
        }
        Self { entries, lists }
    }

    /// Whether what was read from bytes can be used.
    pub(crate) fn is_sound(&self, classes: usize) -> bool {
        self.entries.iter().all(|(class, _, piece)| usize::from(*class) < classes && depth(piece, 64))
            && self.lists.values().all(|list| list.is_sorted())
    }

    /// The class of the first template that an utterance is, and the entities in it.
    pub(crate) fn find(&self, text: &Text) -> Option<(usize, Vec<Candidate>)> {
        if self.entries.is_empty() {
            return None;
        }
        let (said, places) = key(text);
        let mut left = ALL_STEPS;
        for (class, _, piece) in self.entries.iter().filter(|(_, needed, _)| said.contains(needed)) {
            let mut search = Search { said: &said, lists: &self.lists, steps: STEPS.min(left) };
            let before = search.steps;
            let starts = BTreeMap::from([(0, Vec::new())]);
            let captures = search.follow(piece, starts).remove(&said.len());
            left -= before - search.steps;
            if let Some(captures) = captures.filter(|_| !said.is_empty()) {
                let found =
                    captures.into_iter().filter_map(|capture| self.candidate(&said, &places, capture));
                return Some((usize::from(*class), found.collect()));
            }
        }
        None
    }

    fn candidate(&self, said: &str, places: &[usize], capture: Capture) -> Option<Candidate> {
        let (start, end, list, entity) = capture;
        let value = self.lists.get(&list)?;
        let at = value.binary_search_by_key(&said.get(start..end)?, |entry| &entry.0).ok()?;
        Some(Candidate {
            start: *places.get(start)?,
            end: places.get(end.checked_sub(1)?)? + 1,
            entity,
            value: value.get(at).map(|entry| Value::String(entry.1.clone())),
            confidence: 0.99,
            role: None,
            group: None,
            extractor: Extractor::Template,
            time_dependent: false,
        })
    }
}

/// The words with single spaces, and where each byte of them stands in the normalised text.
fn key(text: &Text) -> (String, Vec<usize>) {
    let (mut key, mut places) = (String::with_capacity(text.normal.len()), Vec::new());
    let mut end = 0;
    for token in text.tokens.iter().filter(|token| token.kind != TokenKind::Symbol) {
        if !key.is_empty() && token.start > end {
            key.push(' ');
            places.push(end);
        }
        key.push_str(text.slice(*token));
        places.extend(token.start..token.end);
        end = token.end;
    }
    (key, places)
}

/// The longest word that every sentence of a template has; empty when there is none.
fn needed(piece: &Piece) -> String {
    match piece {
        Piece::Word(word) => word.clone(),
        Piece::All(pieces) => pieces.iter().map(needed).max_by_key(String::len).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Whether groups nest no deeper: matching is recursive.
fn depth(piece: &Piece, most: usize) -> bool {
    match piece {
        Piece::All(pieces) | Piece::Any(pieces) => {
            most > 0 && pieces.iter().all(|piece| depth(piece, most - 1))
        }
        _ => true,
    }
}

struct Search<'a> {
    said: &'a str,
    lists: &'a Lists,
    steps: usize,
}

/// Positions that are reached, and what was captured on the first way there.
type Positions = BTreeMap<usize, Vec<Capture>>;

impl Search<'_> {
    fn follow(&mut self, piece: &Piece, from: Positions) -> Positions {
        let mut reached = Positions::new();
        match piece {
            Piece::All(pieces) => {
                let mut now = from;
                for piece in pieces {
                    if now.is_empty() {
                        break;
                    }
                    now = self.follow(piece, now);
                }
                return now;
            }
            Piece::Any(pieces) => {
                for piece in pieces {
                    for (at, captures) in self.follow(piece, from.clone()) {
                        reached.entry(at).or_insert(captures);
                    }
                }
            }
            _ => {
                for (at, captures) in from.into_iter().take(POSITIONS) {
                    let Some(steps) = self.steps.checked_sub(1) else {
                        return Positions::new();
                    };
                    self.steps = steps;
                    self.step(piece, at, captures, &mut reached);
                }
            }
        }
        reached
    }

    fn step(&mut self, piece: &Piece, at: usize, captures: Vec<Capture>, reached: &mut Positions) {
        let rest = self.said.get(at..).unwrap_or_default();
        match piece {
            Piece::Word(word) => {
                if rest.starts_with(word.as_str()) {
                    reached.entry(at + word.len()).or_insert(captures);
                }
            }
            Piece::Space => {
                if rest.starts_with(' ') {
                    reached.entry(at + 1).or_insert(captures);
                } else if at == 0
                    || rest.is_empty()
                    || self.said.get(..at).is_some_and(|said| said.ends_with(' '))
                {
                    reached.entry(at).or_insert(captures);
                }
            }
            Piece::List(list, entity) => {
                let Some(values) = self.lists.get(list) else {
                    return;
                };
                let ends = rest.char_indices().map(|(end, c)| end + c.len_utf8());
                for end in ends.take_while(|end| *end <= LONGEST) {
                    let Some(phrase) = rest.get(..end) else { continue };
                    if values.binary_search_by(|entry| entry.0.as_str().cmp(phrase)).is_ok() {
                        let mut captures = captures.clone();
                        captures.push((at, at + end, list.clone(), entity.clone()));
                        reached.entry(at + end).or_insert(captures);
                    }
                }
            }
            Piece::All(_) | Piece::Any(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::template::parse;

    fn found(template: &str, said: &str) -> Option<Vec<(String, Value)>> {
        let lookups = BTreeMap::from([(
            "device".to_owned(),
            BTreeSet::from(["lamp".to_owned(), "floor lamp".to_owned(), "TV".to_owned()]),
        )]);
        let synonyms = BTreeMap::from([("telly".to_owned(), "TV".to_owned())]);
        let templates = Templates::new(std::iter::once((0, parse(template).unwrap())), &lookups, &synonyms);
        let text = Text::new(said);
        let (_, candidates) = templates.find(&text)?;
        Some(candidates.into_iter().map(|found| (found.entity, found.value.unwrap_or_default())).collect())
    }

    #[test]
    fn choices_options_and_lists_are_followed() {
        let template = "turn (on|off) [the] {device} [please]";
        let lamp = |entity: &str, value: &str| Some(vec![(entity.to_owned(), Value::from(value))]);
        assert_eq!(found(template, "Turn on the floor lamp!"), lamp("device", "floor lamp"));
        assert_eq!(found(template, "turn off telly please"), lamp("device", "TV"));
        assert_eq!(found("{device:target} on", "lamp on"), lamp("target", "lamp"));
        for other in
            ["turn up the lamp", "turn on the lamps", "turn on", "turn on thelamp", "please turn on the lamp"]
        {
            assert_eq!(found(template, other), None, "{other}");
        }
        assert_eq!(found("open the light[s]", "open the lights"), Some(vec![]));
        assert_eq!(found("[the] {unknown}", "the lamp"), None);
    }

    #[test]
    fn a_hostile_template_takes_bounded_time() {
        let template = "[a][ ]".repeat(150) + "b";
        let start = std::time::Instant::now();
        found(&template, &"a ".repeat(900));
        assert!(start.elapsed() < std::time::Duration::from_secs(2));
    }
}
