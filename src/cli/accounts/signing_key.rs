//! `voicera signing-key`: the keys that access tokens are signed with, on the store itself.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::StoreOptions;
use crate::cli::{Failure, print};
use crate::roles::accounts::SigningKey;

/// Rotate and list the keys that access tokens are signed with, on the store itself
///
/// They rotate by themselves (`users.signing_key_ttl`).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera signing-key list\n  voicera signing-key rotate\n  voicera signing-key rotate --at-once    the old one has leaked"
)]
pub(in crate::cli) struct SigningKeyArgs {
    #[command(subcommand)]
    command: SigningKeyCommand,
}

#[derive(Debug, Subcommand)]
enum SigningKeyCommand {
    /// Make a new key; it signs after it has been published for ten minutes
    #[command(after_help = "Examples:\n  voicera signing-key rotate\n  voicera signing-key rotate --at-once")]
    Rotate {
        /// Sign with it now, and refuse every access token that another key signed: clients refresh theirs
        #[arg(long)]
        at_once: bool,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// List the keys that verify access tokens
    #[command(after_help = "Examples:\n  voicera signing-key list\n  voicera signing-key list --json")]
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreOptions,
    },
}

pub(in crate::cli) fn run(args: SigningKeyArgs) -> Result<(), Failure> {
    match args.command {
        SigningKeyCommand::Rotate { at_once, store } => store.with(async |operator| {
            operator.rotate_signing_key(at_once).await?;
            print(if at_once {
                "made a new key: it signs from now on, and what others signed is refused within seconds\n"
            } else {
                "made a new key: it signs in ten minutes\n"
            })
        }),
        SigningKeyCommand::List { json, store } => store.with(async |operator| {
            let (keys, now) = operator.signing_keys().await?;
            let signs = keys.iter().rposition(|key| key.active_at <= now).unwrap_or(0);
            let shown = keys.iter().enumerate().map(|(at, key)| {
                let state = match at.cmp(&signs) {
                    std::cmp::Ordering::Less => "retiring",
                    std::cmp::Ordering::Equal => "signs",
                    std::cmp::Ordering::Greater => "next",
                };
                if json { in_json(key, state) } else { line(key, state, now) }
            });
            print(&shown.map(|line| line + "\n").collect::<String>())
        }),
    }
}

fn in_json(key: &SigningKey, state: &str) -> String {
    json!({ "kid": key.kid, "state": state, "activeAt": key.active_at, "expiresAt": key.expires_at })
        .to_string()
}

fn line(key: &SigningKey, state: &str, now: Timestamp) -> String {
    let since = if key.active_at <= now { "since" } else { "from" };
    let end = key.expires_at.map(|at| format!(", verifies until {at:.0}")).unwrap_or_default();
    format!("{}  {state:<8}  signs {since} {:.0}{end}", key.kid, key.active_at)
}
