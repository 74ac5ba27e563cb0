//! `voicera user`, `voicera key`, `voicera signing-key`: accounts on the store itself, beside a running
//! server or without one. For the first start, and for emergencies.

pub(super) mod key;
mod password;
pub(super) mod signing_key;
pub(super) mod user;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use crate::cli::{Failure, client_runtime};
use crate::config::{Config, Flags, Sources};
use crate::roles::accounts::{self, Operator, Refusal};

/// Which installation.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct StoreOptions {
    /// Read this file [default: voicera.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "VOICERA_CONFIG")]
    config: Option<PathBuf>,
    /// Where the installation keeps its data (`server.data_dir`)
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl StoreOptions {
    /// Does `work` on the accounts of the installation.
    fn with<T>(self, work: impl AsyncFnOnce(&Operator) -> Result<T, Failure>) -> Result<T, Failure> {
        self.open(false, work)
    }

    /// The same, and begins an installation where there is none.
    fn with_new<T>(self, work: impl AsyncFnOnce(&Operator) -> Result<T, Failure>) -> Result<T, Failure> {
        self.open(true, work)
    }

    fn open<T>(
        self,
        begin: bool,
        work: impl AsyncFnOnce(&Operator) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let flags = Flags { data_dir: self.data_dir, ..Flags::default() };
        let loaded = Config::load(&Sources::of_process(self.config, flags))
            .map_err(|errors| Failure::Use(errors.to_string()))?;
        client_runtime()?.block_on(async {
            let opened = accounts::open(&loaded.config, begin).await.map_err(|error| {
                let message = error.to_string();
                if error.is_wrong_use() { Failure::Use(message) } else { Failure::Failed(message) }
            })?;
            if opened.begun {
                note(&format!(
                    "there was no installation in {}: it has been made",
                    loaded.config.server.data_dir.display()
                ));
            }
            let done = work(&opened.operator).await;
            opened.operator.close().await;
            done
        })
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Wrong(message) => Self::Use(message),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Says something beside the result, to whoever is there to read it.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
