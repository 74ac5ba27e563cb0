//! A server at the other end: where it is, the key for it, and errors that say what to do.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use url::Host;

use crate::cli::Failure;
use crate::config::{Config, Flags, Sources};
use crate::kit::error::Problem;
use crate::roles::API_KEY_FILE;

/// Which server, and the key for it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerOptions {
    /// The server
    #[arg(long, value_name = "URL", env = "VOICERA_SERVER", default_value = "http://127.0.0.1:3000")]
    server: String,
    /// The API key [default: the one in DATA_DIR/api-key, for a server on this machine alone]
    #[arg(long, value_name = "KEY", env = "VOICERA_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Where a server on this machine keeps its data, and so its first key [default: `server.data_dir`
    /// of the variables and of voicera.toml]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// A server that can be called.
#[derive(Debug, Clone)]
pub(super) struct Server {
    base: Url,
    key: String,
    http: reqwest::Client,
}

/// The longest that any one request may take.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum CallError {
    /// The server was not reached, or the answer broke off: worth another try.
    Unreachable(String),
    /// Not now: come back after so long.
    Later(Duration, String),
    /// No.
    Refused(String),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreachable(message) | CallError::Later(_, message) | CallError::Refused(message) => {
                Self::Failed(message)
            }
        }
    }
}

impl ServerOptions {
    /// Finds the key and makes a client.
    pub(super) fn connect(self) -> Result<Server, Failure> {
        let base: Url = self
            .server
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| {
                Failure::Use(format!("--server: `{}` is not an http:// or https:// address", self.server))
            })?;
        let key = match self.key.filter(|key| !key.is_empty()) {
            Some(key) => key,
            None if is_this_machine(&base) => {
                read_key(&self.data_dir.unwrap_or_else(configured_data_dir).join(API_KEY_FILE))?
            }
            None => {
                return Err(Failure::Use(format!(
                    "no API key for {base}: the key in the data folder is sent to a server on this machine alone\n  fix: give that server's key with --key KEY or VOICERA_API_KEY"
                )));
            }
        };
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Server { base, key, http })
    }
}

/// Whether what is sent there stays on this machine. A name that only ends in `localhost` is for a name
/// server to decide, so it does not count.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Where a server that was started in this folder, with these variables, keeps its data.
fn configured_data_dir() -> PathBuf {
    let file = std::env::var_os("VOICERA_CONFIG").map(PathBuf::from);
    Config::data_dir(&Sources::of_process(file, Flags::default()))
}

fn read_key(file: &std::path::Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map(|key| key.trim().to_owned()).map_err(|error| {
        Failure::Use(format!(
            "no API key: {} cannot be read ({error})\n  fix: run this where `voicera serve` runs, name its data folder with --data-dir DIR, or give a key with --key KEY or VOICERA_API_KEY",
            file.display()
        ))
    })
}

impl Server {
    /// A request to `path`, with the key.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let url = self.base.join(path).map_err(|error| Failure::Use(format!("--server: {error}")))?;
        Ok(self.http.request(method, url).bearer_auth(&self.key))
    }

    /// Sends a request and reads its answer.
    pub(super) async fn send<A: DeserializeOwned>(&self, request: RequestBuilder) -> Result<A, CallError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(|error| {
                if error.is_decode() {
                    CallError::Refused(format!("{} does not answer as Voicera does: {error}", self.base))
                } else {
                    self.unreachable(&error)
                }
            });
        }
        Err(refused(status, response).await)
    }

    fn unreachable(&self, error: &reqwest::Error) -> CallError {
        let hint = if error.is_connect() {
            "\n  fix: start it with `voicera serve`, or name another with --server URL"
        } else {
            ""
        };
        let cause = crate::kit::error::chain(error);
        CallError::Unreachable(format!("{} does not answer: {cause}{hint}", self.base))
    }
}

async fn refused(status: StatusCode, response: Response) -> CallError {
    let wait = response
        .headers()
        .get(http::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let message = match response.json::<Problem>().await {
        Ok(problem) => {
            let id = problem.request_id.map(|id| format!(" (request {id})")).unwrap_or_default();
            format!("{} {}: {}{id}", problem.status, problem.title, problem.detail)
        }
        Err(_) => format!("the server answers {status}"),
    };
    match wait {
        Some(wait)
            if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS =>
        {
            CallError::Later(wait, message)
        }
        _ => CallError::Refused(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_address_is_this_machine() {
        for (address, this_machine) in [
            ("http://127.0.0.1:3000", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:3000", true),
            ("https://LOCALHOST:3000", true),
            ("http://2130706433", true),
            ("http://0.0.0.0:3000", false),
            ("http://10.0.0.1:3000", false),
            ("http://[::ffff:10.0.0.1]:3000", false),
            ("http://127.0.0.1@example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("http://x.localhost", false),
        ] {
            assert_eq!(is_this_machine(&address.parse().unwrap()), this_machine, "{address}");
        }
    }
}
