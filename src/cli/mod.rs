//! The command line: one file per subcommand.
//!
//! Exit status: 0 done, 1 failed, 2 wrong use or configuration.

#[cfg(feature = "users")]
mod accounts;
mod client;
mod completions;
pub mod config;
#[cfg(all(feature = "voice", feature = "users", feature = "analytics"))]
mod db;
#[cfg(feature = "gateway")]
mod gateway;
mod jobs;
mod migrate;
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
    #[cfg(feature = "users")]
    User(accounts::user::UserArgs),
    #[cfg(feature = "users")]
    Key(accounts::key::KeyArgs),
    #[cfg(feature = "users")]
    SigningKey(accounts::signing_key::SigningKeyArgs),
    Migrate(migrate::MigrateArgs),
    #[cfg(all(feature = "voice", feature = "users", feature = "analytics"))]
    Db(db::DbArgs),
    Nlu(nlu::NluArgs),
    Config(config::ConfigArgs),
    #[cfg(feature = "gateway")]
    Gateway(gateway::GatewayArgs),
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
    /// Whoever read the output wants no more of it: exit status 0, as with `… | head`.
    Unread,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Unread } else { Self::Failed(error.to_string()) }
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
        #[cfg(feature = "users")]
        Command::User(args) => accounts::user::run(args),
        #[cfg(feature = "users")]
        Command::Key(args) => accounts::key::run(args),
        #[cfg(feature = "users")]
        Command::SigningKey(args) => accounts::signing_key::run(args),
        Command::Migrate(args) => migrate::run(args),
        #[cfg(all(feature = "voice", feature = "users", feature = "analytics"))]
        Command::Db(args) => db::run(args),
        Command::Nlu(args) => nlu::run(&args),
        Command::Config(args) => {
            let mut out = io::stdout().lock();
            let ended = config::run(&args, &mut out, &mut io::stderr().lock());
            match ended.and_then(|status| out.flush().map(|()| status)) {
                Ok(status) => return ExitCode::from(status),
                Err(error) => Err(unwritable(error)),
            }
        }
        #[cfg(feature = "gateway")]
        Command::Gateway(args) => gateway::run(&args),
        Command::Openapi(_) => openapi::run(),
        Command::Completions(args) => completions::run(&args),
    };
    match outcome {
        Ok(()) | Err(Failure::Unread) => ExitCode::SUCCESS,
        Err(Failure::Use(message)) => fail(&message, 2),
        Err(Failure::Failed(message)) => fail(&message, 1),
    }
}

fn fail(message: &str, status: u8) -> ExitCode {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr(), "error: {message}");
    ExitCode::from(status)
}

/// Prints to standard output: `println!` panics where nobody can be written to.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(unwritable)
}

fn unwritable(error: io::Error) -> Failure {
    match Failure::from(error) {
        Failure::Failed(why) => Failure::Failed(format!("standard output cannot be written: {why}")),
        unread => unread,
    }
}

/// A runtime for commands that only wait for a server.
fn client_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
