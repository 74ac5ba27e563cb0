//! Phrases as tries: each step is a word or a slot that captures a value.
//!
//! A phrase is written as `(next|coming) [the] {weekday}`: choices, optional parts and slots. All
//! its variants are laid out in the trie, so matching costs a few comparisons at a word and never
//! backtracks over more than one phrase's length.

use std::collections::HashMap;

use super::grammar::Id;
use super::reader::{Captures, Reader};
use super::tongue::Op;

/// What a place in a phrase captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A number, signed.
    Number,
    /// A whole number below a hundred, after another one.
    Hundredths,
    /// A duration.
    Length,
    Weekday,
    Weekdays,
    Plurals,
    Month,
    /// 1 to 31, as a number or an ordinal.
    Day,
    Year,
    /// 0 to 24.
    Hour,
    /// 1 to 59.
    Minute,
    /// Two digits.
    Minutes,
    /// `15:30` and `15:30:10`.
    Clock,
    /// `15.30`.
    Dotted,
    Time,
    /// A date, a time or both.
    Edge,
    /// The hour as an ordinal.
    Nth,
    Part,
    Unit,
    /// Two of a unit.
    Dual,
    Measure,
    Currency,
}

impl Slot {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "n" => Self::Number,
            "n2" => Self::Hundredths,
            "dur" => Self::Length,
            "weekday" => Self::Weekday,
            "weekdays" => Self::Weekdays,
            "plurals" => Self::Plurals,
            "month" => Self::Month,
            "day" => Self::Day,
            "year" => Self::Year,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "mm" => Self::Minutes,
            "clock" => Self::Clock,
            "dotted" => Self::Dotted,
            "time" => Self::Time,
            "edge" => Self::Edge,
            "nth" => Self::Nth,
            "part" => Self::Part,
            "dual" => Self::Dual,
            "unit" => Self::Unit,
            "measure" => Self::Measure,
            "currency" => Self::Currency,
            _ => return None,
        })
    }
}

/// A step of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Word(Id),
    Slot(Slot),
}

/// All variants of a phrase. `words` cuts a word of the phrase as an utterance is cut. A phrase
/// that is not well-formed has none; a test sees to it that there is no such phrase.
pub(super) fn expand(pattern: &str, words: &mut dyn FnMut(&str) -> Vec<Id>) -> Vec<Vec<Element>> {
    let mut rest = pattern;
    let variants = choices(&mut rest, words);
    match variants {
        Some(variants) if rest.is_empty() => variants,
        _ => Vec::new(),
    }
}

fn choices(rest: &mut &str, words: &mut dyn FnMut(&str) -> Vec<Id>) -> Option<Vec<Vec<Element>>> {
    let mut all = Vec::new();
    loop {
        let mut sequence = vec![Vec::new()];
        loop {
            *rest = rest.trim_start();
            let Some(first) = rest.chars().next() else {
                break;
            };
            let options = match first {
                '(' | '[' => {
                    *rest = rest.get(1..)?;
                    let mut inner = choices(rest, words)?;
                    *rest = rest.strip_prefix(if first == '(' { ')' } else { ']' })?;
                    if first == '[' {
                        inner.push(Vec::new());
                    }
                    inner
                }
                '{' => {
                    let end = rest.find('}')?;
                    let slot = Slot::named(rest.get(1..end)?)?;
                    *rest = rest.get(end + 1..)?;
                    vec![vec![Element::Slot(slot)]]
                }
                ')' | ']' | '|' => break,
                _ => {
                    let end =
                        rest.find(|c: char| c.is_whitespace() || "()[]{}|".contains(c)).unwrap_or(rest.len());
                    let word = rest.get(..end)?;
                    *rest = rest.get(end..)?;
                    vec![words(word).into_iter().map(Element::Word).collect()]
                }
            };
            sequence = sequence
                .iter()
                .flat_map(|head| options.iter().map(move |tail| [head.as_slice(), tail].concat()))
                .collect();
        }
        all.extend(sequence);
        match rest.strip_prefix('|') {
            Some(behind) => *rest = behind,
            None => return Some(all),
        }
    }
}

#[derive(Debug, Default)]
struct Node {
    words: Vec<(Id, usize)>,
    slots: Vec<(Slot, usize)>,
    op: Option<Op>,
}

/// Phrases, laid out by their steps.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    first: HashMap<Id, usize, super::grammar::Fnv>,
}

impl Default for Trie {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], first: HashMap::with_hasher(super::grammar::Fnv) }
    }
}

impl Trie {
    /// Adds a phrase; an earlier one of the same steps stays.
    pub(super) fn insert(&mut self, elements: &[Element], op: Op) {
        let mut at = 0;
        for element in elements {
            at = self.child(at, *element);
        }
        if let Some(node) = self.nodes.get_mut(at).filter(|_| at > 0) {
            node.op.get_or_insert(op);
        }
    }

    fn child(&mut self, at: usize, element: Element) -> usize {
        let new = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else {
            return at;
        };
        let found = match element {
            Element::Word(id) if at == 0 => self.first.get(&id).copied(),
            Element::Word(id) => node.words.iter().find(|(word, _)| *word == id).map(|(_, child)| *child),
            Element::Slot(slot) => {
                node.slots.iter().find(|(known, _)| *known == slot).map(|(_, child)| *child)
            }
        };
        if let Some(found) = found {
            return found;
        }
        match element {
            Element::Word(id) if at == 0 => {
                self.first.insert(id, new);
            }
            Element::Word(id) => node.words.push((id, new)),
            Element::Slot(slot) => node.slots.push((slot, new)),
        }
        self.nodes.push(Node::default());
        new
    }

    /// Whether a phrase begins with a word.
    pub(super) fn begins_with(&self, id: Id) -> bool {
        self.first.contains_key(&id)
    }

    /// Calls `accept` with each phrase that stands at a word, its end and what it captured.
    pub(super) fn read(&self, reader: &Reader<'_>, at: usize, accept: &mut dyn FnMut(usize, Op, &Captures)) {
        if reader.words.silent(at) {
            return;
        }
        if let Some(child) = self.first.get(&reader.words.id(at)) {
            self.walk(reader, *child, at + 1, Captures::default(), accept);
        }
        self.slots(reader, 0, at, Captures::default(), accept);
    }

    fn walk(
        &self,
        reader: &Reader<'_>,
        node: usize,
        at: usize,
        captures: Captures,
        accept: &mut dyn FnMut(usize, Op, &Captures),
    ) {
        let Some(here) = self.nodes.get(node) else {
            return;
        };
        if let Some(op) = here.op {
            accept(at, op, &captures);
        }
        if !here.words.is_empty() {
            for (_, child) in here.words.iter().filter(|(word, _)| reader.words.is(at, *word)) {
                self.walk(reader, *child, at + 1, captures, accept);
            }
        }
        self.slots(reader, node, at, captures, accept);
    }

    fn slots(
        &self,
        reader: &Reader<'_>,
        node: usize,
        at: usize,
        captures: Captures,
        accept: &mut dyn FnMut(usize, Op, &Captures),
    ) {
        for (slot, child) in self.nodes.get(node).map_or(&[][..], |node| &node.slots) {
            let mut filled = captures;
            if let Some(end) = reader.slot(*slot, at, &mut filled) {
                self.walk(reader, *child, end, filled, accept);
            }
        }
    }
}
