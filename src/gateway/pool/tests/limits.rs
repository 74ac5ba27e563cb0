//! When nobody is asked: too much at once, or an upstream that fails as a whole.

use super::*;

#[tokio::test]
async fn what_is_too_much_at_once_is_refused_at_once() {
    let base = saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let pool = made(7, PoolOptions { max_in_flight: 1, ..options(&[&base]) });
    let first = call(&pool, get()).await;
    assert_eq!(pool.state().in_flight, 1, "its body has not been read");
    let second = call(&pool, get()).await;
    assert_eq!(second.status(), 503);
    assert_eq!(second.headers()["retry-after"], "1");
    assert_eq!(answered(&second).tries, 0);
    assert_eq!(text(first).await, "ok");
    assert_eq!(pool.state().in_flight, 0);
    assert_eq!(call(&pool, get()).await.status(), 200);
}

#[tokio::test]
async fn event_streams_take_no_place_of_requests_and_have_a_limit_of_their_own() {
    let events = peer(|mut stream, _| async move {
        head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\ndata: 1\n\n";
        stream.write_all(answer).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let pool = made(7, PoolOptions { max_in_flight: 1, max_streams: 2, ..options(&[&events]) });
    let open = [call(&pool, get()).await, call(&pool, get()).await];
    assert!(open.iter().all(|answer| answer.status() == 200));
    let state = pool.state();
    assert_eq!((state.in_flight, state.streams), (0, 2));
    assert_eq!(call(&pool, get()).await.status(), 503);
    drop(open);
    assert_eq!(call(&pool, get()).await.status(), 200);
}

fn breaking(bases: &[&str]) -> Arc<Pool> {
    let breaker = BreakerOptions { failure_share: 0.5, open_for: 2 * SHORT, ..options(&[]).breaker };
    made(7, PoolOptions { breaker, health: None, ..options(bases) })
}

#[tokio::test]
async fn an_upstream_that_fails_is_left_alone_until_one_call_shows_that_it_is_back() {
    let well = Arc::new(AtomicUsize::new(500));
    let status = Arc::clone(&well);
    let moody = Router::new().fallback(move || async move {
        StatusCode::from_u16(u16::try_from(status.load(Ordering::SeqCst)).unwrap()).unwrap()
    });
    let (base, asked) = server(moody).await;
    let pool = breaking(&[&base]);
    for _ in 0..5 {
        assert_eq!(call(&pool, get()).await.status(), 500);
    }
    assert_eq!(pool.state().breaker, BreakerState::Open);
    let refused = call(&pool, get()).await;
    assert_eq!((refused.status().as_u16(), answered(&refused).tries), (503, 0));
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(asked.load(Ordering::SeqCst), 5, "it is not asked");

    until(|| pool.state().breaker == BreakerState::HalfOpen).await;
    assert_eq!(call(&pool, get()).await.status(), 500, "one call to see");
    assert_eq!(pool.state().breaker, BreakerState::Open);

    until(|| pool.state().breaker == BreakerState::HalfOpen).await;
    well.store(200, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(call(&pool, get()).await.status(), 200);
    }
    assert_eq!(pool.state().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn who_says_when_to_come_back_is_at_work() {
    let full = Router::new().fallback(|| async { (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]) });
    let (base, _) = server(full).await;
    let pool = breaking(&[&base]);
    for _ in 0..20 {
        assert_eq!(call(&pool, get()).await.status(), 503);
    }
    assert_eq!(pool.state().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn what_one_endpoint_makes_good_does_not_open_the_breaker() {
    let (alive, _) = server(echo()).await;
    let pool = breaking(&[&nobody().await, &alive]);
    for _ in 0..20 {
        assert_eq!(call(&pool, request(Method::POST, "")).await.status(), 200);
    }
    assert_eq!(pool.state().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_the_clients_fault() {
    let (base, _) = server(echo()).await;
    let pool = pool(7, &[&base]);
    let request = request(Method::POST, "hello").map(|body| Body::new(http_body_util::Limited::new(body, 4)));
    assert_eq!(call(&pool, request).await.status(), 413);
    let state = pool.state().endpoints.remove(0);
    assert!(state.ewma_ms < 500.0 && state.consecutive_failures == 0, "the endpoint is not to blame");
}

/// What is repeated stays a share of what is asked, however much fails.
#[tokio::test]
async fn retries_are_kept_to_their_share() {
    let bad = [hanging_up().await, hanging_up().await];
    let pool = pool(7, &[&bad[0], &bad[1]]);
    let mut tries = 0;
    for _ in 0..100 {
        tries += answered(&call(&pool, get()).await).tries;
    }
    assert!((115..=125).contains(&tries), "{tries} tries for 100 requests");
}
