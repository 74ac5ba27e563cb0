//! `voicera nlu validate`: what is wrong with training data.

use clap::Args;
use serde_json::json;

use crate::cli::nlu::input::DataOptions;
use crate::cli::{Failure, print};
use crate::nlu::{Finding, Level, validate};

/// Check training data, with file and line for everything that is found
///
/// Errors: what cannot be read, one sentence under two intents, overlapping annotations, templates
/// with a list that nothing defines. Warnings: repetitions, intents and entities with too few or too uniform examples, forgotten annotations.
/// Hints: what is defined and not used.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera nlu validate --data skills.yml\n  voicera nlu validate --data skills/ --strict\n  voicera nlu validate --data skills.yml --json | jq -r '.findings[].check'\n\nExit status: 0 no errors, 1 errors (with --strict also warnings), 2 a file cannot be read."
)]
pub(super) struct ValidateArgs {
    #[command(flatten)]
    data: DataOptions,
    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
    /// Print JSON: counts, and the findings under "findings"
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ValidateArgs) -> Result<(), Failure> {
    let findings = validate(&args.data.documents()?);
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings, hints) = (count(Level::Error), count(Level::Warning), count(Level::Hint));
    let summary =
        format!("{}, {}, {}", plural(errors, "error"), plural(warnings, "warning"), plural(hints, "hint"));
    if args.json {
        print(&format!("{}\n", as_json(&findings, errors, warnings, hints)?))?;
    } else {
        for finding in &findings {
            print(&format!("{finding}\n"))?;
        }
    }
    if errors > 0 || (args.strict && warnings > 0) {
        return Err(Failure::Failed(format!("the data has {summary}")));
    }
    if !args.json {
        print(&format!("{summary}\n"))?;
    }
    Ok(())
}

fn as_json(findings: &[Finding], errors: usize, warnings: usize, hints: usize) -> Result<String, Failure> {
    let json = json!({"errors": errors, "warnings": warnings, "hints": hints, "findings": findings});
    serde_json::to_string_pretty(&json).map_err(|error| Failure::Failed(error.to_string()))
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
