//! `voicera nlu`: trains, tests, asks and checks without a server.

mod input;
mod model_file;
mod parse;
mod rasa;
mod table;
mod test;
mod train;
mod validate;

use clap::{Args, Subcommand};

use crate::cli::Failure;
use crate::kit::clock::{Clock as _, SystemClock};

/// Train, test, ask and check models, without a server
///
/// Training data is Rasa NLU YAML 3.1; docs/NLU.md describes it, and every figure of a test.
#[derive(Debug, Args)]
pub(super) struct NluArgs {
    #[command(subcommand)]
    command: NluCommand,
}

#[derive(Debug, Subcommand)]
enum NluCommand {
    Train(train::TrainArgs),
    Test(test::TestArgs),
    Parse(parse::ParseArgs),
    Validate(validate::ValidateArgs),
}

pub(super) fn run(args: &NluArgs) -> Result<(), Failure> {
    match &args.command {
        NluCommand::Train(args) => train::run(args),
        NluCommand::Test(args) => test::run(args),
        NluCommand::Parse(args) => parse::run(args),
        NluCommand::Validate(args) => validate::run(args),
    }
}

/// The caller's clock, in the time zone of this machine.
fn now() -> jiff::Zoned {
    SystemClock.now().to_zoned(jiff::tz::TimeZone::system())
}

/// A duration in seconds, for people.
fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

/// A size for people.
#[allow(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_for_people() {
        assert_eq!([size(999), size(1_500), size(7_654_321)], ["999 bytes", "1.5 kB", "7.7 MB"]);
        assert_eq!([seconds(0.123), seconds(12.34)], ["0.12 s", "12.3 s"]);
    }
}
