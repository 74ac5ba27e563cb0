//! A Voicera installation for one test, its topology stated by role.
//!
//! Everything ends with the value: processes are killed, folders removed, and leftovers (a panic,
//! a job that nobody finished) fail the test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::client::Client;
use super::node::{Node, Role, Setting};
use super::servers::free_port;
use super::wait;

/// The key by which the roles of a split installation know each other.
pub const SERVICE_KEY: &str = "vk_service_key_of_the_test_cluster";

/// The model that the first process trains, for all others.
static MODEL: OnceCell<Vec<u8>> = OnceCell::const_new();

/// Processes that belong together.
#[derive(Debug)]
pub struct Cluster {
    nodes: BTreeMap<Role, Node>,
    ports: BTreeMap<Role, u16>,
    settings: Vec<Setting>,
    home: TempDir,
}

/// Starts a server once, to have it train: in a build that is not optimised that takes a while.
async fn trained_model() -> Vec<u8> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut node = Node::spawn(Role::All, home.path(), 0, &[]);
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

    /// One process a role; ready when this returns, unless a role that another needs is missing.
    pub async fn start(roles: &[Role]) -> Self {
        Self::start_with(roles, &[]).await
    }

    /// The same with settings that differ from the defaults, for every process.
    pub async fn start_with(roles: &[Role], settings: &[(&str, &str)]) -> Self {
        let split = !roles.contains(&Role::All);
        let mut cluster = Self {
            nodes: BTreeMap::new(),
            ports: BTreeMap::new(),
            settings: Vec::new(),
            home: tempfile::tempdir().expect("a temporary folder"),
        };
        if split {
            cluster.name_each_other();
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

    /// Gives each role of a split installation an address before any of them runs.
    fn name_each_other(&mut self) {
        for role in [Role::Users, Role::Analytics, Role::Voice, Role::Gateway] {
            self.ports.insert(role, free_port());
        }
        let url = |role: &Role| format!("http://127.0.0.1:{}", self.ports[role]);
        let addresses = [
            ("peers.service_key", SERVICE_KEY.to_owned()),
            ("storage.single_instance", "true".to_owned()),
            ("peers.users_url", url(&Role::Users)),
            ("peers.analytics_url", url(&Role::Analytics)),
            ("peers.voice_url", url(&Role::Voice)),
            ("gateway.users_urls", url(&Role::Users)),
            ("gateway.analytics_urls", url(&Role::Analytics)),
            ("gateway.voice_urls", url(&Role::Voice)),
        ];
        self.settings.extend(addresses.map(|(key, value)| (key.to_owned(), value)));
    }

    /// Changes settings for the processes that are started from now on.
    pub fn configure(&mut self, settings: &[(&str, &str)]) {
        self.settings.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    }

    /// Starts a role, or starts it again on the same data, and waits until it listens.
    pub async fn launch(&mut self, role: Role) {
        let folder = self.folder(role);
        if !folder.exists() {
            let model = MODEL.get_or_init(trained_model).await;
            std::fs::create_dir_all(&folder).expect("a data folder");
            std::fs::write(folder.join("model.vnlu"), model).expect("a model");
        }
        let port = self.ports.get(&role).copied().unwrap_or(0);
        let mut node = Node::spawn(role, self.home.path(), port, &self.settings);
        node.listening().await;
        self.nodes.insert(role, node);
    }

    /// Waits until every process takes work.
    pub async fn ready(&self) {
        for role in self.nodes.keys() {
            let client = self.client_of(*role);
            wait::until("a server is ready", async || {
                (client.get("/health/ready").await.status == 200).then_some(())
            })
            .await;
        }
    }

    /// The process that plays `role`.
    pub fn node(&mut self, role: Role) -> &mut Node {
        self.nodes.get_mut(&role).expect("a role of this cluster")
    }

    /// The only process.
    pub fn all(&mut self) -> &mut Node {
        self.node(Role::All)
    }

    /// Stops the only process in order, and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.all().stop().await;
        self.launch(Role::All).await;
    }

    /// A client at the way in, with the first key.
    pub fn client(&self) -> Client {
        let way_in = if self.nodes.contains_key(&Role::All) { Role::All } else { Role::Gateway };
        self.client_of(way_in)
    }

    /// A client of one process, with the first key.
    pub fn client_of(&self, role: Role) -> Client {
        Client::new(&format!("http://{}", self.nodes[&role].address()), self.key())
    }

    /// The first key, once there is one.
    pub fn key(&self) -> Option<String> {
        let owner = if self.nodes.contains_key(&Role::All) { Role::All } else { Role::Users };
        let text = std::fs::read_to_string(self.folder(owner).join("api-key")).ok()?;
        Some(text.trim().to_owned())
    }

    /// Where the processes run.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where a role keeps its data.
    pub fn folder(&self, role: Role) -> PathBuf {
        self.home.path().join(role.as_str())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (role, node) in &mut self.nodes {
            if std::thread::panicking() {
                let lines = node.err.lines();
                let tail = lines.iter().rev().take(30).rev().cloned().collect::<Vec<_>>().join("\n");
                eprintln!("--- the end of the log of {} ---\n{tail}", role.as_str());
            } else {
                node.check_leftovers();
            }
        }
    }
}
