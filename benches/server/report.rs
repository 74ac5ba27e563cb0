//! A benchmark's run, from its arguments to the table.

use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::Fault;

/// Whether the command line has this argument.
pub fn given(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

/// Whether a short run is wanted: without `--bench` it is `cargo test` that runs this.
pub fn quick() -> bool {
    given("--quick") || !given("--bench")
}

/// Measures, for `bound` at most, and prints the table.
pub fn run(
    runtime: io::Result<Runtime>,
    bound: Duration,
    measured: impl Future<Output = Result<Report, Fault>>,
) -> ExitCode {
    let done = runtime.map_err(Fault::from).and_then(|runtime| {
        runtime.block_on(async {
            tokio::select! {
                done = measured => done,
                _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
                () = tokio::time::sleep(bound) => Err("it took too long".into()),
            }
        })
    });
    match done {
        Ok(report) => {
            println!("{}", report.table(given("--markdown")));
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// One line of it.
struct Line {
    what: String,
    figure: String,
    aim: String,
    met: &'static str,
}

/// What was measured, in order.
#[derive(Default)]
pub struct Report(Vec<Line>);

impl Report {
    /// A figure for which there is no aim.
    pub fn note(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.0.push(Line { what: what.into(), figure: figure.into(), aim: String::new(), met: "" });
    }

    /// A figure with an aim.
    pub fn aim(&mut self, what: impl Into<String>, figure: impl Into<String>, aim: &str, met: bool) {
        let met = if met { "yes" } else { "no" };
        self.0.push(Line { what: what.into(), figure: figure.into(), aim: aim.to_owned(), met });
    }

    /// The whole table.
    pub fn table(&self, markdown: bool) -> String {
        let head = Line { what: "measure".into(), figure: "figure".into(), aim: "aim".into(), met: "met" };
        let lines = || std::iter::once(&head).chain(&self.0);
        let width =
            |cell: fn(&Line) -> &str| lines().map(|line| cell(line).chars().count()).max().unwrap_or(0);
        let widths = [width(|line| &line.what), width(|line| &line.figure), width(|line| &line.aim), 3];
        let mut table = String::new();
        for (index, line) in lines().enumerate() {
            table.push_str(&row(&[&line.what, &line.figure, &line.aim, line.met], widths, markdown));
            if index == 0 {
                let rules = widths.map(|width| "-".repeat(width));
                table.push_str(&row(&rules.each_ref().map(String::as_str), widths, markdown));
            }
        }
        table
    }
}

fn row(cells: &[&str; 4], widths: [usize; 4], markdown: bool) -> String {
    let cells: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    if markdown {
        format!("| {} |\n", cells.join(" | "))
    } else {
        format!("{}\n", cells.join("  ").trim_end())
    }
}
