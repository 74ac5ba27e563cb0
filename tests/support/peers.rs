//! Programs of other languages on the queue's other side: BullMQ on Node, as somebody else would use it.
//!
//! Part of the unit tests, too, like [`servers`](super::servers). Each says what it does in lines of JSON
//! on its standard output, is told what to do in lines on its standard input, and ends with that.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::servers::program;

/// How long anything may take before the test fails.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the packages lie that the programs need.
fn packages() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    // target/debug/deps/this-test
    let target = own.ancestors().nth(3).expect("it lies in a target folder");
    let folder = target.join("tools/peers");
    let wanted = std::fs::read_to_string(scripts().join("package.json")).expect("the peers' manifest");
    let installed = std::fs::read_to_string(folder.join("installed.json")).unwrap_or_default();
    assert!(
        wanted == installed,
        "Node's packages are not in {}: scripts/test installs them",
        folder.display()
    );
    folder
}

fn scripts() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers"))
}

/// A running program.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    input: ChildStdin,
    lines: mpsc::UnboundedReceiver<Value>,
    heard: Vec<Value>,
}

impl Peer {
    /// Starts `tests/peers/{script}`, on the Redis at `port`.
    ///
    /// # Panics
    /// When there is no Node, or its packages are not installed.
    pub fn start(script: &str, port: u16, mut options: Value) -> Self {
        options["port"] = json!(port);
        let mut child = Command::new(program("node"))
            .arg(scripts().join(script))
            .arg(options.to_string())
            .current_dir(packages())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (say, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines, heard: Vec::new() }
    }

    /// Tells it to do something.
    pub fn tell(&mut self, what: &Value) {
        writeln!(self.input, "{what}").expect("it listens");
    }

    /// The first line that it has said or says now that has this key.
    pub async fn says(&mut self, key: &str) -> Value {
        self.until(key, |line| line.get(key).is_some()).await
    }

    /// The first such line; the others are kept for later.
    pub async fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.heard.iter().position(&is_it) {
            return self.heard.remove(at);
        }
        let found = tokio::time::timeout(DEADLINE, async {
            while let Some(line) = self.lines.recv().await {
                if is_it(&line) {
                    return Some(line);
                }
                self.heard.push(line);
            }
            None
        });
        let found = found.await.ok().flatten();
        found.unwrap_or_else(|| panic!("{what}: not said within {DEADLINE:?}; so far {:?}", self.heard))
    }

    /// All that it has said and nobody has asked for.
    pub fn rest(&mut self) -> Vec<Value> {
        while let Ok(line) = self.lines.try_recv() {
            self.heard.push(line);
        }
        std::mem::take(&mut self.heard)
    }

    /// Ends it as the kernel does when memory is short.
    pub fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill9();
    }
}
