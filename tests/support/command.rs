//! The command line, run to its end.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::node::voicera;
use super::wait;

/// What a command left behind.
#[derive(Debug)]
pub struct Finished {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Finished {
    /// This, if it ended with that status.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }
}

/// Runs `voicera` in `home`.
pub fn run(home: &Path, arguments: &[&str]) -> Finished {
    run_with(home, arguments, &[], "")
}

/// Runs `voicera` with environment variables and standard input.
pub fn run_with(home: &Path, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Finished {
    let mut command = voicera(home);
    command.args(arguments).envs(variables.iter().copied());
    finish(command, input)
}

fn finish(mut command: Command, input: &str) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // A command that reads nothing closes the pipe.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let (mut out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = err.read_to_string(&mut text);
        text
    });
    let printer = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = out.read_to_string(&mut text);
        text
    });
    let Some(status) =
        wait::until_blocking(wait::DEADLINE, || child.try_wait().expect("a child can be waited for"))
    else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{command:?} does not end");
    };
    let _ = feeder.join();
    let (out, err) = (printer.join().unwrap_or_default(), reader.join().unwrap_or_default());
    Finished { status: status.code().unwrap_or(-1), out, err }
}
