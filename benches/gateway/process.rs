//! Processes on the processor that they are to have, stopped whatever happens.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Fault;
use crate::load::{Connection, get};

/// The processors of the proxies, and of everything else.
pub const PROXIES: &str = "0";
pub const REST: &str = "1";

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts this process, with what it starts from now on, on the processor for the rest.
pub fn pin_this_process() -> Result<(), Fault> {
    let id = std::process::id().to_string();
    call(Command::new("taskset").args(["-a", "-c", "-p", REST, &id]))
}

/// Has this process, and those that it starts from now on, open `wanted` files if that can be; answers how
/// many it is then.
pub fn raise_open_files(wanted: usize) -> Result<usize, Fault> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).ok_or("no limits")?;
    let hard = line.split_whitespace().nth(1).and_then(|hard| hard.parse().ok()).unwrap_or(usize::MAX);
    let id = std::process::id().to_string();
    let set = |files: usize| {
        call(Command::new("prlimit").args(["--pid", &id, &format!("--nofile={files}:{}", hard.max(files))]))
    };
    if hard == usize::MAX || set(wanted).is_err() {
        let files = hard.min(wanted);
        call(Command::new("prlimit").args(["--pid", &id, &format!("--nofile={files}:")]))?;
        return Ok(files);
    }
    Ok(wanted)
}

fn call(command: &mut Command) -> Result<(), Fault> {
    let done = command.stdin(Stdio::null()).output();
    let name = command.get_program().to_string_lossy().into_owned();
    let done = done.map_err(|error| format!("{name} (of util-linux) cannot be started: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&done.stderr).trim()).into())
}

/// A process, and those that it started.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` in `folder` on `processor`, and waits until `address` answers.
    pub async fn start(
        command: &[&str],
        folder: &Path,
        processor: Option<&str>,
        address: SocketAddr,
    ) -> Result<Self, Fault> {
        let log = folder.join("log");
        let pinned: Vec<&str> = processor.into_iter().flat_map(|number| ["taskset", "-c", number]).collect();
        let mut words = pinned.iter().chain(command);
        let mut starting = Command::new(words.next().ok_or("no command")?);
        starting
            .args(words)
            .current_dir(folder)
            // Variables of whoever runs this would be configuration.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TOKIO_WORKER_THREADS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        let mut process = Self { child: starting.spawn()?, log };
        process.wait_for(address).await?;
        Ok(process)
    }

    async fn wait_for(&mut self, address: SocketAddr) -> Result<(), Fault> {
        let begun = Instant::now();
        loop {
            if let Ok(mut connection) = Connection::open(address).await
                && connection.send(&get("/health/live", None)).await.is_ok()
            {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                return Err(format!("{address} does not answer; the log: {log}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process and its children.
    pub fn all(&self) -> Vec<u32> {
        let own = self.child.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        std::iter::once(own).chain(children).collect()
    }

    /// Resident memory, in KiB.
    pub fn resident(&self) -> Result<f64, Fault> {
        let mut sum = 0.0;
        for id in self.all() {
            let status = fs::read_to_string(format!("/proc/{id}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
            sum += line.trim().trim_end_matches(" kB").parse::<f64>()?;
        }
        Ok(sum)
    }

    /// Processor time so far, in seconds.
    pub fn cpu(&self) -> Result<f64, Fault> {
        let mut sum = 0.0;
        for id in self.all() {
            let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
            let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            // utime and stime (fields 14 and 15), in ticks of 1/100 s.
            sum += fields.skip(11).take(2).map(|ticks| ticks.parse().unwrap_or(0.0) / 100.0).sum::<f64>();
        }
        Ok(sum)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A master that is killed leaves its workers behind.
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < Duration::from_secs(3) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
