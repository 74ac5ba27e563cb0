//! `voicera say`: sends commands to a running server and shows the answers.

mod batch;
mod input;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cli::client::{CallError, Server, ServerOptions};
use crate::cli::{Failure, client_runtime, print};

/// Send a command to a running server and show the answer
///
/// With --file, one command a line; a `.yml` file of labelled sentences (Rasa NLU YAML) also shows
/// how many intents were right.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  voicera say \"when is my next assignment due\"\n  voicera say --json \"show my grades\" | jq .result.intent\n  voicera say --file commands.txt --json > answers.ndjson\n  voicera say --file test.yml\n  cat commands.txt | voicera say --file -"
)]
pub(super) struct SayArgs {
    /// What to say
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    text: Option<String>,
    /// Read one command a line from this file, `-` for standard input
    #[arg(long, value_name = "FILE|-")]
    file: Option<PathBuf>,
    /// The language of the commands, as a BCP 47 tag [default: found out]
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// Print JSON: the answer as the server gave it, one object a line with --file
    #[arg(long)]
    json: bool,
    /// Commands in flight at the same time, with --file
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    #[command(flatten)]
    server: ServerOptions,
}

/// How long the server is asked to wait for a result, in seconds.
const WAIT: u64 = 30;
/// How long a result is asked for after that.
const PATIENCE: Duration = Duration::from_mins(5);
/// The pause between two looks at a command that takes long.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn run(args: SayArgs) -> Result<(), Failure> {
    let server = args.server.connect()?;
    let runtime = client_runtime()?;
    match (args.text, args.file) {
        (_, Some(file)) => {
            let batch = batch::Batch {
                server,
                language: args.language,
                json: args.json,
                concurrency: usize::from(args.concurrency),
            };
            runtime.block_on(batch.run(input::open(&file)?))
        }
        (text, None) => {
            let text = text.unwrap_or_default();
            let answer = runtime.block_on(say(&server, &text, args.language.as_deref(), None))?;
            if args.json {
                print(&format!("{answer}\n"))?;
            } else {
                print(&show::answer(&answer, has_colour()))?;
            }
            match failure(&answer) {
                Some(message) => Err(Failure::Failed(format!("the command has no answer: {message}"))),
                None => Ok(()),
            }
        }
    }
}

/// Whether standard output shows colours, by its kind and the usual variables (`NO_COLOR` and others).
fn has_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// Why a command that has ended has no result; `None` if it has one.
fn failure(answer: &Value) -> Option<&str> {
    (answer["status"] == "failed").then(|| answer["error"]["message"].as_str().unwrap_or("failed"))
}

/// Sends one command and waits for its answer; with a key, a repetition is not done twice.
async fn say(
    server: &Server,
    text: &str,
    language: Option<&str>,
    key: Option<&str>,
) -> Result<Value, CallError> {
    let refused = |failure: Failure| match failure {
        Failure::Use(message) | Failure::Failed(message) => CallError::Refused(message),
        Failure::Unread => CallError::Refused("standard output is closed".to_owned()),
    };
    let mut body = json!({"command": text});
    if let Some(language) = language {
        body["language"] = language.into();
    }
    let mut request = server
        .request(Method::POST, "/api/voice/process")
        .map_err(refused)?
        .header("prefer", format!("wait={WAIT}"))
        .json(&body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let mut answer: Value = server.send(request).await?;
    let started = Instant::now();
    while !matches!(answer["status"].as_str(), Some("completed" | "failed")) {
        if started.elapsed() > PATIENCE {
            return Err(CallError::Refused(format!(
                "the command was accepted as {}, but has no answer yet",
                answer["jobId"].as_str().unwrap_or("?")
            )));
        }
        tokio::time::sleep(LOOK).await;
        let path = format!("/api/voice/status/{}", answer["jobId"].as_str().unwrap_or_default());
        answer = server.send(server.request(Method::GET, &path).map_err(refused)?).await?;
    }
    Ok(answer)
}
