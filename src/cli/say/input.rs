//! Where a batch comes from: lines of a file or of standard input, or labelled sentences.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use crate::cli::Failure;
use crate::nlu::TrainingData;

/// One command of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What to say.
    pub(super) text: String,
    /// The intent that it should have, where the input says so.
    pub(super) expected: Option<String>,
}

/// Commands, in their order.
pub(super) struct Input {
    /// The commands; lines of a file are read as they are needed.
    pub(super) lines: Box<dyn Iterator<Item = io::Result<Line>> + Send>,
    /// How many there are, where that is known.
    pub(super) total: Option<u64>,
}

/// The longest line that is read, in bytes; the server refuses far shorter ones.
const LONGEST_LINE: u64 = 1 << 20;

/// Opens a file of lines, a `.yml` of labelled sentences, or (`-`) standard input.
pub(super) fn open(path: &Path) -> Result<Input, Failure> {
    let unreadable = |error: io::Error| Failure::Use(format!("--file {}: {error}", path.display()));
    if path.as_os_str() == "-" {
        return Ok(Input { lines: Box::new(lines(BufReader::new(io::stdin()))), total: None });
    }
    if path.extension().is_some_and(|end| end == "yml" || end == "yaml") {
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        return labelled(&path.display().to_string(), &text);
    }
    let total = lines(BufReader::new(File::open(path).map_err(unreadable)?)).count() as u64;
    let file = File::open(path).map_err(unreadable)?;
    Ok(Input { lines: Box::new(lines(BufReader::new(file))), total: Some(total) })
}

/// The lines that are not blank.
fn lines<R: BufRead>(mut reader: R) -> impl Iterator<Item = io::Result<Line>> {
    let mut failed = false;
    std::iter::from_fn(move || {
        loop {
            if failed {
                return None;
            }
            let mut bytes = Vec::new();
            match reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    failed = true;
                    return Some(Err(error));
                }
            }
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            if !text.is_empty() {
                return Some(Ok(Line { text, expected: None }));
            }
        }
    })
}

fn labelled(source: &str, text: &str) -> Result<Input, Failure> {
    let data = TrainingData::parse_yaml(source, text).map_err(|error| Failure::Use(error.to_string()))?;
    let lines: Vec<_> = data
        .packs()
        .flat_map(|(_, pack)| &pack.intents)
        .flat_map(|(intent, examples)| examples.iter().map(move |example| (intent, example)))
        .map(|(intent, example)| Ok(Line { text: example.text.clone(), expected: Some(intent.clone()) }))
        .collect();
    if lines.is_empty() {
        return Err(Failure::Use(format!("{source} holds no labelled sentence")));
    }
    let total = Some(lines.len() as u64);
    Ok(Input { lines: Box::new(lines.into_iter()), total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_no_commands_and_bad_utf8_is_still_a_line() {
        let found: Vec<_> =
            lines(&b"one\r\n\n  \n tw\xffo \nthree"[..]).map(|line| line.unwrap().text).collect();
        assert_eq!(found, ["one", "tw\u{fffd}o", "three"]);
    }

    #[test]
    fn labelled_sentences_say_what_they_mean() {
        let yaml = "version: \"3.1\"\nnlu:\n- intent: greet\n  examples: |\n    - hello [you](who)\n";
        let lines: Vec<_> = labelled("t.yml", yaml).unwrap().lines.map(Result::unwrap).collect();
        assert_eq!(lines, [Line { text: "hello you".to_owned(), expected: Some("greet".to_owned()) }]);
        assert!(labelled("t.yml", "version: \"3.1\"\nnlu: []\n").is_err());
    }
}
