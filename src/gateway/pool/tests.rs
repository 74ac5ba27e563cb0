//! A pool over real servers on this machine, and over peers that are none.

mod balance;
mod faults;
mod hygiene;
mod limits;
mod streams;
mod upgrades;

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::any;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::kit::clock::ManualClock;

const SECOND: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(20);
/// What a test waits for to be over.
const SHORT: Duration = Duration::from_millis(100);

/// A server that counts what it is asked, and its address.
async fn server(router: Router) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let router = router.layer(axum::middleware::map_request(move |request: Request| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(request)
    }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, asked)
}

/// Answers with what it was sent.
fn echo() -> Router {
    Router::new()
        .route("/health/ready", any(|| async { "ready" }))
        .fallback(|request: Request| async { request.into_body() })
}

/// An address where `serve` gets each connection, with its number.
async fn peer<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream, usize) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, number));
        }
    });
    base
}

/// Reads the head of a request; `None` when the connection ends before.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// An address that answers every request with `bytes` as they are, and then ends the connection.
async fn saying(bytes: &'static [u8]) -> String {
    peer(move |mut stream, _| async move {
        if head(&mut stream).await.is_some() {
            let _ = stream.write_all(bytes).await;
        }
    })
    .await
}

/// An address that takes a request and ends the connection without a word.
async fn hanging_up() -> String {
    saying(b"").await
}

/// An address that takes requests and never answers.
async fn hanging() -> String {
    peer(|mut stream, _| async move {
        head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn options(bases: &[&str]) -> PoolOptions {
    PoolOptions {
        name: "test".to_owned(),
        addresses: bases.iter().map(|base| (*base).to_owned()).collect(),
        discovery: Discovery::Fixed,
        connect_timeout: 2 * SECOND,
        timeout: TIMEOUT,
        idle_timeout: TIMEOUT,
        stream_idle_timeout: TIMEOUT,
        health: Some(HealthCheck { path: "/health/ready".to_owned(), every: SECOND, timeout: SECOND }),
        ejection: Ejection { consecutive_failures: 5, base: 30 * SECOND, longest: 300 * SECOND, share: 0.5 },
        // What the breaker does has tests of its own.
        breaker: BreakerOptions {
            failure_share: 2.0,
            window: 10 * SECOND,
            minimum_calls: 5,
            open_for: 10 * SECOND,
        },
        retry_ratio: 0.2,
        max_in_flight: 1000,
        max_streams: 1000,
    }
}

/// Each draws in an order of its own, the same in every run.
fn made(seed: u64, options: PoolOptions) -> Arc<Pool> {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    Arc::new(Pool::new(options, clock, Entropy::seeded(seed)).unwrap())
}

fn pool(seed: u64, bases: &[&str]) -> Arc<Pool> {
    made(seed, options(bases))
}

async fn call(pool: &Pool, request: Request) -> Response {
    pool.call(request, &CallOptions::default()).await
}

fn request(method: Method, body: &'static str) -> Request {
    Request::builder().method(method).uri("/x?y=1").body(Body::from(body)).unwrap()
}

fn get() -> Request {
    request(Method::GET, "")
}

async fn text(answer: Response) -> String {
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn answered(answer: &Response) -> Answered {
    answer.extensions().get::<Answered>().cloned().unwrap()
}

/// A gateway of nothing but `pool`, and its address.
async fn in_front_of(pool: &Arc<Pool>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pool = Arc::clone(pool);
    let router = Router::new().fallback(move |request: Request| async move { call(&pool, request).await });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// What a client gets that sends `request` and waits for the end of the connection.
async fn raw(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.expect("in time");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn until(true_now: impl Fn() -> bool) {
    let waited = tokio::time::timeout(TIMEOUT, async {
        while !true_now() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("in time");
}
