//! A YAML tree that knows the line of every node.
//!
//! Built from parser events rather than with a ready-made tree, because a pack comes from
//! outside: aliases are refused (they make "billion laughs" possible), depth is bounded, and the
//! tree is built without recursion.

use saphyr_parser::{Event, Parser};

const MAX_DEPTH: usize = 32;

/// A node and the line, from 1, where it starts; for a `|` block that is its first line of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Mapping(pairs) => {
                pairs.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

/// What went wrong, and the line.
pub(super) struct YamlError {
    pub line: usize,
    pub message: String,
}

enum Open {
    Sequence(usize, Vec<Node>),
    Mapping(usize, Vec<(Node, Node)>, Option<Node>),
}

/// The first document of `text`; `None` when there is none.
pub(super) fn parse(text: &str) -> Result<Option<Node>, YamlError> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            message: format!("not valid YAML: {}", error.info()),
        })?;
        let line = span.start.line();
        let complete = match event {
            Event::Scalar(value, ..) => {
                // A block is marked at its first line that is not blank, but starts with those
                // that are.
                let blank = value.bytes().take_while(|byte| *byte == b'\n').count();
                Some(Node { line: line.saturating_sub(blank), kind: Kind::Scalar(value.into_owned()) })
            }
            Event::SequenceStart(..) => {
                open.push(Open::Sequence(line, Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(line, Vec::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(close),
            Event::Alias(_) => {
                return Err(YamlError { line, message: "YAML aliases (*name) are not accepted".into() });
            }
            Event::DocumentEnd | Event::StreamEnd => return Ok(None),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => None,
        };
        if open.len() > MAX_DEPTH {
            return Err(YamlError { line, message: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        if let Some(node) = complete {
            match open.last_mut() {
                None => return Ok(Some(node)),
                Some(Open::Sequence(_, items)) => items.push(node),
                Some(Open::Mapping(_, pairs, key)) => match key.take() {
                    None => *key = Some(node),
                    Some(name) => pairs.push((name, node)),
                },
            }
        }
    }
    Ok(None)
}

fn close(open: Open) -> Node {
    match open {
        Open::Sequence(line, items) => Node { line, kind: Kind::Sequence(items) },
        Open::Mapping(line, pairs, _) => Node { line, kind: Kind::Mapping(pairs) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_knows_its_line() {
        let tree = parse("a: 1\nb:\n  - x\n  - |\n    one\n    two\n").ok().flatten().unwrap();
        let Kind::Sequence(items) = &tree.get("b").unwrap().kind else { panic!() };
        assert_eq!(items.iter().map(|node| node.line).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(items.last().unwrap().as_str(), Some("one\ntwo\n"));
    }

    #[test]
    fn blank_lines_before_a_block_are_part_of_it() {
        let tree = parse("a: |\n\n\n  one\n").ok().flatten().unwrap();
        let block = tree.get("a").unwrap();
        assert_eq!((block.line, block.as_str()), (2, Some("\n\none\n")));
    }

    #[test]
    fn aliases_and_deep_nesting_are_refused() {
        assert!(parse("a: &x 1\nb: *x\n").is_err());
        assert!(parse(&"[".repeat(5000)).is_err());
    }

    #[test]
    fn an_empty_document_is_nothing() {
        assert!(parse("").ok().flatten().is_none());
    }
}
