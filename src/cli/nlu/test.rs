//! `voicera nlu test`: how good a model is on labelled sentences.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use crate::cli::Failure;
use crate::cli::nlu::input::DataOptions;
use crate::cli::nlu::model_file::{self, ModelFile};
use crate::cli::nlu::{now, table};
use crate::nlu::{Case, Document, Evaluation, Model, evaluate};

/// Test a model on labelled sentences
///
/// Prints a table, and with --report writes every figure as JSON. An intent named `oos` means that
/// the sentence belongs to no intent. Data that names no language is in the model's, if that knows
/// only one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera nlu test --model model.vnlu --data test.yml\n  voicera nlu test --model model.vnlu --data test/ --report report.json\n  jq .intent.accuracy report.json\n\nExit status: 0 tested, 1 the model or the report is of no use, 2 the data cannot be read."
)]
pub(super) struct TestArgs {
    /// The model, as `voicera nlu train` wrote it
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    #[command(flatten)]
    data: DataOptions,
    /// Write the figures as JSON to this file, `-` for standard output in place of the table
    #[arg(long, value_name = "FILE|-")]
    report: Option<PathBuf>,
}

/// The figures, with what only the file of the model knows.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) evaluation: Evaluation,
    /// How long training took; `null` when the file does not say.
    pub(super) train_seconds: Option<f64>,
    /// The size of the file.
    pub(super) model_bytes: usize,
    pub(super) model: ModelNote,
}

/// Which model it was.
#[derive(Debug, Serialize)]
pub(super) struct ModelNote {
    pub(super) version: String,
    pub(super) languages: Vec<String>,
    pub(super) intents: usize,
}

pub(super) fn run(args: &TestArgs) -> Result<(), Failure> {
    let ModelFile { origin, model, bytes } = model_file::read(&args.model)?;
    let documents = args.data.documents()?;
    let problems: Vec<String> =
        documents.iter().flat_map(|document| &document.problems).map(ToString::to_string).collect();
    if !problems.is_empty() {
        return Err(Failure::Use(format!("the data cannot be read\n{}", problems.join("\n"))));
    }
    let cases = cases(&model, &documents);
    if cases.is_empty() {
        return Err(Failure::Use("the data holds no labelled sentence".to_owned()));
    }
    warn_of_languages(&model, &cases);
    let start = Instant::now();
    let report = Report {
        evaluation: evaluate(&model, &cases, &now(), &|| start.elapsed()),
        train_seconds: origin.train_seconds,
        model_bytes: bytes,
        model: ModelNote {
            version: model.version().to_owned(),
            languages: model.languages().to_vec(),
            intents: model.intents().len(),
        },
    };
    let json = serde_json::to_string_pretty(&report).map_err(|error| Failure::Failed(error.to_string()))?;
    match &args.report {
        Some(path) if path.as_os_str() == "-" => println!("{json}"),
        Some(path) => {
            print!("{}", table::table(&report));
            fs::write(path, json + "\n")
                .map_err(|error| Failure::Failed(format!("--report {}: {error}", path.display())))?;
        }
        None => print!("{}", table::table(&report)),
    }
    Ok(())
}

/// Every sentence, repetitions included, in the language that its document names.
fn cases<'a>(model: &'a Model, documents: &'a [Document]) -> Vec<Case<'a>> {
    let only = match model.languages() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    documents
        .iter()
        .flat_map(|document| {
            let language = document.language.as_deref().or(only);
            document.examples().map(move |(intent, example)| Case { intent, example, language })
        })
        .collect()
}

/// Sentences in a language that the model lacks count as wrong: whoever tests should know why.
fn warn_of_languages(model: &Model, cases: &[Case<'_>]) {
    let mut unknown: Vec<&str> = cases
        .iter()
        .filter_map(|case| case.language)
        .filter(|language| !model.languages().iter().any(|known| known == language))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        eprintln!(
            "warning: the data is in {}, which the model does not know (it knows {}): those sentences count as wrong",
            unknown.join(", "),
            model.languages().join(", ")
        );
    }
}
