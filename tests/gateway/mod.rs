//! The gateway with routes of one's own, in front of services that are not Voicera's.

mod limits;
mod reload;
mod routes;
mod service;

use tempfile::TempDir;

use crate::support::Cluster;

/// One process with a routes file.
struct Routed {
    cluster: Cluster,
    folder: TempDir,
}

impl Routed {
    async fn by(routes: &str) -> Self {
        Self::with(routes, &[]).await
    }

    async fn with(routes: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("routes.toml");
        std::fs::write(&file, routes).unwrap();
        let file = file.to_str().unwrap().to_owned();
        let settings: Vec<_> = settings.iter().copied().chain([("gateway.routes", file.as_str())]).collect();
        Self { cluster: Cluster::single_with(&settings).await, folder }
    }

    /// Puts another file in the place of the first, as editors do: at once.
    fn change(&self, routes: &str) {
        let (new, file) = (self.folder.path().join("new"), self.folder.path().join("routes.toml"));
        std::fs::write(&new, routes).unwrap();
        std::fs::rename(new, file).unwrap();
    }
}
