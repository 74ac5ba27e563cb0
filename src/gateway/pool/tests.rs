//! A pool over real servers on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::any;
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::*;
use crate::kit::clock::ManualClock;

const TIMEOUT: Duration = Duration::from_secs(20);

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

fn echo() -> Router {
    Router::new()
        .route("/health/ready", any(|| async { "ready" }))
        .fallback(|body: String| async move { body })
}

/// An address that takes connections and ends each without a word.
async fn hanging_up() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    base
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Each draws in an order of its own, the same in every run.
fn pool(seed: u64, bases: &[&str]) -> Arc<Pool> {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    Arc::new(Pool::new("test", bases, TIMEOUT, clock, Entropy::seeded(seed)).unwrap())
}

fn request(method: Method, body: &'static str) -> Request {
    Request::builder().method(method).uri("/x?y=1").body(Body::from(body)).unwrap()
}

async fn text(answer: Response) -> String {
    let bytes = axum::body::to_bytes(answer.into_body(), 1024).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn requests_are_spread_over_all_endpoints() {
    let ((one, first), (two, second)) = (server(echo()).await, server(echo()).await);
    let pool = pool(7, &[&one, &two]);
    for _ in 0..20 {
        let calls = (0..10).map(|_| pool.call(request(Method::POST, "hello")));
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(text(answer.unwrap()).await, "hello");
        }
    }
    for asked in [first, second] {
        assert!(asked.load(Ordering::SeqCst) > 20, "{asked:?} of 200");
    }
}

#[tokio::test]
async fn who_refuses_connections_is_passed_by_and_no_request_fails() {
    let (alive, asked) = server(echo()).await;
    let gone = nobody().await;
    let pool = pool(7, &[&gone, &alive]);
    for _ in 0..50 {
        let answer = pool.call(request(Method::POST, "once")).await.unwrap();
        assert_eq!(text(answer).await, "once", "the body arrives whole at the second try");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 50);
    assert!(!pool.endpoints[0].is_ready());
}

#[tokio::test]
async fn only_what_means_the_same_twice_is_repeated_after_it_was_sent() {
    let (alive, asked) = server(echo()).await;
    let broken = hanging_up().await;
    let mut failed = 0;
    for round in 0..20 {
        let fresh = || pool(round, &[&broken, &alive]);
        fresh().call(request(Method::GET, "")).await.unwrap();
        let mut named = request(Method::POST, "");
        named.headers_mut().insert(IDEMPOTENCY_KEY, "k".parse().unwrap());
        fresh().call(named).await.unwrap();
        failed += usize::from(fresh().call(request(Method::POST, "")).await.is_err());
    }
    assert!(failed > 0, "a request that may have been acted on is not repeated");
    assert_eq!(asked.load(Ordering::SeqCst), 60 - failed);
}

#[tokio::test]
async fn who_says_that_it_is_not_ready_is_left_out_until_it_is() {
    let ready = Arc::new(AtomicUsize::new(503));
    let status = Arc::clone(&ready);
    let moody = Router::new()
        .route(
            "/health/ready",
            any(move || async move {
                StatusCode::from_u16(u16::try_from(status.load(Ordering::SeqCst)).unwrap()).unwrap()
            }),
        )
        .fallback(|| async { "moody" });
    let ((moody, _), (steady, _)) = (server(moody).await, server(echo()).await);
    let pool = pool(7, &[&moody, &steady]);
    let stop = CancellationToken::new();
    let watching = tokio::spawn(Arc::clone(&pool).watch(stop.clone()));
    until(|| !pool.endpoints[0].is_ready()).await;
    for _ in 0..20 {
        assert_eq!(text(pool.call(request(Method::GET, "")).await.unwrap()).await, "");
    }
    ready.store(200, Ordering::SeqCst);
    until(|| pool.endpoints[0].is_ready()).await;
    stop.cancel();
    watching.await.unwrap();
}

#[tokio::test]
async fn when_none_is_ready_all_are_tried() {
    let (base, _) = server(echo()).await;
    let pool = pool(7, &[&base]);
    pool.endpoints[0].seen(false, "a test");
    pool.call(request(Method::GET, "")).await.unwrap();
}

#[tokio::test]
async fn the_failure_says_what_went_wrong() {
    for (base, code) in [(nobody().await, Code::Unavailable), (hanging_up().await, Code::BadGateway)] {
        let error = pool(7, &[&base]).call(request(Method::POST, "")).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_the_clients_fault() {
    let (base, _) = server(echo()).await;
    let pool = pool(7, &[&base]);
    let request = request(Method::POST, "hello").map(|body| Body::new(http_body_util::Limited::new(body, 4)));
    assert_eq!(pool.call(request).await.unwrap_err().code(), Code::PayloadTooLarge);
    assert!(pool.endpoints[0].load.cost(Instant::now()) < 0.5, "the endpoint is not to blame");
}

#[test]
fn only_a_plain_address_is_an_endpoint() {
    assert!(Endpoint::new("test", "http://127.0.0.1:3001").is_ok());
    for base in ["127.0.0.1:3001", "https://x", "http://x/path", "ftp://x", ""] {
        assert!(Endpoint::new("test", base).is_err(), "{base}");
    }
}

async fn until(true_now: impl Fn() -> bool) {
    let waited = tokio::time::timeout(TIMEOUT, async {
        while !true_now() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("in time");
}
