//! One server process: started, watched, stopped gently or not.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::wait;

/// The part that a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Everything in one process.
    All,
    /// Accounts and keys.
    Users,
    /// Counters.
    Analytics,
    /// Commands.
    Voice,
    /// The way in.
    Gateway,
}

impl Role {
    /// The name on the command line, and of the folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Users => "users",
            Self::Analytics => "analytics",
            Self::Voice => "voice",
            Self::Gateway => "gateway",
        }
    }
}

/// One process of an installation: the part it plays, and which of those that play it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part {
    /// What it plays.
    pub role: Role,
    /// From 1.
    pub number: u8,
}

impl Part {
    /// The first, or only, process that plays `role`.
    pub const fn first(role: Role) -> Self {
        Self { role, number: 1 }
    }

    /// The name of its folder.
    pub fn name(self) -> String {
        match self.number {
            1 => self.role.as_str().to_owned(),
            number => format!("{}-{number}", self.role.as_str()),
        }
    }
}

impl From<Role> for Part {
    fn from(role: Role) -> Self {
        Self::first(role)
    }
}

/// A configuration key and its value.
pub type Setting = (String, String);

/// The binary under test, without any of the surroundings' own configuration.
pub fn voicera(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voicera"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VOICERA_")) {
        command.env_remove(name);
    }
    command.current_dir(home);
    command
}

/// `voice.queue.lease` as `VOICERA_VOICE__QUEUE__LEASE`.
pub fn variable(key: &str) -> String {
    format!("VOICERA_{}", key.replace('.', "__").to_uppercase())
}

/// Everything that a process wrote.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    fn follow(&self, stream: impl Read + Send + 'static) -> JoinHandle<()> {
        let lines = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                line.clear();
            }
        })
    }
}

/// A running, or ended, server process.
#[derive(Debug)]
pub struct Node {
    part: Part,
    /// Standard output.
    pub out: Log,
    /// Standard error: the log.
    pub err: Log,
    address: Option<SocketAddr>,
    base: String,
    child: Child,
    followers: Vec<JoinHandle<()>>,
    ended: Option<ExitStatus>,
}

impl Node {
    /// Starts a process on `port`, with its data in a folder of `home`.
    pub fn spawn(part: Part, home: &Path, port: u16, settings: &[Setting]) -> Self {
        let mut child = voicera(home)
            .args(["serve", "--role", part.role.as_str()])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--data-dir")
            .arg(home.join(part.name()))
            // Passwords are as dear as they should be in one test, and cheap in all others.
            .envs([("VOICERA_USERS__PASSWORD__MEMORY_KIB", "256"), ("VOICERA_USERS__PASSWORD__PASSES", "1")])
            .envs(settings.iter().map(|(key, value)| (variable(key), value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (out, err) = (Log::default(), Log::default());
        let followers = vec![
            out.follow(child.stdout.take().expect("piped")),
            err.follow(child.stderr.take().expect("piped")),
        ];
        Self { part, out, err, address: None, base: String::new(), child, followers, ended: None }
    }

    /// Waits for the line that says where it listens.
    pub async fn listening(&mut self) {
        let (scheme, address) = wait::until("a server listens", async || {
            if let Some(status) = self.poll() {
                panic!("{} ended with {status} instead of serving:\n{}", self.part.name(), self.err.text());
            }
            self.out.lines().iter().find_map(|line| {
                let (scheme, address) = line.strip_prefix("listening on ")?.split_once("://")?;
                Some((scheme.to_owned(), address.parse().ok()?))
            })
        })
        .await;
        self.base = format!("{scheme}://{address}");
        self.address = Some(address);
    }

    /// Where it listens, as a URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("the server listens")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn poll(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child can be waited for");
        }
        self.ended
    }

    /// Ends it at once, as the kernel does when memory is short.
    pub fn kill9(&mut self) {
        let _ = self.child.kill();
        self.ended = self.child.wait().ok();
        self.drain();
    }

    /// Asks it to end, as a supervisor does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal by its name. The shell knows how; the program `kill` is not everywhere.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid())]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} is sent");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = wait::until("a server ends", async || self.poll()).await;
        self.drain();
        status
    }

    /// Asks it to end; fails unless it does so in order.
    pub async fn stop(&mut self) {
        self.terminate();
        let status = self.ended().await;
        assert!(status.success(), "{} ended with {status}:\n{}", self.part.name(), self.err.text());
    }

    /// Reads what is left of its output.
    fn drain(&mut self) {
        for follower in self.followers.drain(..) {
            let _ = follower.join();
        }
    }

    /// Fails when the process panicked, or when work was left undone.
    pub fn check_leftovers(&mut self) {
        let name = self.part.name();
        let panics: Vec<_> = self.err.lines().into_iter().filter(|line| line.contains("panicked")).collect();
        assert!(panics.is_empty(), "{name} panicked: {panics:#?}");
        if self.poll().is_some() || self.address.is_none() {
            return;
        }
        let metrics = self.get("/metrics");
        let counted =
            metrics.lines().find(|line| line.starts_with("voicera_panics_total") && !line.ends_with(" 0"));
        assert_eq!(counted, None, "{name} counted a panic");
        if matches!(self.part.role, Role::All | Role::Voice) {
            let mut last = String::new();
            let empty = wait::until_blocking(Duration::from_secs(20), || {
                last = self.get("/health");
                last.contains("\"0 waiting, 0 active, 0 delayed").then_some(())
            });
            assert!(empty.is_some(), "{name} still had work at the end of the test: {last}");
        }
    }

    /// One request without a runtime; empty when there is no answer.
    fn get(&self, path: &str) -> String {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.address())?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        ask().unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
