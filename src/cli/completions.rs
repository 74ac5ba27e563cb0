//! `voicera completions`: what a shell needs to complete `voicera`'s words.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::{Cli, Failure, print};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera completions bash > /etc/bash_completion.d/voicera\n  voicera completions zsh > ~/.zfunc/_voicera\n  voicera completions fish > ~/.config/fish/completions/voicera.fish"
)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "voicera", &mut script);
    print(&String::from_utf8_lossy(&script))
}
