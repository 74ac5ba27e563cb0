//! Connections that go over to another protocol: `WebSocket`, and whatever else says so in HTTP/1.1.
//!
//! Once the endpoint has agreed nothing is looked at any more: bytes go both ways until one side ends, or
//! neither has sent anything for long. No memory is held for a connection while it is silent.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, Version, header};
use http_body::Body as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::places::Place;

/// What is moved at once.
const PIECE: usize = 8 << 10;

/// A client's wish for another protocol.
pub(super) struct Wish {
    pub(super) protocol: HeaderValue,
    client: OnUpgrade,
}

impl Wish {
    /// The wish of `request`, if it has one that can be granted.
    ///
    /// Not for what speaks HTTP again (`h2c`, `TLS/1.2`): its requests would pass the gateway unseen.
    pub(super) fn read(request: &mut Request) -> Option<Self> {
        if request.version() != Version::HTTP_11 || !request.body().is_end_stream() {
            return None;
        }
        let protocol = asked_for(request.headers())?.clone();
        let client = request.extensions_mut().remove::<OnUpgrade>()?;
        Some(Self { protocol, client })
    }
}

fn asked_for(headers: &HeaderMap) -> Option<&HeaderValue> {
    let protocol = headers.get(header::UPGRADE)?;
    let asks = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|option| option.trim().eq_ignore_ascii_case("upgrade"));
    let speaks_http = |name: &str| {
        let name = name.split('/').next().unwrap_or(name).trim();
        ["h2c", "h2", "h3", "http", "tls"].iter().any(|http| name.eq_ignore_ascii_case(http))
    };
    let passes = protocol.to_str().is_ok_and(|names| !names.split(',').any(speaks_http));
    (asks && passes && headers.get_all(header::UPGRADE).iter().count() == 1).then_some(protocol)
}

/// All connections of a pool that went over to another protocol.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Tunnels {
    /// Joins the client of `wish` to the endpoint's `stream`, of which `read` was read already, until one
    /// ends, or nothing has come from either for `idle`.
    pub(super) fn open(&self, wish: Wish, stream: TcpStream, read: Bytes, idle: Duration, place: Place) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let joined = async {
                let client = wish.client.await.map_err(io::Error::other)?;
                relay(TokioIo::new(client), stream, read, idle).await
            };
            if let Some(Err(error)) = stop.run_until_cancelled(joined).await {
                tracing::debug!(%error, "an upgraded connection ended early");
            }
            drop(place);
        });
    }

    /// Ends all, and waits until they have ended.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Copies both ways until both sides have ended.
async fn relay<C: AsyncRead + AsyncWrite>(
    client: C,
    upstream: TcpStream,
    read: Bytes,
    idle: Duration,
) -> io::Result<()> {
    let (mut client, mut upstream) = (pin!(client), pin!(upstream));
    let mut down = Direction { left: read, ended: Ended::No };
    let mut up = Direction { left: Bytes::new(), ended: Ended::No };
    let mut timer = pin!(tokio::time::sleep(idle));
    let mut moved = Instant::now();
    std::future::poll_fn(|cx| {
        let mut went_on = false;
        let sent_up = up.poll(cx, client.as_mut(), upstream.as_mut(), &mut went_on)?;
        let sent_down = down.poll(cx, upstream.as_mut(), client.as_mut(), &mut went_on)?;
        if sent_up.is_ready() && sent_down.is_ready() {
            return Poll::Ready(Ok(()));
        }
        if went_on {
            moved = Instant::now();
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            let due = moved + idle;
            if Instant::now() >= due {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            timer.as_mut().reset(due);
        }
    })
    .await
}

/// What goes one way.
struct Direction {
    /// Read, and not yet written.
    left: Bytes,
    ended: Ended,
}

#[derive(PartialEq, Eq)]
enum Ended {
    No,
    Read,
    Told,
}

impl Direction {
    fn poll<R: AsyncRead, W: AsyncWrite>(
        &mut self,
        cx: &mut Context<'_>,
        mut from: Pin<&mut R>,
        mut to: Pin<&mut W>,
        went_on: &mut bool,
    ) -> Poll<io::Result<()>> {
        loop {
            while self.left.has_remaining() {
                let count = ready!(to.as_mut().poll_write(cx, &self.left))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.left.advance(count);
                *went_on = true;
            }
            match self.ended {
                Ended::Told => return Poll::Ready(Ok(())),
                Ended::Read => {
                    ready!(to.as_mut().poll_shutdown(cx))?;
                    self.ended = Ended::Told;
                }
                Ended::No => {
                    let mut piece = [MaybeUninit::uninit(); PIECE];
                    let mut piece = ReadBuf::uninit(&mut piece);
                    if from.as_mut().poll_read(cx, &mut piece)?.is_pending() {
                        ready!(to.as_mut().poll_flush(cx))?;
                        return Poll::Pending;
                    }
                    let read = piece.filled();
                    if read.is_empty() {
                        self.ended = Ended::Read;
                    } else {
                        *went_on = true;
                        // Kept only if it cannot be written at once.
                        let written = match to.as_mut().poll_write(cx, read)? {
                            Poll::Ready(count) => count,
                            Poll::Pending => 0,
                        };
                        self.left = Bytes::copy_from_slice(&read[written..]);
                    }
                }
            }
        }
    }
}
