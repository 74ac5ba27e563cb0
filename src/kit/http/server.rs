//! The server: accepts connections, bounds what each may cost, and stops without cutting anyone off.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use futures_util::future::BoxFuture;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::kit::http::idle::Activity;
use crate::kit::http::proxy_protocol;

/// How long a connection may be without a request in flight once shutdown began: enough for one
/// that is on its way.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// What a connection may cost.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Connections at once; further ones wait in the kernel's backlog.
    pub connections: usize,
    /// From a connection's start, or the end of its last answer, to the end of a request's head. After
    /// that the connection is closed.
    pub header_timeout: Duration,
    /// How long requests in flight may go on after shutdown began.
    pub grace: Duration,
}

/// What stands before HTTP on a connection.
#[derive(Clone, Default)]
pub struct Front {
    /// Proxies that begin each connection by saying whose it is (PROXY protocol, version 2); then nobody
    /// else may connect.
    pub proxies: Option<Arc<[IpNet]>>,
    /// The certificate, where connections are encrypted.
    pub tls: Option<TlsAcceptor>,
}

/// A connection, encrypted or not.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Front {
    /// Gets a connection to where HTTP begins; with who is at its other end.
    async fn pass(&self, mut stream: TcpStream, peer: SocketAddr) -> io::Result<(Stream, SocketAddr)> {
        let mut client = peer;
        if let Some(proxies) = &self.proxies {
            let address = peer.ip().to_canonical();
            if !proxies.iter().any(|network| network.contains(&address)) {
                let why = "a connection from somebody who is none of server.trusted_proxies";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            }
            client = proxy_protocol::read(&mut stream).await?.unwrap_or(peer);
        }
        let stream = match &self.tls {
            Some(acceptor) => Stream::Tls(Box::new(acceptor.accept(stream).await?)),
            None => Stream::Plain(stream),
        };
        Ok((stream, client))
    }
}

/// Serves `router` on `listener` until `shutdown`, then lets requests in flight finish within the
/// grace period.
pub async fn serve(
    listener: TcpListener,
    front: Front,
    router: Router,
    limits: ServerLimits,
    shutdown: CancellationToken,
) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(64 * 1024);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let http = Arc::new(http);
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();

    while let Some((stream, peer, place)) = next_connection(&listener, &places, &shutdown).await {
        // An answer waits for no more data of ours: Nagle's algorithm would only delay it.
        let _ = stream.set_nodelay(true);
        let (http, front, router) = (Arc::clone(&http), front.clone(), router.clone());
        let (watcher, shutdown) = (graceful.watcher(), shutdown.clone());
        tokio::spawn(async move {
            let passed = tokio::time::timeout(limits.header_timeout, front.pass(stream, peer));
            let passed = shutdown.run_until_cancelled(passed).await;
            let (stream, client) = match passed {
                Some(Ok(Ok(passed))) => passed,
                Some(Ok(Err(error))) => {
                    tracing::debug!(%peer, %error, "a connection got nowhere");
                    return;
                }
                Some(Err(_)) | None => return,
            };
            let activity = Activity::default();
            let service = Counted { router, peer: client, activity: activity.clone() };
            let service = TowerToHyperService::new(service);
            let serving: BoxFuture<'_, _> =
                match stream {
                    Stream::Plain(stream) => Box::pin(watcher.watch(
                        http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned(),
                    )),
                    Stream::Tls(stream) => Box::pin(watcher.watch(
                        http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned(),
                    )),
                };
            tokio::select! {
                ended = serving => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection ended early");
                    }
                }
                () = unused(&activity, limits.header_timeout, &shutdown) => {}
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            grace_s = limits.grace.as_secs_f64(),
            "requests were still in flight at the end of the grace period"
        );
    }
}

/// Resolves when a connection is of no use: nothing in flight for `limit`, or, once shutdown began,
/// for a moment.
async fn unused(activity: &Activity, limit: Duration, shutdown: &CancellationToken) {
    let idle = activity.idle_for(limit);
    if shutdown.run_until_cancelled(idle).await.is_none() {
        activity.idle_for(LAST_MOMENT).await;
    }
}

/// The router, which is told who asks and tells what is in flight.
#[derive(Debug, Clone)]
struct Counted {
    router: Router,
    peer: SocketAddr,
    activity: Activity,
}

impl tower::Service<http::Request<hyper::body::Incoming>> for Counted {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<hyper::body::Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let in_flight = self.activity.begin();
        let answer = self.router.clone().oneshot(request.map(axum::body::Body::new));
        Box::pin(async move { Ok(in_flight.until_sent(answer.await?)) })
    }
}

/// The next connection that there is room for; `None` once shutdown began.
async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let accept = async {
        loop {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(places).acquire_owned().await else { std::future::pending().await };
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, place),
                Err(error) => rest_after(&error).await,
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        connection = accept => Some(connection),
    }
}

/// A connection that died in the backlog is nobody's trouble; out of file descriptors is, and
/// trying again at once would spin.
async fn rest_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
