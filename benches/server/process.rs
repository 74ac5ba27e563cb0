//! The real binary on a folder of its own, stopped and removed whatever happens.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Fault;
use crate::backing::Backing;
use crate::load::{Connection, get};

/// The longest that a start or a stop may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// `voicera serve`, running.
pub struct Server {
    child: Child,
    /// Kept open: the server may go on printing.
    _stdout: BufReader<ChildStdout>,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process to the first `200` of `/health/ready`.
    pub ready_after: Duration,
    folder: PathBuf,
}

impl Server {
    /// Starts the binary on `folder` with the configuration as shipped but for limits that a benchmark
    /// would run into, on a free port; the log goes into a file, as it does under a supervisor.
    pub async fn start(folder: &Path) -> Result<Self, Fault> {
        Self::start_on(folder, &Backing::default()).await
    }

    /// The same, which keeps things elsewhere.
    pub async fn start_on(folder: &Path, backing: &Backing) -> Result<Self, Fault> {
        let log = File::create(folder.join("log"))?;
        let routes = folder.join("routes.toml");
        std::fs::write(&routes, "[limits.principal]\nrequests = 4000000000\n")?;
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_voicera"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"))
            .current_dir(folder)
            // Variables of whoever runs this would be configuration.
            .env_clear()
            .env("VOICERA_GATEWAY__ROUTES", routes)
            .envs(backing.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let stdout = child.stdout.take().map(BufReader::new);
        let found = listening(stdout).await;
        let (stdout, address) = match found {
            Ok(found) => found,
            Err(fault) => {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(format!("{fault}; its log: {}", Self::log_of(folder)).into());
            }
        };
        let mut server =
            Self { child, _stdout: stdout, address, ready_after: Duration::ZERO, folder: folder.to_owned() };
        server.wait_until_ready(started).await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self, started: Instant) -> Result<(), Fault> {
        let mut connection = Connection::open(self.address).await?;
        while connection.send(&get("/health/ready", None)).await? != 200 {
            if started.elapsed() > PATIENCE {
                return Err(format!("not ready in time; its log: {}", Self::log_of(&self.folder)).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.ready_after = started.elapsed();
        Ok(())
    }

    /// The key that the first start made.
    pub fn key(&self) -> Result<String, Fault> {
        Ok(std::fs::read_to_string(self.folder.join("data/api-key"))?.trim().to_owned())
    }

    /// Resident memory, in MB (10^6 bytes).
    pub fn resident(&self) -> Result<f64, Fault> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// Processor time so far, in seconds.
    pub fn cpu(&self) -> Result<f64, Fault> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        // utime and stime (fields 14 and 15), in ticks of 1/100 s.
        Ok(fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap_or(0.0) / 100.0).sum())
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> Result<(), Fault> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > PATIENCE {
                return Err("it did not stop in time".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    fn log_of(folder: &Path) -> String {
        std::fs::read_to_string(folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Reads the line that says where it listens.
async fn listening(
    stdout: Option<BufReader<ChildStdout>>,
) -> Result<(BufReader<ChildStdout>, SocketAddr), Fault> {
    let mut stdout = stdout.ok_or("no standard output")?;
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        while stdout.read_line(&mut line)? > 0 {
            if let Some(address) = line.trim().strip_prefix("listening on http://") {
                let address = address.parse::<SocketAddr>().map_err(std::io::Error::other)?;
                return Ok((stdout, address));
            }
            line.clear();
        }
        Err(std::io::Error::other("it ended before it listened"))
    });
    Ok(tokio::time::timeout(PATIENCE, read).await.map_err(|_| "it did not listen in time")???)
}
