//! The servers that a production installation stands on, as real processes for one test binary.
//!
//! Part of the unit tests, too, which is why it needs nothing but the standard library and `tempfile`.
//! Each listens on a free port of this machine with its data in a temporary folder, and ends with the
//! process that started it, however that ends.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const DEADLINE: Duration = Duration::from_mins(1);
/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(10);

/// Runs what follows its first word, a folder for the output, and says its process id. Ends it when
/// told to on the standard input or when that closes, as it does with the process that holds the other
/// end; the folder goes, too, unless it was told to keep it.
const KEEPER: &str = r#"folder=$1; shift
"$@" </dev/null >>"$folder/log" 2>&1 &
echo $!
read -r word
kill -KILL $! 2>/dev/null
wait
[ "$word" = keep ] || rm -rf -- "$folder"
exit 0"#;

/// The path of a program: where the system has it, or where `scripts/test` puts it.
///
/// # Panics
/// When it is in neither place; the message says how to get it.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().ok();
    // target/debug/deps/this-test
    let own = own.as_deref().and_then(|test| test.ancestors().nth(3)).map(|target| target.join("tools/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(own);
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()));
    found.unwrap_or_else(|| panic!("there is no {name}: scripts/test installs it"))
}

/// A server process and its keeper.
#[derive(Debug)]
struct Process {
    id: u32,
    keeper: Child,
    line: ChildStdin,
}

impl Process {
    fn start(folder: &Path, command: &[String]) -> Self {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(folder)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let line = keeper.stdin.take().expect("piped");
        let mut said = String::new();
        let out = keeper.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut said).expect("the keeper says the process id");
        Self { id: said.trim().parse().expect("a process id"), keeper, line }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.id)]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} is sent");
    }

    /// Ends it at once, and waits until it is gone; its folder goes with it unless it is to be kept.
    fn kill(mut self, keep: bool) {
        if keep {
            let _ = self.line.write_all(b"keep\n");
        }
        drop(self.line);
        let _ = self.keeper.wait();
    }
}

/// A server that can be killed, paused and started again on the same port and data.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    port: u16,
    command: Vec<String>,
    folder: PathBuf,
    process: Option<Process>,
}

impl Server {
    fn new(name: &'static str, arguments: impl FnOnce(u16, &Path) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let port = free_port();
        let mut command = vec![program(name).display().to_string()];
        command.extend(arguments(port, &folder));
        let mut server = Self { name, port, command, folder, process: None };
        server.start();
        server
    }

    /// Starts it, or starts it again, and waits until it takes connections.
    pub fn start(&mut self) {
        self.process = Some(Process::start(&self.folder, &self.command));
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(begun.elapsed() < DEADLINE, "{} does not listen:\n{}", self.name, log());
            std::thread::sleep(INTERVAL);
        }
    }

    /// Ends it as the kernel does when memory is short.
    pub fn kill9(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill(true);
        }
    }

    /// Stops its work without ending it: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.process.as_ref().expect("it runs").signal("STOP");
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.process.as_ref().expect("it runs").signal("CONT");
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match self.process.take() {
            Some(process) => process.kill(false),
            None => drop(std::fs::remove_dir_all(&self.folder)),
        }
    }
}

/// A Redis of a test's own, with an append-only file that is flushed at each write.
///
/// # Panics
/// When there is no `redis-server`, or it does not start.
pub fn redis() -> Server {
    redis_with(Vec::new())
}

/// The same, flushed when `appendfsync` says.
///
/// # Panics
/// As [`redis`].
pub fn redis_flushed(appendfsync: &str) -> Server {
    redis_with(["--appendfsync", appendfsync].map(str::to_owned).to_vec())
}

/// A Redis that has what the one at `primary` has, and takes its place when told to.
///
/// # Panics
/// As [`redis`].
pub fn redis_replica(primary: u16) -> Server {
    let words = ["--replicaof", "127.0.0.1", &primary.to_string()];
    redis_with(words.map(str::to_owned).to_vec())
}

/// A Cluster of one node, which has all the slots.
///
/// # Panics
/// As [`redis`].
pub fn redis_cluster() -> Server {
    let bus = free_port().to_string();
    let words = ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", &bus];
    let node = redis_with(words.map(str::to_owned).to_vec());
    assert_eq!(ask(&node, "CLUSTER ADDSLOTSRANGE 0 16383"), "+OK");
    let begun = Instant::now();
    while !ask(&node, "CLUSTER INFO").contains("cluster_state:ok") {
        assert!(begun.elapsed() < DEADLINE, "the Cluster is not whole");
        std::thread::sleep(INTERVAL);
    }
    node
}

/// The beginning of what a Redis answers to one command of the default user, unencrypted.
///
/// # Panics
/// When there is no answer.
pub fn ask(server: &Server, what: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("not zero");
    stream.write_all(format!("{what}\r\n").as_bytes()).expect("it reads");
    let mut reply = [0; 256];
    let length = stream.read(&mut reply).expect("it answers");
    String::from_utf8_lossy(&reply[..length]).trim().to_owned()
}

/// A Sentinel that watches the Redis at `primary`, alone, and knows it by that name.
///
/// # Panics
/// As [`redis`].
pub fn sentinel(primary: u16) -> Server {
    Server::new("redis-server", |port, folder| {
        let file = folder.join("sentinel.conf");
        let rules = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor primary 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds primary 500\nsentinel failover-timeout primary 5000\n",
            folder.display()
        );
        std::fs::write(&file, rules).expect("the folder can be written");
        vec![file.display().to_string(), "--sentinel".to_owned()]
    })
}

/// A Redis that talks TLS alone, with the certificate and the key in one file.
///
/// # Panics
/// As [`redis`].
pub fn redis_tls(certificate: &str) -> Server {
    Server::new("redis-server", |port, folder| {
        let (port, folder) = (port.to_string(), folder.display().to_string());
        let words =
            ["--bind", "127.0.0.1", "--dir", &folder, "--save", "", "--port", "0", "--tls-port", &port];
        let files = ["--tls-cert-file", certificate, "--tls-key-file", certificate];
        let words = words.into_iter().chain(files).chain(["--tls-auth-clients", "no"]);
        words.map(str::to_owned).collect()
    })
}

fn redis_with(more: Vec<String>) -> Server {
    Server::new("redis-server", |port, folder| {
        let folder = folder.display().to_string();
        let words = ["--bind", "127.0.0.1", "--dir", &folder, "--save", ""];
        let file = ["--appendonly", "yes", "--appendfsync", "always", "--port"];
        let words = words.into_iter().chain(file).map(str::to_owned);
        words.chain([port.to_string()]).chain(more).collect()
    })
}

/// A MongoDB of a test's own; with `replica_set` one that is waiting to be initiated as `rs0`.
///
/// # Panics
/// When there is no `mongod`, or it does not start.
pub fn mongod(replica_set: bool) -> Server {
    mongod_with(|_| if replica_set { MEMBER.map(str::to_owned).to_vec() } else { Vec::new() })
}

/// A member of a replica set that is waiting to be initiated, and lets in whom it knows alone: nobody yet,
/// until somebody from this machine makes the first user.
///
/// # Panics
/// As [`mongod`].
pub fn mongod_with_users() -> Server {
    mongod_with(|folder| {
        let key = folder.join("key");
        std::fs::write(&key, "whatTheMembersKnowEachOtherBy").expect("the folder can be written");
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("it is ours");
        let key = ["--keyFile".to_owned(), key.display().to_string()];
        MEMBER.map(str::to_owned).into_iter().chain(key).collect()
    })
}

/// A member of a replica set that is waiting to be initiated, and talks TLS alone: with the certificate and
/// the key in one file, and to clients without one.
///
/// # Panics
/// As [`mongod`].
pub fn mongod_tls(certificate: &str, authority: &str) -> Server {
    let tls = ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", certificate, "--tlsCAFile", authority];
    let tls = tls.into_iter().chain(["--tlsAllowConnectionsWithoutCertificates"]);
    mongod_with(|_| MEMBER.into_iter().chain(tls).map(str::to_owned).collect())
}

/// What makes a server a member of a replica set.
const MEMBER: [&str; 4] = ["--replSet", "rs0", "--oplogSize", "64"];

fn mongod_with(more: impl FnOnce(&Path) -> Vec<String>) -> Server {
    Server::new("mongod", |port, folder| {
        let (port, path) = (port.to_string(), folder.display().to_string());
        let words = ["--bind_ip", "127.0.0.1", "--port", &port, "--dbpath", &path];
        let sparing = ["--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--quiet"];
        words.into_iter().chain(sparing).map(str::to_owned).chain(more(folder)).collect()
    })
}

/// The Redis that the tests of this process share: each keeps to keys of its own.
pub static REDIS: LazyLock<Server> = LazyLock::new(redis);

/// The replica set that the tests of this process share, not initiated: each keeps to databases of its
/// own.
pub static MONGOD: LazyLock<Server> = LazyLock::new(|| mongod(true));

/// A port below those that the system hands out for outgoing connections, so that no client of
/// another test can come to sit on it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 100).unwrap_or(0) * 80;
    for _ in 0..8_000 {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

#[cfg(test)]
mod tests {
    #[allow(unused_imports, reason = "a benchmark that brings its own harness drops the tests")]
    use super::*;

    #[test]
    fn a_server_comes_back_with_its_data_and_leaves_nothing_behind() {
        let mut server = redis();
        assert_eq!(ask(&server, "SET name ada"), "+OK");
        server.kill9();
        server.start();
        assert_eq!(ask(&server, "GET name"), "$3\r\nada");
        let folder = server.folder.clone();
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn a_paused_server_answers_when_it_goes_on() {
        let server = redis();
        server.pause();
        let (told, answer) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| told.send(ask(&server, "PING")));
            let early = answer.recv_timeout(Duration::from_millis(200));
            server.resume();
            assert!(early.is_err(), "{early:?}");
            assert_eq!(answer.recv_timeout(DEADLINE).unwrap(), "+PONG");
        });
    }

    #[test]
    fn a_mongod_listens() {
        assert_ne!(MONGOD.port(), REDIS.port());
    }
}
