//! Connections to one endpoint, kept while they may be used again.
//!
//! A connection has no task of its own: the request that uses it drives it, from the task that serves the
//! client. So an exchange costs neither a switch between tasks nor a wake-up across threads, and a client
//! that goes away takes its exchange with it. While a connection is idle nobody looks at it; whether it
//! still stands is seen as it is taken out again.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::outgoing::Outgoing;

/// A connection idle for longer is not used again. Shorter than a role keeps an idle connection open
/// (`server.header_timeout`): otherwise requests would be sent just as it closes.
pub(super) const KEEP_IDLE: Duration = Duration::from_secs(5);
/// Idle connections kept for one endpoint.
const MOST_IDLE: usize = 1024;
/// What is read ahead of a slow client, and the longest head of an answer.
const MOST_BUFFERED: usize = 64 << 10;

/// Where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Address(SocketAddr),
    /// Resolved with each connection.
    Name {
        host: String,
        port: u16,
    },
}

impl Target {
    async fn connect(&self) -> io::Result<TcpStream> {
        match self {
            Self::Address(address) => TcpStream::connect(address).await,
            Self::Name { host, port } => TcpStream::connect((host.as_str(), *port)).await,
        }
    }
}

/// The idle connections to an endpoint, the last used on top.
pub(super) struct Connections {
    target: Target,
    idle: Mutex<Vec<(Instant, Box<Wire>)>>,
}

impl Connections {
    pub(super) fn new(target: Target) -> Self {
        Self { target, idle: Mutex::default() }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// A connection that was used before and still stands.
    pub(super) fn reuse(&self) -> Option<Box<Wire>> {
        loop {
            let (since, mut wire) = self.idle().pop()?;
            if since.elapsed() < KEEP_IDLE && wire.is_idle() {
                return Some(wire);
            }
        }
    }

    /// A new connection.
    pub(super) async fn open(&self) -> io::Result<Box<Wire>> {
        let stream = self.target.connect().await?;
        // A request waits for no more data of ours: Nagle's algorithm would only delay it.
        stream.set_nodelay(true)?;
        let mut http = http1::Builder::new();
        http.max_buf_size(MOST_BUFFERED);
        let (sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        Ok(Box::new(Wire { sender, connection, ended: false }))
    }

    /// Keeps `wire` for others if its exchange is over and it can have another.
    pub(super) fn give_back(&self, mut wire: Box<Wire>) {
        if wire.is_idle() {
            let mut idle = self.idle();
            if idle.len() < MOST_IDLE {
                idle.push((Instant::now(), wire));
            }
        }
    }

    /// Closes what has been idle for long.
    pub(super) fn prune(&self, now: Instant) {
        let old: Vec<_> = {
            let mut idle = self.idle();
            let count = idle.partition_point(|(since, _)| now.duration_since(*since) >= KEEP_IDLE);
            idle.drain(..count).collect()
        };
        drop(old);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Box<Wire>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("target", &self.target).finish_non_exhaustive()
    }
}

/// Why a request has no answer.
pub(super) enum Broken {
    /// Nothing of it was sent: here it is again.
    Unsent(Box<Request<Outgoing>>, hyper::Error),
    /// It may have been acted on.
    Sent(hyper::Error),
}

/// One connection, and the only way to send on it.
///
/// What the two halves tell each other needs no waker: they are only ever polled together, in
/// [`Wire::drive`]. With the task's own waker there, each message between them would schedule the task
/// once more for nothing.
pub(super) struct Wire {
    sender: SendRequest<Outgoing>,
    connection: Connection<TokioIo<TcpStream>, Outgoing>,
    ended: bool,
}

impl Wire {
    /// Sends `request` and waits for the head of its answer. The body is read from the [`Incoming`] while
    /// the wire is driven.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        request: Request<Outgoing>,
    ) -> Result<(Response<Incoming>, Option<Box<Self>>), Broken> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let mut wire = Some(self);
        let mut woken = false;
        let answered = poll_fn(|cx| {
            let mut blind = Context::from_waker(Waker::noop());
            // Once woken it is for the answer, as a rule: then nobody has to be woken for the rest of it.
            if std::mem::replace(&mut woken, true) {
                if let Some(wire) = &mut wire {
                    wire.drive(&mut blind);
                }
                if let Poll::Ready(answer) = answer.as_mut().poll(&mut blind) {
                    return Poll::Ready(answer);
                }
            }
            if let Some(wire) = &mut wire {
                wire.drive(cx);
            }
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut blind) {
                return Poll::Ready(answer);
            }
            // It ended before it took the request, which comes back as it is dropped.
            wire.take_if(|wire| wire.ended);
            answer.as_mut().poll(cx)
        });
        match answered.await {
            Ok(answer) => Ok((answer, wire)),
            Err(mut error) => Err(match error.take_message() {
                Some(request) => Broken::Unsent(Box::new(request), error.into_error()),
                None => Broken::Sent(error.into_error()),
            }),
        }
    }

    /// Lets the connection read and write. What goes wrong reaches whoever waits for the answer or reads
    /// its body.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        self.ended = self.ended || self.connection.poll_without_shutdown(cx).is_ready();
    }

    /// Whether nothing more will come of it.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether it stands, and its last exchange is over.
    pub(super) fn is_idle(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.ended && self.sender.is_ready()
    }

    /// The connection itself, and what was read of it already: after an upgrade.
    pub(super) fn into_stream(self) -> (TcpStream, Bytes) {
        let parts = self.connection.into_parts();
        (parts.io.into_inner(), parts.read_buf)
    }
}
