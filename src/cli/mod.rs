//! The command line: one file per subcommand.
//!
//! Exit status: 0 done, 1 failed, 2 wrong use or configuration.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod client;
mod completions;
pub mod config;
mod jobs;
mod nlu;
mod openapi;
mod say;
mod serve;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Self-hosted voice-command platform: understanding, users, analytics and a gateway in one binary
///
/// Without a subcommand: `voicera serve --role all`.
#[derive(Debug, Parser)]
#[command(
    name = "voicera",
    version,
    propagate_version = true,
    after_help = "Examples:\n  voicera                                       start on 127.0.0.1:3000, data under ./data\n  voicera say \"when is my next assignment due\"   send a command to it\n  voicera config show                           see every setting and where it comes from\n\nExit status: 0 done, 1 failed, 2 wrong use or configuration."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Say(say::SayArgs),
    Jobs(jobs::JobsArgs),
    Nlu(nlu::NluArgs),
    Config(config::ConfigArgs),
    Openapi(openapi::OpenapiArgs),
    Completions(completions::CompletionsArgs),
}

/// Why a command did not do it.
#[derive(Debug)]
enum Failure {
    /// It was asked wrongly: exit status 2.
    Use(String),
    /// It went wrong: exit status 1.
    Failed(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Does what the command line says; answers the exit status.
pub fn main() -> ExitCode {
    let command =
        Cli::parse().command.unwrap_or_else(|| Command::Serve(serve::ServeArgs::parse_from(["serve"])));
    let outcome = match command {
        Command::Serve(args) => serve::run(&args),
        Command::Say(args) => say::run(args),
        Command::Jobs(args) => jobs::run(args),
        Command::Nlu(args) => nlu::run(&args),
        Command::Config(args) => {
            return match config::run(&args, &mut io::stdout().lock(), &mut io::stderr().lock()) {
                Ok(status) => ExitCode::from(status),
                Err(error) => fail(&error.to_string(), 1),
            };
        }
        Command::Openapi(_) => openapi::run(),
        Command::Completions(args) => completions::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Use(message)) => fail(&message, 2),
        Err(Failure::Failed(message)) => fail(&message, 1),
    }
}

fn fail(message: &str, status: u8) -> ExitCode {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr(), "error: {message}");
    ExitCode::from(status)
}

/// A runtime for commands that only wait for a server.
fn client_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
