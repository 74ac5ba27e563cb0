//! Drawing a few sentences of a template, for the model to learn from.

use std::collections::{BTreeMap, BTreeSet};

use super::{Piece, parse};
use crate::nlu::data::{Annotation, Example};
use crate::nlu::rng::{Rng, hash_text};

/// Sentences drawn from one template.
const SAMPLES: usize = 30;
/// A drawn sentence is no longer.
const MAX_CHARS: usize = 300;

/// Up to a few dozen sentences of a template, the same each time; none where a list is unknown.
pub(crate) fn sample(template: &str, lists: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<Example> {
    let Ok(piece) = parse(template) else {
        return BTreeSet::new();
    };
    let mut rng = Rng::new(hash_text(template));
    let mut drawn = BTreeSet::new();
    for _ in 0..SAMPLES {
        let mut example = Example { text: String::new(), annotations: Vec::new() };
        if draw(&piece, lists, &mut rng, &mut example).is_some() {
            example.text.truncate(example.text.trim_end().len());
            if !example.text.is_empty() {
                drawn.insert(example);
            }
        }
    }
    drawn
}

fn pick<T>(rng: &mut Rng, mut items: impl ExactSizeIterator<Item = T>) -> Option<T> {
    let at = rng.next().checked_rem(items.len() as u64)?;
    items.nth(usize::try_from(at).ok()?)
}

fn draw(
    piece: &Piece,
    lists: &BTreeMap<String, BTreeSet<String>>,
    rng: &mut Rng,
    example: &mut Example,
) -> Option<()> {
    match piece {
        Piece::Word(word) => example.text.push_str(word),
        Piece::Space => {
            if !example.text.is_empty() && !example.text.ends_with(' ') {
                example.text.push(' ');
            }
        }
        Piece::All(pieces) => {
            for piece in pieces {
                draw(piece, lists, rng, example)?;
            }
        }
        Piece::Any(pieces) => draw(pick(rng, pieces.iter())?, lists, rng, example)?,
        Piece::List(list, entity) => {
            let value = pick(rng, lists.get(list)?.iter())?.trim();
            let start = example.text.chars().count();
            example.text.push_str(value);
            let end = example.text.chars().count();
            if start < end {
                example.annotations.push(Annotation {
                    start,
                    end,
                    entity: entity.clone(),
                    value: None,
                    role: None,
                    group: None,
                });
            }
        }
    }
    (example.text.chars().count() <= MAX_CHARS).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_drawn_with_their_entities() {
        let lists =
            BTreeMap::from([("device".to_owned(), BTreeSet::from(["lamp".to_owned(), "tv".to_owned()]))]);
        let drawn = sample("turn (on|off) [the] {device}", &lists);
        assert!((4..=8).contains(&drawn.len()));
        let example = drawn.iter().find(|example| example.text == "turn off lamp").unwrap();
        assert_eq!((example.annotations[0].start, example.annotations[0].end), (9, 13));
        assert_eq!(drawn, sample("turn (on|off) [the] {device}", &lists));
        assert!(sample("{unknown}", &lists).is_empty());
    }
}
