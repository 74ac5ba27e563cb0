//! A pool over real servers on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::any;
use jiff::Timestamp;
use tokio::net::TcpListener;

use http::StatusCode;

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

fn options(bases: &[&str]) -> PoolOptions {
    const SECOND: Duration = Duration::from_secs(1);
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
        breaker: BreakerOptions {
            failure_share: 0.5,
            window: 10 * SECOND,
            minimum_calls: 20,
            open_for: SECOND,
        },
        retry_ratio: 0.2,
        max_in_flight: 1000,
        max_streams: 1000,
    }
}

async fn call(pool: &Pool, request: Request) -> Response {
    pool.call(request, &CallOptions::default()).await
}

/// Each draws in an order of its own, the same in every run.
fn pool(seed: u64, bases: &[&str]) -> Arc<Pool> {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    Arc::new(Pool::new(options(bases), clock, Entropy::seeded(seed)).unwrap())
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
        let calls = (0..10).map(|_| call(&pool, request(Method::POST, "hello")));
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(text(answer).await, "hello");
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
        let answer = call(&pool, request(Method::POST, "once")).await;
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
        assert_eq!(call(&fresh(), request(Method::GET, "")).await.status(), 200);
        let mut named = request(Method::POST, "");
        named.headers_mut().insert(IDEMPOTENCY_KEY, "k".parse().unwrap());
        assert_eq!(call(&fresh(), named).await.status(), 200);
        failed += usize::from(call(&fresh(), request(Method::POST, "")).await.status() == 502);
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
        assert_eq!(text(call(&pool, request(Method::GET, "")).await).await, "");
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
    assert_eq!(call(&pool, request(Method::GET, "")).await.status(), 200);
}

#[tokio::test]
async fn the_failure_says_what_went_wrong() {
    for (base, status) in [(nobody().await, 503), (hanging_up().await, 502)] {
        assert_eq!(call(&pool(7, &[&base]), request(Method::POST, "")).await.status(), status);
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_the_clients_fault() {
    let (base, _) = server(echo()).await;
    let pool = pool(7, &[&base]);
    let request = request(Method::POST, "hello").map(|body| Body::new(http_body_util::Limited::new(body, 4)));
    assert_eq!(call(&pool, request).await.status(), 413);
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
