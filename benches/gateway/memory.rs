//! What a connection that nobody uses at the moment takes.
//!
//! Resident memory of the process, so without what the kernel holds for its sockets.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::process::Process;
use crate::proxies::{Proxy, Stage};
use crate::report::Report;
use crate::steady::Connection;
use crate::{Fault, Plan};

/// What makes an opening handshake of a request (the example of RFC 6455 §1.3).
const UPGRADE: &[u8] = b"upgrade: websocket\r\nconnection: upgrade\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// Connections that have been used once, and WebSockets, of everybody who is a process.
pub async fn measure(stage: &Stage, plan: &Plan, files: usize, report: &mut Report) -> Result<(), Fault> {
    let idle = plan.idle.min((files / 2).saturating_sub(500));
    if idle < plan.idle {
        report.note("the limit of open files cannot be raised", format!("{files}: {idle} connections"));
    }
    for proxy in stage.all() {
        let Some(process) = &proxy.process else { continue };
        eprintln!("{}: {idle} idle connections", proxy.name);
        let before = process.resident()?;
        let held = hold(idle, proxy).await?;
        report.note(format!("{}, {idle} idle connections", proxy.name), grown(process, before, held.len())?);
        drop(held);
        settle().await;
        let before = process.resident()?;
        eprintln!("{}: {} WebSockets", proxy.name, plan.websockets);
        let figure = match upgrade(plan.websockets, proxy).await? {
            Some(held) => grown(process, before, held.len())?,
            None => "not passed on".to_owned(),
        };
        report.note(format!("{}, {} idle WebSockets", proxy.name, plan.websockets), figure);
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "some thousands")]
fn grown(process: &Process, before: f64, connections: usize) -> Result<String, Fault> {
    let now = process.resident()?;
    let each = (now - before) / connections as f64;
    Ok(format!("{each:.1} KiB each ({:.0} MiB before, {:.0} MiB with them)", before / 1024.0, now / 1024.0))
}

/// Until what was closed has been noticed.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn hold(count: usize, proxy: &Proxy) -> Result<Vec<TcpStream>, Fault> {
    let (address, request) = (proxy.address, proxy.request.clone());
    let held = tokio::task::spawn_blocking(move || {
        let open = |_| {
            let mut connection = Connection::open(address)?;
            connection.ask(&request)?;
            Ok(connection.into_stream())
        };
        (0..count).map(open).collect::<io::Result<Vec<_>>>()
    });
    let held = held.await?.map_err(|error| format!("{}: {error}", proxy.name))?;
    settle().await;
    Ok(held)
}

/// As many WebSockets; nothing if the first is refused.
async fn upgrade(count: usize, proxy: &Proxy) -> Result<Option<Vec<TcpStream>>, Fault> {
    let (address, request) = (proxy.address, upgrading(&proxy.request));
    let held = tokio::task::spawn_blocking(move || {
        let mut held = Vec::new();
        for _ in 0..count {
            match switched(address, &request)? {
                Some(stream) => held.push(stream),
                None if held.is_empty() => return Ok(None),
                None => return Err(io::Error::other("one WebSocket was refused, others were not")),
            }
        }
        io::Result::Ok(Some(held))
    });
    let held = held.await?.map_err(|error| format!("{}: {error}", proxy.name))?;
    settle().await;
    Ok(held)
}

/// An upgrade of the path, and with the credential, that is asked for otherwise.
fn upgrading(request: &[u8]) -> Vec<u8> {
    let mut request = request.to_vec();
    request.truncate(request.len() - 2);
    request.extend_from_slice(UPGRADE);
    request
}

fn switched(address: SocketAddr, request: &[u8]) -> io::Result<Option<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => return Ok(None),
            read => answer.extend_from_slice(&part[..read]),
        }
    }
    Ok(answer.starts_with(b"HTTP/1.1 101").then_some(stream))
}
