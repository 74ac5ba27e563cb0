//! `voicera gateway`: a routes file, looked at before anybody relies on it.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::{Failure, print};
use crate::config::routes::{RoutePart, RoutesFile};

/// Look at the gateway's routes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  voicera gateway check routes.toml\n  voicera gateway check")]
pub(super) struct GatewayArgs {
    /// What to do.
    #[command(subcommand)]
    command: GatewayCommand,
}

#[derive(Debug, Subcommand)]
enum GatewayCommand {
    /// Check a routes file and print the routes that it makes with those that are built in; exit status 2 if
    /// it has errors
    ///
    /// The first route that fits a request is the one that counts.
    #[command(
        after_help = "Examples:\n  voicera gateway check routes.toml\n  voicera gateway check     the built-in routes"
    )]
    Check {
        /// The file; without one, the built-in routes alone
        file: Option<PathBuf>,
    },
}

pub(super) fn run(args: &GatewayArgs) -> Result<(), Failure> {
    let GatewayCommand::Check { file } = &args.command;
    let read = file.as_deref().map_or_else(RoutesFile::built_in, RoutesFile::read);
    let read = read.map_err(|errors| Failure::Use(errors.to_string()))?;
    let source =
        file.as_ref().map_or_else(|| "the built-in routes".to_owned(), |file| file.display().to_string());
    print(&format!("{source}: no mistakes\n\n{}", table(&read)))
}

/// The routes in the order in which they count.
fn table(read: &RoutesFile) -> String {
    let mut rows: Vec<[String; 5]> =
        vec![["ROUTE", "REQUESTS", "UPSTREAM", "WHO MAY", "LIMITS"].map(str::to_owned)];
    rows.extend(read.in_order().map(|(name, part)| {
        let who = if part.scopes.is_empty() { part.auth.to_string() } else { part.scopes.join(" ") };
        let limits = if part.limits.is_empty() { "-".to_owned() } else { part.limits.join(" ") };
        [name.to_owned(), requests(part), part.upstream.clone(), who, limits]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

fn requests(part: &RoutePart) -> String {
    let methods = if part.methods.is_empty() { String::new() } else { part.methods.join(",") + " " };
    let headers = part.headers.iter().map(|(name, value)| format!(" {name}:{value}"));
    format!("{methods}{}{}{}", part.hosts.join(","), part.prefix, headers.collect::<String>())
}
