//! Requests at a constant rate, whether or not those before are answered.
//!
//! A thread for each connection: timers of the async runtime tick in milliseconds, which is more than what
//! is to be measured. A request that is late because the one before it took long counts from when it was
//! due, or the worst moments would be missing from the percentiles.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::load::Outcome;
use crate::proxies::Proxy;

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks `proxy` `rate` times a second, over so many connections, for `time`.
pub async fn drive(proxy: &Proxy, rate: f64, connections: usize, time: Duration) -> Result<Outcome, Fault> {
    let (address, request) = (proxy.address, proxy.request.clone());
    let done = tokio::task::spawn_blocking(move || all(address, &request, rate, connections, time)).await?;
    done.map_err(|error| format!("{} at a constant rate: {error}", proxy.name).into())
}

fn all(
    address: SocketAddr,
    request: &[u8],
    rate: f64,
    connections: usize,
    time: Duration,
) -> io::Result<Outcome> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address)?);
    }
    let begun = Instant::now();
    let mut times = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> = open
            .into_iter()
            .enumerate()
            .map(|(number, connection)| {
                let between = Duration::from_secs_f64(1.0 / rate);
                let schedule = Schedule {
                    next: begun + between * u32::try_from(number).unwrap_or(0),
                    every: between * u32::try_from(connections).unwrap_or(u32::MAX),
                    end: begun + time,
                };
                scope.spawn(move || keep_to(schedule, connection, request))
            })
            .collect();
        for thread in threads {
            let done = thread.join().map_err(|_| io::Error::other("a thread of the load generator died"))?;
            times.extend(done?);
        }
        io::Result::Ok(())
    })?;
    let took = begun.elapsed();
    times.sort_unstable();
    Ok(Outcome { took, times })
}

/// When one connection's requests are due.
struct Schedule {
    next: Instant,
    every: Duration,
    end: Instant,
}

fn keep_to(mut schedule: Schedule, mut connection: Connection, request: &[u8]) -> io::Result<Vec<Duration>> {
    let mut times = Vec::new();
    while schedule.next < schedule.end {
        let now = Instant::now();
        let from = if now < schedule.next {
            thread::sleep(schedule.next - now);
            Instant::now()
        } else {
            schedule.next
        };
        connection.ask(request)?;
        times.push(from.elapsed());
        schedule.next += schedule.every;
    }
    Ok(times)
}

/// A kept-alive connection that blocks.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 4096] })
    }

    /// Sends `request` and reads the whole answer, which has to be a 200.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)?;
        let mut there = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[there..])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            there += read;
            let answer = &self.buffer[..there];
            let Some(whole) = length(answer)? else { continue };
            if !answer.starts_with(b"HTTP/1.1 200") {
                return Err(io::Error::other(String::from_utf8_lossy(answer).into_owned()));
            }
            if there >= whole {
                return Ok(());
            }
        }
    }

    /// The connection without the memory for answers.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// How long an answer is in all; `None` while its head is not all there.
fn length(answer: &[u8]) -> io::Result<Option<usize>> {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&answer[..head]).map_err(io::Error::other)?;
    let body = text
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    body.map(|body| Some(head + 4 + body))
        .ok_or_else(|| io::Error::other(format!("an answer without a length: {text}")))
}
