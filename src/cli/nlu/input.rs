//! Training and test data: files, and folders of files.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::Failure;
use crate::nlu::{Document, TrainingData};

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;
/// How deep folders may be nested.
const DEEPEST: usize = 8;

/// Which data.
#[derive(Debug, Clone, Args)]
pub(super) struct DataOptions {
    /// Rasa NLU YAML: a file, or a folder of .yml and .yaml files; may be repeated
    #[arg(long = "data", value_name = "FILE|DIR", required = true, num_args = 1..)]
    paths: Vec<PathBuf>,
    /// The language of files that name none, as a BCP 47 tag
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
}

impl DataOptions {
    /// Reads all documents, in alphabetical order within a folder. What is wrong inside of them
    /// stands in them.
    ///
    /// # Errors
    /// When one cannot be read at all: all of them are told.
    pub(super) fn documents(&self) -> Result<Vec<Document>, Failure> {
        let language = self.language()?;
        let mut files = Vec::new();
        let mut problems = Vec::new();
        for path in &self.paths {
            let before = files.len() + problems.len();
            find(path, DEEPEST, &mut files, &mut problems);
            if files.len() + problems.len() == before {
                problems.push(format!("--data {}: holds no .yml or .yaml file", path.display()));
            }
        }
        let mut documents: Vec<Document> = Vec::with_capacity(files.len());
        for file in files {
            match read(&file) {
                Ok(text) => documents.push(Document::read(&file.display().to_string(), &text)),
                Err(reason) => problems.push(format!("--data {}: {reason}", file.display())),
            }
        }
        if !problems.is_empty() {
            return Err(Failure::Use(problems.join("\n")));
        }
        for document in &mut documents {
            document.language = document.language.take().or_else(|| language.clone());
        }
        Ok(documents)
    }

    fn language(&self) -> Result<Option<String>, Failure> {
        let Some(tag) = &self.language else {
            return Ok(None);
        };
        crate::nlu::primary_tag(tag).map(Some).ok_or_else(|| {
            Failure::Use(format!("--language: `{tag}` is no language tag; write one such as `en` or `pt-BR`"))
        })
    }
}

/// All documents as one set of training data.
///
/// # Errors
/// With every problem of every document.
pub(super) fn merged(documents: Vec<Document>) -> Result<TrainingData, Failure> {
    let mut data = TrainingData::default();
    let mut problems = Vec::new();
    for document in documents {
        match document.into_data() {
            Ok(part) => data.merge(part),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if problems.is_empty() {
        return Ok(data);
    }
    Err(Failure::Use(format!("the data cannot be read\n{}", problems.join("\n"))))
}

fn find(path: &Path, depth: usize, files: &mut Vec<PathBuf>, problems: &mut Vec<String>) {
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) => problems.push(format!("--data {shown}: {error}")),
        // A file that was named is read, whatever its ending.
        Ok(found) if !found.is_dir() => files.push(path.to_owned()),
        Ok(_) if depth == 0 => problems.push(format!("--data {shown}: folders are nested too deeply")),
        Ok(_) => match fs::read_dir(path) {
            Err(error) => problems.push(format!("--data {shown}: {error}")),
            Ok(entries) => {
                let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
                entries.sort();
                for entry in entries {
                    let is_yaml = entry.extension().is_some_and(|end| end == "yml" || end == "yaml");
                    if is_yaml || entry.is_dir() {
                        find(&entry, depth - 1, files, problems);
                    }
                }
            }
        },
    }
}

fn read(file: &Path) -> Result<String, String> {
    let size = fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > LARGEST_FILE {
        return Err(format!("is larger than {} MiB", LARGEST_FILE >> 20));
    }
    fs::read_to_string(file).map_err(|error| error.to_string())
}
