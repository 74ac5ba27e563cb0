//! Who is compared: nginx, HAProxy, and the gateway twice.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Fault;
use crate::load::get;
use crate::process::{PROXIES, Process, REST};
use crate::upstream;
use crate::users;

pub const MISSING: &str =
    "nginx and HAProxy are what the gateway is compared with: `apt-get install nginx haproxy`";

/// The binary, as it was built for this benchmark.
pub const VOICERA: &str = env!("CARGO_BIN_EXE_voicera");
/// What roles know each other by.
pub const SERVICE_KEY: &str = "vk_service_key_of_the_benchmark";

/// The file of each one's configuration, in its folder.
pub const CONFIGURATION: &str = "configuration";

/// What everybody is asked for.
const PATH: &str = "/bench/answer";

/// Whether both are there.
pub fn installed() -> bool {
    ["nginx", "haproxy"].into_iter().all(|name| {
        let asked = Command::new(name).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok()
    })
}

/// What it is measured for.
#[derive(Clone, Copy, PartialEq)]
pub enum Part {
    /// What is behind all the others.
    Upstream,
    /// What the gateway is compared with.
    Baseline,
    /// For the reader.
    Beside,
    /// The gateway, which is to do so many of the baseline's requests.
    Own(f64),
}

/// Somebody who answers.
pub struct Proxy {
    pub name: &'static str,
    pub part: Part,
    pub address: SocketAddr,
    pub request: Vec<u8>,
    pub process: Option<Process>,
}

impl Proxy {
    /// Processor time so far, in seconds; none for the upstream, which is a part of this process.
    pub fn cpu(&self) -> Result<f64, Fault> {
        self.process.as_ref().map_or(Ok(0.0), Process::cpu)
    }
}

/// All of them, running.
pub struct Stage {
    all: Vec<Proxy>,
    _users: Process,
}

impl Stage {
    /// Starts them below `folder`; each may have `files` open.
    pub async fn start(folder: &Path, pinned: bool, files: usize) -> Result<Self, Fault> {
        if !installed() {
            return Err(MISSING.into());
        }
        let start =
            Start { folder, processor: pinned.then_some(PROXIES), upstream: upstream::start()?, files };
        let (users, at, token) = users::start(&start.room("users")?, pinned.then_some(REST)).await?;
        let direct = Proxy {
            name: "the upstream itself",
            part: Part::Upstream,
            address: start.upstream,
            request: get(PATH, None),
            process: None,
        };
        let plain = Gateway { users: at, log: "warn,access=off", route: "auth = \"none\"", token: None };
        let full = Gateway { log: "info", route: LIMITED, token: Some(&token), ..plain };
        let all = vec![
            direct,
            start.nginx().await?,
            start.haproxy().await?,
            start.gateway("Voicera, plain", 1.0, &plain).await?,
            start.gateway("Voicera, JWT, limit, access log", 0.8, &full).await?,
        ];
        Ok(Self { all, _users: users })
    }

    pub fn all(&self) -> &[Proxy] {
        &self.all
    }

    /// What is behind them.
    pub fn upstream(&self) -> &Proxy {
        &self.all[0]
    }
}

/// What all starts have in common.
struct Start<'a> {
    folder: &'a Path,
    processor: Option<&'static str>,
    upstream: SocketAddr,
    files: usize,
}

/// A limit that is looked at, and that nobody reaches; it stands for a route's keys.
const LIMITED: &str =
    "limits = [\"bench\"]\n[limits.bench]\nper = \"principal\"\nrequests = 60000000\nwindow = \"1m\"";

/// How a gateway differs from the other.
struct Gateway<'a> {
    /// Where the users role is.
    users: SocketAddr,
    log: &'a str,
    /// The rest of the route's table.
    route: &'a str,
    token: Option<&'a str>,
}

impl Start<'_> {
    fn room(&self, name: &str) -> Result<std::path::PathBuf, Fault> {
        let room = self.folder.join(name);
        std::fs::create_dir_all(&room)?;
        Ok(room)
    }

    /// Starts `command` on a configuration; both with where it is to listen.
    async fn proxy(
        &self,
        name: &'static str,
        part: Part,
        request: Vec<u8>,
        command: &[&str],
        configuration: impl FnOnce(SocketAddr) -> String,
    ) -> Result<Proxy, Fault> {
        let address = free_address()?;
        let room = self.room(&format!("{address}"))?;
        std::fs::write(room.join(CONFIGURATION), configuration(address))?;
        let process = Process::start(command, &room, self.processor, address).await?;
        Ok(Proxy { name, part, address, request, process: Some(process) })
    }

    /// With what its documentation says of connections kept alive and of WebSockets, and without bounds
    /// on how long a connection is kept that would end one in a run.
    async fn nginx(&self) -> Result<Proxy, Fault> {
        let (upstream, files, connections) = (self.upstream, self.files, self.files - 500);
        let command = ["nginx", "-p", ".", "-e", "stderr", "-c", CONFIGURATION];
        self.proxy("nginx", Part::Baseline, get(PATH, None), &command, |address| {
            format!(
                "worker_processes 1;\n\
                 worker_rlimit_nofile {files};\n\
                 daemon off;\n\
                 pid nginx.pid;\n\
                 error_log stderr warn;\n\
                 events {{ worker_connections {connections}; }}\n\
                 http {{\n\
                 access_log off;\n\
                 client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n\
                 uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
                 keepalive_timeout 300s; keepalive_requests 1000000000;\n\
                 map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}\n\
                 upstream up {{\n\
                 server {upstream}; keepalive 256; keepalive_requests 1000000000;\n\
                 }}\n\
                 server {{\n\
                 listen {address};\n\
                 location / {{\n\
                 proxy_pass http://up;\n\
                 proxy_http_version 1.1;\n\
                 proxy_read_timeout 300s;\n\
                 proxy_set_header Host $host;\n\
                 proxy_set_header Upgrade $http_upgrade;\n\
                 proxy_set_header Connection $connection_upgrade;\n\
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
                 }} }} }}\n"
            )
        })
        .await
    }

    async fn haproxy(&self) -> Result<Proxy, Fault> {
        let (upstream, connections) = (self.upstream, self.files / 2 - 200);
        let command = ["haproxy", "-db", "-f", CONFIGURATION];
        self.proxy("HAProxy", Part::Beside, get(PATH, None), &command, |address| {
            format!(
                "global\n  nbthread 1\n  maxconn {connections}\n\
                 defaults\n  mode http\n  maxconn {connections}\n  option forwardfor\n  http-reuse always\n  \
                 timeout connect 5s\n  timeout server 1m\n  timeout client 5m\n  \
                 timeout http-keep-alive 5m\n  timeout tunnel 5m\n\
                 frontend in\n  bind {address}\n  default_backend up\n\
                 backend up\n  server up {upstream}\n"
            )
        })
        .await
    }

    async fn gateway(&self, name: &'static str, share: f64, options: &Gateway<'_>) -> Result<Proxy, Fault> {
        let (upstream, connections) = (self.upstream, self.files - 500);
        let Gateway { users, log, route, token } = options;
        let command = [VOICERA, "serve", "--config", CONFIGURATION];
        let routes = self.folder.join(format!("routes-{share}"));
        std::fs::write(
            &routes,
            format!(
                "[upstreams.bench]\naddresses = [\"http://{upstream}\"]\n\
                 [routes.bench]\nprefix = \"/bench\"\nupstream = \"bench\"\n{route}\n"
            ),
        )?;
        let routes = routes.display();
        self.proxy(name, Part::Own(share), get(PATH, *token), &command, |address| {
            format!(
                "[server]\nrole = \"gateway\"\nlisten = \"{address}\"\nmax_connections = {connections}\n\
                 header_timeout = \"5m\"\n\
                 [telemetry]\nlog_format = \"json\"\nlog_filter = \"{log}\"\n\
                 [peers]\nservice_key = \"{SERVICE_KEY}\"\n\
                 [gateway]\nroutes = \"{routes}\"\nvoice_urls = [\"http://{upstream}\"]\n\
                 users_urls = [\"http://{users}\"]\nanalytics_urls = [\"http://{upstream}\"]\n"
            )
        })
        .await
    }
}

/// An address that nobody listens on.
pub fn free_address() -> Result<SocketAddr, Fault> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
