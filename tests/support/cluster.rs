//! A Voicera installation for one test, its topology stated by role.
//!
//! Everything ends with the value: processes are killed, folders removed, and leftovers (a panic,
//! a job that nobody finished) fail the test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::backends::Backends;
use super::client::Client;
use super::node::{Node, Part, Role, Setting};
use super::servers::free_port;
use super::wait;

/// The key by which the roles of a split installation know each other.
pub const SERVICE_KEY: &str = "vk_service_key_of_the_test_cluster";

/// With this variable set to `production`, [`Cluster::installation`] is that.
const TOPOLOGY: &str = "VOICERA_TEST_TOPOLOGY";

/// The model that the first process trains, for all others.
static MODEL: OnceCell<Vec<u8>> = OnceCell::const_new();

/// Every process of a production installation, in the order in which they are started.
pub const PRODUCTION: [Part; 5] = [
    Part::first(Role::Users),
    Part::first(Role::Analytics),
    Part::first(Role::Voice),
    Part { role: Role::Voice, number: 2 },
    Part::first(Role::Gateway),
];

/// Processes that belong together.
#[derive(Debug)]
pub struct Cluster {
    nodes: BTreeMap<Part, Node>,
    ports: BTreeMap<Part, u16>,
    settings: Vec<Setting>,
    home: TempDir,
    backends: Option<Backends>,
}

/// What the surroundings want an installation to be.
fn is_production() -> bool {
    match std::env::var(TOPOLOGY).as_deref() {
        Ok("production") => true,
        Ok("") | Err(_) => false,
        Ok(other) => panic!("{TOPOLOGY} is production or nothing, not {other:?}"),
    }
}

/// Starts a server once, to have it train: in a build that is not optimised that takes a while.
async fn trained_model() -> Vec<u8> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut node = Node::spawn(Part::first(Role::All), home.path(), 0, &[]);
    node.listening().await;
    std::fs::read(home.path().join(Role::All.as_str()).join("model.vnlu")).expect("a model")
}

impl Cluster {
    /// Everything in one process, as it comes.
    pub async fn single() -> Self {
        Self::start(&[Role::All]).await
    }

    /// Everything in one process, with these settings.
    pub async fn single_with(settings: &[(&str, &str)]) -> Self {
        Self::start_with(&[Role::All], settings).await
    }

    /// An installation as the surroundings want it: one embedded process, or all of [`PRODUCTION`].
    pub async fn installation() -> Self {
        Self::installation_with(&[]).await
    }

    /// The same, with these settings.
    pub async fn installation_with(settings: &[(&str, &str)]) -> Self {
        if is_production() {
            return Self::production(Backends::shared().await, settings).await;
        }
        Self::single_with(settings).await
    }

    /// Likewise with a process for each role, embedded or not.
    pub async fn split_with(settings: &[(&str, &str)]) -> Self {
        if is_production() {
            return Self::production(Backends::shared().await, settings).await;
        }
        Self::start_with(&[Role::Users, Role::Analytics, Role::Voice, Role::Gateway], settings).await
    }

    /// Five processes on MongoDB and Redis: one a role, and two of voice.
    pub async fn production(backends: Backends, settings: &[(&str, &str)]) -> Self {
        let mut cluster = Self::to_be_launched(backends, settings);
        for part in PRODUCTION {
            cluster.launch(part).await;
        }
        cluster.ready().await;
        cluster
    }

    /// The same before any of them runs: [`launch`](Self::launch) them in any order.
    pub fn to_be_launched(backends: Backends, settings: &[(&str, &str)]) -> Self {
        let mut cluster = Self::empty();
        cluster.name_each_other(&PRODUCTION);
        cluster.settings.extend(backends.settings());
        cluster.backends = Some(backends);
        cluster.configure(settings);
        cluster
    }

    /// One process a role on embedded stores; ready when this returns, unless a role that another needs
    /// is missing.
    pub async fn start(roles: &[Role]) -> Self {
        Self::start_with(roles, &[]).await
    }

    /// The same with settings that differ from the defaults, for every process.
    pub async fn start_with(roles: &[Role], settings: &[(&str, &str)]) -> Self {
        let split = !roles.contains(&Role::All);
        let mut cluster = Self::empty();
        if split {
            let parts = [Role::Users, Role::Analytics, Role::Voice, Role::Gateway].map(Part::first);
            cluster.name_each_other(&parts);
            cluster.configure(&[("storage.single_instance", "true")]);
        }
        cluster.configure(settings);
        let mut roles = roles.to_vec();
        roles.sort_unstable();
        for role in &roles {
            cluster.launch(*role).await;
        }
        if !split || roles.len() == 4 {
            cluster.ready().await;
        }
        cluster
    }

    fn empty() -> Self {
        Self {
            nodes: BTreeMap::new(),
            ports: BTreeMap::new(),
            settings: Vec::new(),
            home: tempfile::tempdir().expect("a temporary folder"),
            backends: None,
        }
    }

    /// Gives each process of a split installation an address before any of them runs.
    fn name_each_other(&mut self, parts: &[Part]) {
        self.ports.extend(parts.iter().map(|part| (*part, free_port())));
        let urls = |role: Role| {
            let of_role = self.ports.iter().filter(|(part, _)| part.role == role);
            of_role.map(|(_, port)| format!("http://127.0.0.1:{port}")).collect::<Vec<_>>()
        };
        let (users, analytics, voice) = (urls(Role::Users), urls(Role::Analytics), urls(Role::Voice));
        let addresses = [
            ("peers.service_key", SERVICE_KEY.to_owned()),
            ("peers.users_url", users[0].clone()),
            ("peers.analytics_url", analytics[0].clone()),
            ("peers.voice_url", voice[0].clone()),
            ("gateway.users_urls", users.join(",")),
            ("gateway.analytics_urls", analytics.join(",")),
            ("gateway.voice_urls", voice.join(",")),
        ];
        self.settings.extend(addresses.map(|(key, value)| (key.to_owned(), value)));
    }

    /// Changes settings for the processes that are started from now on.
    pub fn configure(&mut self, settings: &[(&str, &str)]) {
        self.settings.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    }

    /// Starts a process, or starts it again on the same data, and waits until it listens.
    pub async fn launch(&mut self, part: impl Into<Part>) {
        let part = part.into();
        let folder = self.folder(part);
        if !folder.exists() {
            let model = MODEL.get_or_init(trained_model).await;
            std::fs::create_dir_all(&folder).expect("a data folder");
            std::fs::write(folder.join("model.vnlu"), model).expect("a model");
        }
        let port = self.ports.get(&part).copied().unwrap_or(0);
        let mut node = Node::spawn(part, self.home.path(), port, &self.settings);
        node.listening().await;
        self.nodes.insert(part, node);
    }

    /// Waits until every process takes work.
    pub async fn ready(&self) {
        for part in self.nodes.keys() {
            let client = self.client_of(*part);
            wait::until("a server is ready", async || {
                (client.get("/health/ready").await.status == 200).then_some(())
            })
            .await;
        }
    }

    /// A process of this installation: `Role::Voice`, or the second of that role as a [`Part`].
    pub fn node(&mut self, part: impl Into<Part>) -> &mut Node {
        self.nodes.get_mut(&part.into()).expect("a part of this cluster")
    }

    /// The servers that it stands on.
    pub fn backends(&mut self) -> &mut Backends {
        self.backends.as_mut().expect("a production installation")
    }

    /// The only process.
    pub fn all(&mut self) -> &mut Node {
        self.node(Role::All)
    }

    /// The process through which clients come.
    pub fn entrance(&mut self) -> &mut Node {
        self.node(if self.is_single() { Role::All } else { Role::Gateway })
    }

    /// Stops every process in order.
    pub async fn stop(&mut self) {
        for node in self.nodes.values_mut() {
            node.stop().await;
        }
    }

    /// The same, and starts each again on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        let parts: Vec<Part> = self.nodes.keys().copied().collect();
        for part in parts {
            self.launch(part).await;
        }
        self.ready().await;
    }

    /// The processes that answer commands.
    pub fn workers(&self) -> Vec<Part> {
        let parts = self.nodes.keys().copied();
        parts.filter(|part| matches!(part.role, Role::All | Role::Voice)).collect()
    }

    /// The sum of a metric of commands over all processes that answer them, as [`Client::metric`] has it.
    pub async fn metric(&self, name: &str, label: &str) -> u64 {
        let mut sum = 0;
        for part in self.workers() {
            sum += self.client_of(part).metric(name, label).await;
        }
        sum
    }

    /// What all processes have logged.
    pub fn log(&self) -> Vec<String> {
        self.nodes.values().flat_map(|node| node.err.lines()).collect()
    }

    /// What all processes have written besides.
    pub fn out(&self) -> Vec<String> {
        self.nodes.values().flat_map(|node| node.out.lines()).collect()
    }

    /// A client at the way in, with the first key.
    pub fn client(&self) -> Client {
        self.client_of(if self.is_single() { Role::All } else { Role::Gateway })
    }

    /// A client of one process, with the first key.
    pub fn client_of(&self, part: impl Into<Part>) -> Client {
        Client::new(self.nodes[&part.into()].base(), self.key())
    }

    fn is_single(&self) -> bool {
        self.nodes.contains_key(&Part::first(Role::All))
    }

    /// The first key, once there is one.
    pub fn key(&self) -> Option<String> {
        let owner = if self.is_single() { Role::All } else { Role::Users };
        let text = std::fs::read_to_string(self.folder(owner).join("api-key")).ok()?;
        Some(text.trim().to_owned())
    }

    /// Where the processes run.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where a process keeps its data.
    pub fn folder(&self, part: impl Into<Part>) -> PathBuf {
        self.home.path().join(part.into().name())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (part, node) in &mut self.nodes {
            if std::thread::panicking() {
                let lines = node.err.lines();
                let tail = lines.iter().rev().take(30).rev().cloned().collect::<Vec<_>>().join("\n");
                eprintln!("--- the end of the log of {} ---\n{tail}", part.name());
            } else {
                node.check_leftovers();
            }
        }
    }
}
