//! A `.vnlu` file: one line that says how the model was made, then the model's bytes.
//!
//! The line is kept outside of [`Model::to_bytes`], since those are the same for the same data
//! while the time that training takes is not. `head -1 model.vnlu` shows it. Bytes without the
//! line are read too.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::Failure;
use crate::nlu::Model;

/// How the line starts.
const MARK: &[u8] = b"voicera-model ";
/// The longest line that is looked at, in bytes.
const LONGEST_LINE: usize = 64 * 1024;

/// How a model was made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Origin {
    /// The version of Voicera that trained it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) voicera: Option<String>,
    /// The model's own version, a hash of what it was trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// How long training took, in seconds, without reading and writing files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) train_seconds: Option<f64>,
}

/// A model that was read.
#[derive(Debug)]
pub(super) struct ModelFile {
    pub(super) origin: Origin,
    pub(super) model: Model,
    /// The size of the file.
    pub(super) bytes: usize,
}

/// Writes a model; the number of bytes. A file that is there is replaced whole or not at all.
pub(super) fn write(path: &Path, origin: &Origin, model: &Model) -> Result<usize, Failure> {
    let bytes = encode(origin, model);
    let failed =
        |error: &dyn std::fmt::Display| Failure::Failed(format!("--out {}: {error}", path.display()));
    let name = path.file_name().ok_or_else(|| failed(&"is no file name"))?;
    let mut beside = name.to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = fs::write(&beside, &bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // What was written so far is of no use to anyone.
        let _ = fs::remove_file(&beside);
        failed(&error)
    })?;
    Ok(bytes.len())
}

fn encode(origin: &Origin, model: &Model) -> Vec<u8> {
    let mut bytes = MARK.to_vec();
    // Strings and a number always serialise; an empty object reads as an unknown origin.
    bytes.extend(serde_json::to_vec(origin).unwrap_or_else(|_| b"{}".to_vec()));
    bytes.push(b'\n');
    bytes.extend(model.to_bytes());
    bytes
}

/// Reads a model.
pub(super) fn read(path: &Path) -> Result<ModelFile, Failure> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        Failure::Use(format!(
            "--model {shown}: {error}\n  fix: train one with `voicera nlu train --data FILE --out {shown}`"
        ))
    })?;
    let (origin, rest) = split(&bytes);
    let model =
        Model::from_bytes(rest).map_err(|error| Failure::Failed(format!("--model {shown}: {error}")))?;
    Ok(ModelFile { origin, model, bytes: bytes.len() })
}

fn split(bytes: &[u8]) -> (Origin, &[u8]) {
    let line = bytes.strip_prefix(MARK).and_then(|rest| {
        let end = rest.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n')?;
        let (line, model) = rest.split_at_checked(end)?;
        Some((serde_json::from_slice(line).unwrap_or_default(), model.get(1..)?))
    });
    line.unwrap_or((Origin::default(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::{TrainOptions, TrainingData};

    fn model() -> Model {
        let text = "nlu:\n- intent: greet\n  examples: |\n    - hello\n    - hi there\n- intent: bye\n  examples: |\n    - see you\n";
        let data = TrainingData::parse_yaml("t.yml", text).unwrap();
        Model::train(&data, &TrainOptions::default(), &mut |_| {}).unwrap()
    }

    #[test]
    fn a_model_comes_back_with_its_origin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.vnlu");
        let origin = Origin { train_seconds: Some(1.5), ..Origin::default() };
        let model = model();
        let bytes = write(&path, &origin, &model).unwrap();
        let read = read(&path).unwrap();
        assert_eq!((read.origin, read.bytes), (origin, bytes));
        assert_eq!(read.model.to_bytes(), model.to_bytes());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn bytes_without_the_line_are_a_model_of_unknown_origin() {
        let bytes = model().to_bytes();
        let (origin, rest) = split(&bytes);
        assert_eq!((origin, rest), (Origin::default(), bytes.as_slice()));
        let (origin, rest) = split(b"voicera-model {broken\nrest");
        assert_eq!((origin, rest), (Origin::default(), &b"rest"[..]));
    }

    #[test]
    fn other_bytes_are_refused_with_the_name_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.vnlu");
        fs::write(&path, "nlu: []\n").unwrap();
        let Err(Failure::Failed(message)) = read(&path) else { panic!("it was read") };
        assert!(message.contains("m.vnlu") && message.contains("not a Voicera model"), "{message}");
        let mut bytes = encode(&Origin::default(), &model());
        let at = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 5;
        bytes[at] = 200;
        fs::write(&path, bytes).unwrap();
        let Err(Failure::Failed(message)) = read(&path) else { panic!("it was read") };
        assert!(message.contains("train it again"), "{message}");
    }
}
