//! The users role behind the gateway that asks who is calling, and somebody who has logged in.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Fault;
use crate::load::{Connection, post};
use crate::process::Process;
use crate::proxies::{CONFIGURATION, SERVICE_KEY, VOICERA, free_address};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery staple";

/// Starts it in `folder`; with where it listens and an access token.
pub async fn start(folder: &Path, processor: Option<&str>) -> Result<(Process, SocketAddr, String), Fault> {
    let address = free_address()?;
    let configuration = format!(
        "[server]\nrole = \"users\"\nlisten = \"{address}\"\n[storage]\nsingle_instance = true\n\
         [users]\naccess_token_ttl = \"1h\"\n[peers]\nservice_key = \"{SERVICE_KEY}\"\n"
    );
    std::fs::write(folder.join(CONFIGURATION), configuration)?;
    register(folder)?;
    let command = [VOICERA, "serve", "--config", CONFIGURATION];
    let process = Process::start(&command, folder, processor, address).await?;
    let mut connection = Connection::open(address).await?;
    let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let status = connection.send(&post("/api/auth/login", "", "", &body)).await?;
    let reply: serde_json::Value = serde_json::from_slice(connection.body())?;
    let token = reply["accessToken"].as_str().ok_or_else(|| format!("log-in: {status} {reply}"))?;
    Ok((process, address, token.to_owned()))
}

fn register(folder: &Path) -> Result<(), Fault> {
    let mut child = Command::new(VOICERA)
        .args(["user", "create", EMAIL, "--password-file", "-", "--config", CONFIGURATION])
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{PASSWORD}")?;
    }
    let done = child.wait_with_output()?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("an account: {}", String::from_utf8_lossy(&done.stderr).trim()).into())
}
