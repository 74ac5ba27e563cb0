//! `voicera db copy`: from an embedded installation to production.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, client_runtime, print};
use crate::config::{Config, Flags, Sources};
use crate::roles::copy::{Progress, copy};

/// Carry what is kept from one place to another
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  voicera db copy --from ./data --to production.toml")]
pub(super) struct DbArgs {
    #[command(subcommand)]
    command: DbCommand,
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    /// Carry accounts, history and counters of an embedded installation to the servers of another configuration
    ///
    /// Stop the server on the data folder first. What is there already stays; a copy that was cut short goes
    /// on when it is started again, and doing it twice changes nothing. Second factors and signing keys are
    /// opened with the folder's `seal-key` and sealed anew with `users.seal_key` of that configuration. An address
    /// that another account has there is named and refused.
    #[command(
        after_help = "Examples:\n  voicera db copy --from ./data --to production.toml\n  VOICERA_STORAGE__MONGODB__URL_FILE=/run/secrets/mongodb voicera db copy --from ./data --to production.toml"
    )]
    Copy {
        /// The data folder of the embedded installation
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The configuration of the installation that it is carried to
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

pub(super) fn run(args: DbArgs) -> Result<(), Failure> {
    let DbCommand::Copy { from, to } = args.command;
    let loaded = Config::load(&Sources::of_process(Some(to), Flags::default()))
        .map_err(|errors| Failure::Use(errors.to_string()))?;
    let bar = Mutex::new(None);
    let show = |progress| show(&mut bar.lock().unwrap_or_else(PoisonError::into_inner), progress);
    let carried = client_runtime()?.block_on(copy(&from, &loaded.config, &show));
    if let Some(bar) = bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
    let carried = carried.map_err(|error| Failure::Failed(error.to_string()))?;
    let mut text = String::new();
    for part in carried {
        let _ = writeln!(text, "{}: {} in the data folder, {} there now", part.what, part.of, part.there);
    }
    print(&text)
}

/// One bar at a time, on standard error; none where nobody looks.
fn show(bar: &mut Option<ProgressBar>, progress: Progress) {
    let shown = bar.get_or_insert_with(|| {
        let style = ProgressStyle::with_template("{msg:8} {bar:40} {pos}/{len}  {per_sec}  {eta} left");
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    if progress.done == 0 {
        shown.reset();
        shown.set_message(progress.what);
    }
    shown.set_length(progress.total);
    shown.set_position(progress.done);
}
