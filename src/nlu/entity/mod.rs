//! Entities: what in an utterance means something of its own.
//!
//! Recognisers propose stretches of the normalised text; [`settle`] decides which of them stand.
//! What a pack defines wins over what the engine brings, and longer wins over shorter.

pub(crate) mod builtin;
mod fuzzy;
mod lexicon;
mod pattern;
mod tagger;

use serde_json::Value;

use super::text::{Text, code_points};
use super::types::{Entity, Extractor};

pub(crate) use builtin::{Clock, Language};
pub(crate) use lexicon::{Lexicon, LexiconBuilder};
pub(crate) use pattern::{Patterns, compile as compile_pattern};
pub(crate) use tagger::{PASSES, Tagged, Tagger, learn};

/// A proposed entity: a byte range of [`Text::normal`] and what it would be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub start: usize,
    pub end: usize,
    pub entity: String,
    /// `None`: the original text is the value.
    pub value: Option<Value>,
    pub confidence: f32,
    pub role: Option<String>,
    pub group: Option<String>,
    pub extractor: Extractor,
    /// Whether the value depends on the caller's clock.
    pub time_dependent: bool,
}

/// At most this many entities come out of one utterance.
const MAX_ENTITIES: usize = 100;

/// Chooses among overlapping candidates and writes the survivors out, in order of their start,
/// with whether any of them depends on the clock.
pub(crate) fn settle(original: &str, text: &Text, mut candidates: Vec<Candidate>) -> (Vec<Entity>, bool) {
    share_values(&mut candidates);
    candidates.sort_by(|a, b| {
        (b.extractor == Extractor::Template)
            .cmp(&(a.extractor == Extractor::Template))
            .then((b.extractor != Extractor::Builtin).cmp(&(a.extractor != Extractor::Builtin)))
            .then((b.end - b.start).cmp(&(a.end - a.start)))
            .then(b.confidence.total_cmp(&a.confidence))
            .then(a.start.cmp(&b.start))
            .then(a.entity.cmp(&b.entity))
    });
    let mut taken = vec![false; text.normal.len()];
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let Some(range) = taken.get_mut(candidate.start..candidate.end) else {
            continue;
        };
        if range.is_empty() || range.contains(&true) {
            continue;
        }
        range.fill(true);
        kept.push(candidate);
    }
    kept.sort_by_key(|candidate| candidate.start);
    kept.truncate(MAX_ENTITIES);
    let time_dependent = kept.iter().any(|candidate| candidate.time_dependent);
    let mut entities: Vec<Entity> = Vec::with_capacity(kept.len());
    for candidate in kept {
        let (start, end) = text.origin(candidate.start, candidate.end);
        // Two pieces of one original character ("½") would claim the same code point.
        if start >= end || entities.last().is_some_and(|last| last.end > start) {
            continue;
        }
        let covered = code_points(original, start, end).into_owned();
        entities.push(Entity {
            entity: candidate.entity,
            start,
            end,
            value: candidate.value.unwrap_or_else(|| Value::String(covered.clone())),
            text: covered,
            confidence: candidate.confidence,
            role: candidate.role,
            group: candidate.group,
            extractor: candidate.extractor,
        });
    }
    (entities, time_dependent)
}

/// A pack's own `date` or `number` keeps its place but takes the value that the engine resolved.
fn share_values(candidates: &mut [Candidate]) {
    let resolved: Vec<Candidate> =
        candidates.iter().filter(|candidate| candidate.extractor == Extractor::Builtin).cloned().collect();
    for candidate in candidates
        .iter_mut()
        .filter(|candidate| candidate.extractor != Extractor::Builtin && candidate.value.is_none())
    {
        let same = resolved.iter().find(|found| {
            found.entity == candidate.entity && found.start == candidate.start && found.end == candidate.end
        });
        if let Some(found) = same {
            candidate.value.clone_from(&found.value);
            candidate.time_dependent = found.time_dependent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(start: usize, end: usize, entity: &str, extractor: Extractor) -> Candidate {
        Candidate {
            start,
            end,
            entity: entity.into(),
            value: None,
            confidence: 1.0,
            role: None,
            group: None,
            extractor,
            time_dependent: false,
        }
    }

    #[test]
    fn the_pack_wins_over_built_ins_and_long_over_short() {
        let text = Text::new("python 2 and 3");
        let (entities, _) = settle(
            "Python 2 and 3",
            &text,
            vec![
                candidate(7, 8, "number", Extractor::Builtin),
                candidate(13, 14, "number", Extractor::Builtin),
                candidate(0, 6, "snake", Extractor::Lookup),
                candidate(0, 8, "course", Extractor::Lookup),
            ],
        );
        let found: Vec<(&str, &str)> =
            entities.iter().map(|e| (e.entity.as_str(), e.text.as_str())).collect();
        assert_eq!(found, [("course", "Python 2"), ("number", "3")]);
    }

    #[test]
    fn what_a_template_says_wins_over_all() {
        let (entities, _) = settle(
            "Python 2",
            &Text::new("python 2"),
            vec![candidate(0, 8, "course", Extractor::Lookup), candidate(0, 6, "snake", Extractor::Template)],
        );
        assert_eq!(entities.iter().map(|e| e.entity.as_str()).collect::<Vec<_>>(), ["snake"]);
    }

    #[test]
    fn a_pack_entity_named_like_a_built_in_takes_its_value() {
        let text = Text::new("tomorrow");
        let mut built_in = candidate(0, 8, "date", Extractor::Builtin);
        built_in.value = Some("2027-01-01".into());
        built_in.time_dependent = true;
        let (entities, dependent) =
            settle("tomorrow", &text, vec![candidate(0, 8, "date", Extractor::Lookup), built_in]);
        assert_eq!(entities[0].value, "2027-01-01");
        assert_eq!(entities[0].extractor, Extractor::Lookup);
        assert!(dependent);
    }
}
