//! `voicera nlu train`: from sentences to a model file.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Failure;
use crate::cli::nlu::input::{self, DataOptions};
use crate::cli::nlu::model_file::{self, Origin};
use crate::cli::nlu::{seconds, size};
use crate::nlu::{Model, Progress, Stage, TrainOptions};

/// Train a model from sentences
///
/// The same data gives the same model, in whatever order the files are named. Files that name no
/// language, with no --language, are in English.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera nlu train --data skills.yml --out model.vnlu\n  voicera nlu train --data skills/ --data more.yml --out model.vnlu\n  voicera nlu train --data befehle.yml --language de --out model.vnlu\n\nExit status: 0 trained, 1 it could not be written, 2 the data cannot be read."
)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    data: DataOptions,
    /// Where to write the model
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &TrainArgs) -> Result<(), Failure> {
    let data = input::merged(args.data.documents()?)?;
    let bar = bar();
    let start = Instant::now();
    let trained = Model::train(&data, &TrainOptions::default(), &mut |progress| show(&bar, progress));
    let took = start.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let model = trained.map_err(|error| Failure::Use(error.to_string()))?;
    let origin = Origin {
        voicera: Some(env!("CARGO_PKG_VERSION").to_owned()),
        version: Some(model.version().to_owned()),
        train_seconds: Some(took),
    };
    let bytes = model_file::write(&args.out, &origin, &model)?;
    println!("version    {}", model.version());
    println!("languages  {}", model.languages().join(", "));
    println!("intents    {}", model.intents().len());
    println!("examples   {}", data.example_count());
    println!("trained    in {}", seconds(took));
    println!("model      {}, {}", args.out.display(), size(bytes));
    Ok(())
}

/// Shown on standard error, and only if that is a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:12} {bar:40} {pos}/{len}  {elapsed}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(match progress.stage {
        Stage::Features => "sentences",
        Stage::Calibration => "calibration",
        Stage::Intents => "intents",
        Stage::Entities => "entities",
    });
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}
