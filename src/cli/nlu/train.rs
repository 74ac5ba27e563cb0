//! `voicera nlu train`: from sentences to a model file.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::nlu::input::{self, DataOptions};
use crate::cli::nlu::model_file::{self, Origin};
use crate::cli::nlu::{seconds, size};
use crate::cli::{Failure, print};
use crate::nlu::{Model, Progress, Stage, TrainOptions};

/// Train a model from sentences
///
/// The same data gives the same model, in whatever order the files are named. Files that name no
/// language, with no --language, are in English.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera nlu train --data skills.yml --out model.vnlu\n  voicera nlu train --data skills/ --data more.yml --out model.vnlu\n  voicera nlu train --data befehle.yml --language de --out model.vnlu\n  voicera nlu train --data skills.yml --per-intent 10 --seed 1 --out few.vnlu\n\nExit status: 0 trained, 1 it could not be written, 2 the data cannot be read."
)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    data: DataOptions,
    /// Where to write the model
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Learn from so many sentences of each intent, drawn by chance: how much data is enough?
    #[arg(long, value_name = "N")]
    per_intent: Option<NonZeroUsize>,
    /// What is drawn: the same seed draws the same sentences from the same data
    #[arg(long, value_name = "N", default_value_t = 1, requires = "per_intent")]
    seed: u64,
}

pub(super) fn run(args: &TrainArgs) -> Result<(), Failure> {
    let mut data = input::merged(args.data.documents()?)?;
    if let Some(per_intent) = args.per_intent {
        data.draw(per_intent.get(), args.seed);
    }
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
    print(&format!("version    {}\n", model.version()))?;
    print(&format!("languages  {}\n", model.languages().join(", ")))?;
    print(&format!("intents    {}\n", model.intents().len()))?;
    print(&format!("examples   {}\n", data.example_count()))?;
    print(&format!("trained    in {}\n", seconds(took)))?;
    print(&format!("model      {}, {}\n", args.out.display(), size(bytes)))?;
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
