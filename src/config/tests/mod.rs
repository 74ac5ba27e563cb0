//! The configuration as its users meet it: files, variables and flags in, values or errors out.

mod errors;
mod layers;
mod properties;
mod rules;

use std::path::Path;

use super::{Config, ConfigErrors, Loaded, Sources};

/// A working directory with files in it, and what was given to the process.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) sources: Sources,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sources = Sources::none_in(dir.path());
        Self { dir, sources }
    }

    /// With this text as `voicera.toml`.
    pub(crate) fn with_file(self, text: &str) -> Self {
        self.with_file_at("voicera.toml", text)
    }

    pub(crate) fn with_file_at(self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.dir.path().join(path), text).unwrap();
        self
    }

    pub(crate) fn with_env(mut self, variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.sources.env.extend(variables);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Sources)) -> Self {
        change(&mut self.sources);
        self
    }

    pub(crate) fn load(&self) -> Result<Loaded, ConfigErrors> {
        Config::load(&self.sources)
    }

    pub(crate) fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The one error that there is.
    pub(crate) fn error(&self) -> super::ConfigError {
        let errors = self.load().unwrap_err();
        assert_eq!(errors.iter().count(), 1, "{errors}");
        errors.iter().next().unwrap().clone()
    }
}
