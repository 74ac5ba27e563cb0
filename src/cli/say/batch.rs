//! Many commands: a progress bar, answers in the order of the input, and a summary.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::time::Instant;

use crate::cli::client::{CallError, Server};
use crate::cli::say::input::{Input, Line};
use crate::cli::say::{failure, say, show};
use crate::cli::{Failure, print};

/// The intent under which labelled data keeps what is out of scope.
const OUT_OF_SCOPE: &str = "oos";
/// Tries for one command while the server is away or full.
const TRIES: u32 = 10;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How to send many commands.
pub(super) struct Batch {
    pub(super) server: Server,
    pub(super) language: Option<String>,
    pub(super) json: bool,
    pub(super) concurrency: usize,
}

/// One command's end.
struct Outcome {
    line: Line,
    answer: Result<Value, String>,
    took: Duration,
}

impl Batch {
    /// Sends everything and prints as it goes.
    ///
    /// # Errors
    /// When a command had no answer, or the input broke off.
    pub(super) async fn run(&self, input: Input) -> Result<(), Failure> {
        let bar = progress(input.total);
        let started = Instant::now();
        let mut summary = Summary::default();
        // Names this run, so that a repeated request is recognised and not done twice.
        let run = uuid::Uuid::from_bytes(crate::kit::ids::Entropy::system().bytes()).simple();
        let commands = input.lines.enumerate().map(|(number, line)| {
            let key = format!("say-{run}-{number}");
            async move { Ok::<_, io::Error>(self.one(line?, &key).await) }
        });
        let mut outcomes = stream::iter(commands).buffered(self.concurrency);
        while let Some(outcome) = outcomes.next().await {
            let outcome = outcome?;
            summary.add(&outcome);
            let line = if self.json { as_json(&outcome) } else { as_text(&outcome) };
            bar.suspend(|| print(&format!("{line}\n")))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        let text = summary.text(started.elapsed());
        // With --json, standard output is for programs alone.
        if self.json {
            let _ = io::stderr().write_all(text.as_bytes());
        } else {
            print(&format!("\n{text}"))?;
        }
        if summary.failed > 0 {
            return Err(Failure::Failed(format!("{} commands had no answer", summary.failed)));
        }
        Ok(())
    }

    async fn one(&self, line: Line, key: &str) -> Outcome {
        let started = Instant::now();
        let answer = self.answered(&line.text, key).await;
        Outcome { line, answer, took: started.elapsed() }
    }

    /// Tries again while the server is away or full: the key makes that safe.
    async fn answered(&self, text: &str, key: &str) -> Result<Value, String> {
        let mut pause = Duration::from_millis(100);
        let mut tries = 0;
        loop {
            tries += 1;
            let (wait, message) = match say(&self.server, text, self.language.as_deref(), Some(key)).await {
                Ok(answer) => {
                    return failure(&answer).map(str::to_owned).map_or(Ok(answer), Err);
                }
                Err(CallError::Refused(message)) => return Err(message),
                Err(CallError::Later(wait, message)) => (wait, message),
                Err(CallError::Unreachable(message)) => (pause, message),
            };
            if tries == TRIES {
                return Err(message);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            tokio::time::sleep(wait.min(LONGEST_PAUSE)).await;
        }
    }
}

fn progress(total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = match total {
        Some(_) => "{bar:40} {pos}/{len}  {per_sec}  {eta} left",
        None => "{spinner} {pos}  {per_sec}  {elapsed}",
    };
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn intent(answer: &Value) -> &str {
    answer["result"]["intent"].as_str().unwrap_or("none")
}

fn is_right(expected: &str, intent: &str) -> bool {
    intent == expected || (expected == OUT_OF_SCOPE && intent == "none")
}

fn as_json(outcome: &Outcome) -> String {
    let mut object = serde_json::Map::new();
    object.insert("command".to_owned(), outcome.line.text.clone().into());
    if let Some(expected) = &outcome.line.expected {
        object.insert("expected".to_owned(), expected.clone().into());
    }
    match &outcome.answer {
        Ok(Value::Object(answer)) => object.extend(answer.clone()),
        Ok(other) => drop(object.insert("answer".to_owned(), other.clone())),
        Err(message) => drop(object.insert("failure".to_owned(), message.clone().into())),
    }
    Value::Object(object).to_string()
}

fn as_text(outcome: &Outcome) -> String {
    match &outcome.answer {
        Err(message) => format!("{:<24} {:>5}  {}\n  {message}", "failed", "", outcome.line.text),
        Ok(answer) => {
            let found = intent(answer);
            let wrong = match &outcome.line.expected {
                Some(expected) if !is_right(expected, found) => format!("  (expected {expected})"),
                _ => String::new(),
            };
            let confidence = show::percent(&answer["result"]["confidence"]);
            format!("{found:<24} {confidence:>5}  {}{wrong}", outcome.line.text)
        }
    }
}

/// Right answers of how many.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    right: usize,
    of: usize,
}

impl Score {
    fn add(&mut self, right: bool) {
        self.of += 1;
        self.right += usize::from(right);
    }

    #[allow(clippy::cast_precision_loss, reason = "nobody labels 2^53 sentences")]
    fn text(self) -> String {
        format!("{} of {} ({:.1} %)", self.right, self.of, 100.0 * self.right as f64 / self.of as f64)
    }
}

#[derive(Debug, Default)]
struct Summary {
    failed: usize,
    times: Vec<Duration>,
    in_scope: Score,
    out_of_scope: Score,
}

impl Summary {
    fn add(&mut self, outcome: &Outcome) {
        self.times.push(outcome.took);
        let found = outcome.answer.as_ref().map_or("no answer", intent);
        self.failed += usize::from(outcome.answer.is_err());
        if let Some(expected) = &outcome.line.expected {
            let score = if expected == OUT_OF_SCOPE { &mut self.out_of_scope } else { &mut self.in_scope };
            score.add(is_right(expected, found));
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    fn text(&mut self, took: Duration) -> String {
        self.times.sort_unstable();
        let count = self.times.len();
        let mut text = format!(
            "{count} commands in {:.2} s ({:.0} a second), {} answered, {} without an answer\n",
            took.as_secs_f64(),
            count as f64 / took.as_secs_f64().max(1e-9),
            count - self.failed,
            self.failed,
        );
        if count > 0 {
            let at = |percent: usize| {
                let index = (count * percent / 100).min(count - 1);
                self.times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
            };
            let _ =
                writeln!(text, "latency: p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms", at(50), at(90), at(99));
        }
        if self.in_scope.of > 0 {
            let _ = writeln!(text, "right intents: {}", self.in_scope.text());
        }
        if self.out_of_scope.of > 0 {
            let _ = writeln!(text, "out of scope recognised: {}", self.out_of_scope.text());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcome(expected: &str, intent: &str) -> Outcome {
        Outcome {
            line: Line { text: "t".to_owned(), expected: Some(expected.to_owned()) },
            answer: Ok(json!({"status": "completed", "result": {"intent": intent, "confidence": 0.5}})),
            took: Duration::from_millis(2),
        }
    }

    #[test]
    fn a_summary_counts_what_is_right_in_and_out_of_scope() {
        let mut summary = Summary::default();
        for (expected, intent) in [("a", "a"), ("a", "b"), ("oos", "none"), ("oos", "a"), ("a", "none")] {
            summary.add(&outcome(expected, intent));
        }
        summary.add(&Outcome { answer: Err("gone".to_owned()), ..outcome("a", "a") });
        insta::assert_snapshot!(summary.text(Duration::from_secs(2)), @r"
        6 commands in 2.00 s (3 a second), 5 answered, 1 without an answer
        latency: p50 2.00 ms, p90 2.00 ms, p99 2.00 ms
        right intents: 1 of 4 (25.0 %)
        out of scope recognised: 1 of 2 (50.0 %)
        ");
    }
}
