//! `voicera nlu parse`: what a model makes of a sentence.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::Failure;
use crate::cli::nlu::rasa::Reply;
use crate::cli::nlu::{model_file, now};
use crate::nlu::{Context, Model, primary_tag};

/// Show what a model makes of a sentence
///
/// The reply is JSON in the shape of Rasa's `POST /model/parse`. Without an intent its name is null.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera nlu parse --model model.vnlu \"wake me at seven tomorrow\"\n  voicera nlu parse --model model.vnlu --file sentences.txt | jq -r .intent.name\n  cat sentences.txt | voicera nlu parse --model model.vnlu -\n  voicera nlu parse --model model.vnlu --now \"2027-03-10T09:00[Europe/Berlin]\" \"morgen um acht\"\n\nExit status: 0 answered, 1 the model is of no use, 2 wrong use."
)]
pub(super) struct ParseArgs {
    /// The model, as `voicera nlu train` wrote it
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The sentence; `-` reads one a line from standard input and answers one a line
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    text: Option<String>,
    /// Read one sentence a line from this file, `-` for standard input
    #[arg(long, value_name = "FILE|-")]
    file: Option<PathBuf>,
    /// The language, as a BCP 47 tag [default: found out]
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// The time that "tomorrow" counts from, with a time zone [default: now and here]
    #[arg(long, value_name = "TIME[ZONE]")]
    now: Option<jiff::Zoned>,
}

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

pub(super) fn run(args: &ParseArgs) -> Result<(), Failure> {
    if let Some(tag) = args.language.as_deref()
        && primary_tag(tag).is_none()
    {
        return Err(Failure::Use(format!(
            "--language: `{tag}` is no language tag; write one such as `en` or `pt-BR`"
        )));
    }
    let model = model_file::read(&args.model)?.model;
    let context = Context { now: args.now.clone().unwrap_or_else(now), language: args.language.clone() };
    match (&args.file, args.text.as_deref()) {
        (Some(path), _) if path.as_os_str() != "-" => {
            let file = File::open(path)
                .map_err(|error| Failure::Use(format!("--file {}: {error}", path.display())))?;
            each_line(&model, &context, BufReader::new(file), path)
        }
        (Some(_), _) | (None, Some("-")) => {
            each_line(&model, &context, io::stdin().lock(), Path::new("standard input"))
        }
        (None, text) => {
            let text = text.unwrap_or_default();
            let parse = model.parse(text, &context);
            print_json(serde_json::to_string_pretty(&Reply::new(text, &parse)))
        }
    }
}

/// One reply a line, for each line that is not blank.
fn each_line(
    model: &Model,
    context: &Context,
    mut lines: impl BufRead,
    source: &Path,
) -> Result<(), Failure> {
    loop {
        let mut bytes = Vec::new();
        let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes);
        if read.map_err(|error| Failure::Use(format!("{}: {error}", source.display())))? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&bytes);
        let text = line.trim();
        if !text.is_empty() {
            print_json(serde_json::to_string(&Reply::new(text, &model.parse(text, context))))?;
        }
    }
}

fn print_json(json: serde_json::Result<String>) -> Result<(), Failure> {
    let json = json.map_err(|error| Failure::Failed(error.to_string()))?;
    match writeln!(io::stdout(), "{json}") {
        // Whoever reads (`head`) has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
