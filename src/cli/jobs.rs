//! `voicera jobs`: what waits on a running server, and trying the dead again.

use clap::{Args, Subcommand, ValueEnum};
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::client::{Server, ServerOptions};
use crate::cli::{Failure, client_runtime, print};

/// List jobs of a running server, or have dead ones tried again
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  voicera jobs list --state failed\n  voicera jobs retry --all")]
pub(super) struct JobsArgs {
    #[command(subcommand)]
    command: JobsCommand,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// List jobs, oldest first
    #[command(after_help = "Examples:\n  voicera jobs list\n  voicera jobs list --state failed --json")]
    List {
        #[command(flatten)]
        server: ServerOptions,
        /// Only jobs in this state
        #[arg(long, value_enum)]
        state: Option<State>,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Give dead jobs all their attempts again
    #[command(
        after_help = "Examples:\n  voicera jobs retry 0199d4a2-6f1c-7d10-9a4e-3f2b8c0e5a11\n  voicera jobs retry --all"
    )]
    Retry {
        #[command(flatten)]
        server: ServerOptions,
        /// The jobs
        #[arg(value_name = "JOB_ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<uuid::Uuid>,
        /// All dead jobs
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Waiting,
    Active,
    Delayed,
    Failed,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    jobs: Vec<Value>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Retried {
    retried: u64,
}

pub(super) fn run(args: JobsArgs) -> Result<(), Failure> {
    client_runtime()?.block_on(async {
        match args.command {
            JobsCommand::List { server, state, json } => list(&server.connect()?, state, json).await,
            JobsCommand::Retry { server, ids, all } => retry(&server.connect()?, &ids, all).await,
        }
    })
}

async fn list(server: &Server, state: Option<State>, json: bool) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    let mut count = 0_usize;
    loop {
        let mut request = server.request(Method::GET, "/api/voice/jobs")?.query(&[("limit", "200")]);
        if let Some(state) = state {
            request = request.query(&[("state", state.as_str())]);
        }
        if let Some(cursor) = &cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        let page: Page = server.send(request).await?;
        count += page.jobs.len();
        let shown = |job| if json { format!("{job}\n") } else { line(job) + "\n" };
        print(&page.jobs.iter().map(shown).collect::<String>())?;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if count == 0 && !json {
        let kind = state.map(|state| format!(" that are {}", state.as_str())).unwrap_or_default();
        print(&format!("no jobs{kind}\n"))?;
    }
    Ok(())
}

fn line(job: &Value) -> String {
    let text = |name: &str| job[name].as_str().unwrap_or_default().to_owned();
    format!(
        "{}  {:<8} {:<14} {}/{} attempts  accepted {}  {}",
        text("jobId"),
        text("state"),
        text("kind"),
        job["attempts"],
        job["maxAttempts"],
        text("createdAt"),
        text("lastError"),
    )
    .trim_end()
    .to_owned()
}

async fn retry(server: &Server, ids: &[uuid::Uuid], all: bool) -> Result<(), Failure> {
    let mut retried = 0;
    if all {
        let answer: Retried = server.send(server.request(Method::POST, "/api/voice/jobs/retry")?).await?;
        retried = answer.retried;
    }
    for id in ids {
        let path = format!("/api/voice/jobs/{id}/retry");
        let answer: Retried = server.send(server.request(Method::POST, &path)?).await?;
        retried += answer.retried;
    }
    print(&format!("{retried} will be tried again\n"))
}
