//! `voicera migrate`: the schemas of an installation's stores, brought up to date or looked at.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Failure, client_runtime, print};
use crate::config::{Config, Flags, Sources};
use crate::kit::clock::{SharedClock, SystemClock};
use crate::kit::storage::StorageError;
use crate::kit::storage::migration::Standing;
use crate::kit::storage::schema::Schema;
use crate::roles::schemas;

/// Bring the schemas of all stores up to date
///
/// A server does so by itself when it starts. This is for doing it before, and for looking.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  voicera migrate --dry-run                  say what would be done\n  voicera migrate                            do it\n  voicera migrate status                     say what was done, and when\n\nThe embedded stores of a running server can't be migrated: it has done so at its start."
)]
pub(super) struct MigrateArgs {
    #[command(subcommand)]
    command: Option<MigrateCommand>,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    installation: InstallationOptions,
}

#[derive(Debug, Subcommand)]
enum MigrateCommand {
    /// Say what each store has, and what it lacks
    #[command(after_help = "Examples:\n  voicera migrate status\n  voicera migrate status --json")]
    Status {
        /// Print one JSON object a line, for each step of each store
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        installation: InstallationOptions,
    },
}

/// Which installation.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
struct InstallationOptions {
    /// Read this file [default: voicera.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "VOICERA_CONFIG")]
    config: Option<PathBuf>,
    /// Where the installation keeps its data (`server.data_dir`)
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl InstallationOptions {
    fn load(self) -> Result<Config, Failure> {
        let flags = Flags { data_dir: self.data_dir, ..Flags::default() };
        let loaded = Config::load(&Sources::of_process(self.config, flags));
        loaded.map(|loaded| loaded.config).map_err(|errors| Failure::Use(errors.to_string()))
    }
}

/// What is to be done with each store.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Migrate,
    DryRun,
    Status { json: bool },
}

pub(super) fn run(args: MigrateArgs) -> Result<(), Failure> {
    let (wish, installation) = match args.command {
        Some(MigrateCommand::Status { json, installation }) => (Wish::Status { json }, installation),
        None if args.dry_run => (Wish::DryRun, args.installation),
        None => (Wish::Migrate, args.installation),
    };
    let config = installation.load()?;
    let change = matches!(wish, Wish::Migrate);
    let stores = schemas(&config, change).map_err(|error| Failure::Failed(error.to_string()))?;
    let clock: SharedClock = Arc::new(SystemClock);
    let mut failed = Vec::new();
    client_runtime()?.block_on(async {
        for schema in &stores.schemas {
            match look_at(schema, wish, &clock).await {
                Ok(text) => print(&text)?,
                // The others are no worse for it.
                Err(error) => failed.push(format!("{}: {error}", schema.name)),
            }
        }
        Ok::<_, Failure>(())
    })?;
    if failed.is_empty() { Ok(()) } else { Err(Failure::Failed(failed.join("\nerror: "))) }
}

async fn look_at(schema: &Schema, wish: Wish, clock: &SharedClock) -> Result<String, StorageError> {
    match wish {
        Wish::Migrate => {
            let before = schema.standing().await?;
            let after = schema.migrate(clock, &|_| ()).await?;
            Ok(outcome(schema.name, &before, &after))
        }
        Wish::DryRun => Ok(intention(schema.name, &schema.standing().await?)),
        Wish::Status { json: true } => Ok(in_json(schema.name, &schema.standing().await?)),
        Wish::Status { json: false } => Ok(table(schema.name, &schema.standing().await?)),
    }
}

fn outcome(name: &str, before: &Standing, after: &Standing) -> String {
    if before.pending.is_empty() {
        return up_to_date(name, after);
    }
    let mut text = String::new();
    for (version, step) in &before.pending {
        let _ = writeln!(text, "{name}: applied {version:04} {step} ({})", after.place);
    }
    text
}

fn intention(name: &str, standing: &Standing) -> String {
    if standing.pending.is_empty() {
        return up_to_date(name, standing);
    }
    let mut text = String::new();
    for (version, step) in &standing.pending {
        let _ = writeln!(text, "{name}: would apply {version:04} {step} ({})", standing.place);
    }
    text
}

fn up_to_date(name: &str, standing: &Standing) -> String {
    format!("{name}: up to date ({})\n", standing.place)
}

fn table(name: &str, standing: &Standing) -> String {
    let mut text = format!("{name}: {}\n", standing.place);
    for step in &standing.applied {
        let _ = writeln!(text, "  {:04} {:<16} applied {:.0}", step.version, step.name, step.at);
    }
    for (version, step) in &standing.pending {
        let _ = writeln!(text, "  {version:04} {step:<16} pending");
    }
    text
}

fn in_json(name: &str, standing: &Standing) -> String {
    let place = standing.place.to_string();
    let applied = standing.applied.iter().map(|step| {
        json!({ "store": name, "place": place, "version": step.version, "name": step.name, "appliedAt": step.at })
    });
    let pending = standing.pending.iter().map(|(version, step)| {
        json!({ "store": name, "place": place, "version": version, "name": step, "appliedAt": null })
    });
    applied.chain(pending).map(|line| line.to_string() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::storage::migration::{Applied, Migration};

    fn standing(applied: usize) -> Standing {
        let list = [("commands", 1), ("positions", 2)].map(|(name, version)| Migration {
            version,
            name,
            body: "SELECT 1",
        });
        let done = list.iter().take(applied).map(|step| Applied {
            version: step.version,
            name: step.name.to_owned(),
            checksum: step.checksum(),
            at: jiff::Timestamp::UNIX_EPOCH,
        });
        Standing::of(&std::path::Path::new("voice.db").into(), &list, done.collect()).unwrap()
    }

    #[test]
    fn what_was_done_is_told_with_its_time_and_what_is_to_be_done_without() {
        assert_eq!(
            table("voice", &standing(1)),
            "voice: voice.db\n  0001 commands         applied 1970-01-01T00:00:00Z\n  0002 positions        pending\n"
        );
        let lines = in_json("voice", &standing(1));
        let lines: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["appliedAt"], "1970-01-01T00:00:00Z");
        assert_eq!((&lines[1]["name"], &lines[1]["appliedAt"]), (&json!("positions"), &json!(null)));
    }

    #[test]
    fn a_store_that_lacks_nothing_is_said_to_be_up_to_date() {
        assert_eq!(intention("voice", &standing(2)), "voice: up to date (voice.db)\n");
        assert_eq!(outcome("voice", &standing(2), &standing(2)), "voice: up to date (voice.db)\n");
        assert_eq!(intention("voice", &standing(1)), "voice: would apply 0002 positions (voice.db)\n");
        assert_eq!(
            outcome("voice", &standing(1), &standing(2)),
            "voice: applied 0002 positions (voice.db)\n"
        );
    }
}
