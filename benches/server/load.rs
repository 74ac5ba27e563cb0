//! A load generator that costs little itself: it shares the machine with what it measures.
//!
//! One thread, one request in flight on each connection, requests made before they are sent, and of
//! an answer only the status and the length are read.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Fault;

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `GET` of `path`.
pub fn get(path: &str, key: Option<&str>) -> Vec<u8> {
    let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{key}\r\n").into_bytes()
}

/// A `POST` of JSON; `headers` each end in CRLF.
pub fn post(path: &str, key: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n{headers}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A kept-alive HTTP/1.1 connection.
pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    body: usize,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(4096), body: 0 })
    }

    /// Sends `request`, and answers with the status once the whole answer is there.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = find(&self.answer, b"\r\n\r\n") {
                self.body = head + 4;
                break;
            }
        }
        let head = std::str::from_utf8(&self.answer[..self.body]).map_err(io::Error::other)?;
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let length = head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.parse::<usize>().ok());
        let (Some(status), Some(length)) = (status, length) else {
            return Err(io::Error::other(format!("an answer without status or length: {head}")));
        };
        while self.answer.len() < self.body + length {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(status)
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        &self.answer[self.body..]
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// How a server is driven.
#[derive(Clone, Copy)]
pub struct Load {
    /// Connections, each with one request in flight.
    pub connections: usize,
    /// For how long.
    pub time: Duration,
    /// At most so many requests.
    pub most: usize,
    /// Requests a second, spread evenly over the connections; as fast as they are answered if absent.
    pub rate: Option<u32>,
    /// The status that every answer has to have.
    pub status: u16,
}

/// What came of it.
pub struct Outcome {
    /// From the first request to the last answer.
    pub took: Duration,
    /// The time of each answer, sorted.
    pub times: Vec<Duration>,
}

impl Outcome {
    /// Answers a second.
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    /// The time within which `percent` of the answers came, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let index = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }
}

/// Drives the server at `address` with the requests that `request` makes, each from its number,
/// which is used once.
pub async fn drive<R>(address: SocketAddr, load: Load, request: R) -> Result<Outcome, Fault>
where
    R: Fn(usize) -> Vec<u8> + Clone + Send + 'static,
{
    let mut open = Vec::new();
    for _ in 0..load.connections {
        open.push(Connection::open(address).await?);
    }
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, connection) in open.into_iter().enumerate() {
        tasks.spawn(keep_asking(connection, number, load, begun, request.clone()));
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let took = begun.elapsed();
    times.sort_unstable();
    Ok(Outcome { took, times })
}

async fn keep_asking(
    mut connection: Connection,
    number: usize,
    load: Load,
    begun: Instant,
    request: impl Fn(usize) -> Vec<u8>,
) -> io::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut next = number;
    while begun.elapsed() < load.time && next < load.most {
        let made = request(next);
        if let Some(rate) = load.rate {
            let at =
                Duration::from_secs_f64(f64::from(u32::try_from(next).unwrap_or(u32::MAX)) / f64::from(rate));
            tokio::time::sleep(at.saturating_sub(begun.elapsed())).await;
        }
        let asked = Instant::now();
        let status = tokio::time::timeout(PATIENCE, connection.send(&made)).await??;
        times.push(asked.elapsed());
        if status != load.status {
            let body = String::from_utf8_lossy(connection.body());
            return Err(io::Error::other(format!("{status} instead of {}: {body}", load.status)));
        }
        next += load.connections;
    }
    Ok(times)
}
