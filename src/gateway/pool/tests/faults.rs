//! Upstreams that fail: what the caller sees, and how soon.

use http_body_util::BodyExt as _;
use std::io;
use tokio::sync::Notify;

use super::*;

#[tokio::test]
async fn the_failure_says_what_went_wrong() {
    for (base, status) in [
        (nobody().await, 503),
        (hanging_up().await, 502),
        (saying(b"220 smtp.example.org\r\n\r\n").await, 502),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab").await, 502),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nab").await, 502),
        (saying(b"HTTP/1.1 200 OK\r\nx: ").await, 502),
        (saying(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n").await, 502),
    ] {
        let pool = pool(7, &[&base]);
        let answer = call(&pool, request(Method::POST, "")).await;
        assert_eq!(answer.status(), status, "{base}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let Answered { upstream, endpoint, tries, .. } = answered(&answer);
        assert_eq!((&*upstream, tries), ("test", 1));
        assert!(base.ends_with(&*endpoint.unwrap()));
        assert_eq!(pool.state().endpoints[0].consecutive_failures, 1);
    }
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let base = peer(|mut stream, _| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    assert_eq!(call(&pool(7, &[&base]), get()).await.status(), 502);
}

#[tokio::test]
async fn who_never_answers_is_waited_for_until_the_deadline() {
    let base = hanging().await;
    let pool = made(7, PoolOptions { timeout: 3 * SHORT, ..options(&[&base]) });
    let began = Instant::now();
    assert_eq!(call(&pool, get()).await.status(), 504);
    assert!((3 * SHORT..TIMEOUT).contains(&began.elapsed()));
    assert_eq!(pool.state().endpoints[0].consecutive_failures, 1);

    let began = Instant::now();
    let soon = CallOptions { timeout: Some(SHORT), ..CallOptions::default() };
    assert_eq!(pool.call(get(), &soon).await.status(), 504);
    assert!((SHORT..TIMEOUT).contains(&began.elapsed()));
    assert_eq!(pool.state().endpoints[0].consecutive_failures, 2);
}

#[tokio::test]
async fn a_caller_in_a_hurry_is_not_the_endpoints_fault() {
    let base = hanging().await;
    let pool = pool(7, &[&base]);
    let mut hurried = get();
    hurried.headers_mut().insert(peer::DEADLINE, 50.into());
    let began = Instant::now();
    assert_eq!(call(&pool, hurried).await.status(), 504);
    assert!(began.elapsed() < TIMEOUT);
    assert_eq!(pool.state().endpoints[0].consecutive_failures, 0);
}

#[tokio::test]
async fn what_is_left_of_the_deadline_is_passed_on() {
    let slow_to_say = peer(|mut stream, _| async move {
        let head = head(&mut stream).await.unwrap();
        let left = head.lines().find_map(|line| line.strip_prefix("x-voicera-timeout-ms: ")).unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{left}", left.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let options = CallOptions { timeout: Some(5 * SECOND), ..CallOptions::default() };
    let pool = pool(7, &[&slow_to_say]);
    let left: u64 = text(pool.call(get(), &options).await).await.parse().unwrap();
    assert!((1000..=5000).contains(&left), "{left}");
}

/// An answer that ends before its end must not look whole.
#[tokio::test]
async fn a_body_that_breaks_off_ends_in_an_error() {
    for bytes in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello".as_slice(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n7",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
    ] {
        let base = saying(bytes).await;
        let pool = pool(7, &[&base]);
        let answer = call(&pool, get()).await;
        assert_eq!(answer.status(), 200);
        let told = String::from_utf8_lossy(bytes);
        assert!(axum::body::to_bytes(answer.into_body(), 99).await.is_err(), "{told}");
        assert_eq!(pool.state().endpoints[0].consecutive_failures, 1);
        let seen = raw(in_front_of(&pool).await, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let whole = seen.contains("content-length: 5") || seen.ends_with("0\r\n\r\n");
        assert!(!whole, "the connection ends before the body does: {seen}");
    }
}

/// With the end of the connection the only end of the body there is, a reset is an error all the same.
#[tokio::test]
async fn a_reset_is_never_the_end_of_a_body() {
    let read = Arc::new(Notify::new());
    let told = Arc::clone(&read);
    let base = peer(move |mut stream, _| {
        let read = Arc::clone(&told);
        async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
            read.notified().await;
            stream.set_zero_linger().unwrap();
        }
    })
    .await;
    let mut body = call(&pool(7, &[&base]), get()).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
    read.notify_one();
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn a_body_that_stops_ends_in_an_error_after_the_idle_timeout() {
    let base = peer(|mut stream, _| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await.unwrap();
        for _ in 0..4 {
            tokio::time::sleep(SHORT).await;
            stream.write_all(b".").await.unwrap();
        }
        std::future::pending::<()>().await;
    })
    .await;
    let pool = made(7, PoolOptions { idle_timeout: 5 * SHORT, ..options(&[&base]) });
    let mut body = call(&pool, get()).await.into_body();
    let mut pieces = 0;
    let last = loop {
        let waited_since = Instant::now();
        match body.frame().await.unwrap() {
            Ok(piece) => pieces += piece.into_data().unwrap().len(),
            Err(_) => break waited_since.elapsed(),
        }
    };
    assert_eq!(pieces, 4);
    assert!((5 * SHORT..TIMEOUT).contains(&last), "each piece gives it as long again: {last:?}");
}

/// A server may close a connection that is idle at any time; that is nobody's failure.
#[tokio::test]
async fn a_kept_connection_that_has_closed_costs_no_request() {
    let closed = Arc::new(Notify::new());
    let tells = Arc::clone(&closed);
    let base = peer(move |mut stream, _| {
        let closed = Arc::clone(&tells);
        async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            drop(stream);
            closed.notify_one();
        }
    })
    .await;
    let pool = pool(7, &[&base]);
    for method in [Method::GET, Method::POST, Method::POST, Method::GET] {
        assert_eq!(text(call(&pool, request(method, "once")).await).await, "ok");
        closed.notified().await;
    }
}

/// The server closes just as the request comes: only what means the same twice is sent again.
#[tokio::test]
async fn a_kept_connection_that_closes_on_a_request_is_replaced_if_that_cannot_do_harm() {
    let base = peer(|mut stream, _| async move {
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        head(&mut stream).await;
    })
    .await;
    let pool = pool(7, &[&base]);
    for _ in 0..3 {
        assert_eq!(text(call(&pool, get()).await).await, "ok");
    }
    let answer = call(&pool, request(Method::POST, "")).await;
    assert_eq!(answer.status(), 502, "it may have been acted on");
    assert_eq!(pool.state().endpoints[0].consecutive_failures, 1);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_a_while() {
    let (told, mut closed) = tokio::sync::mpsc::channel(1);
    let base = peer(move |mut stream, _| {
        let told = told.clone();
        async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            assert!(head(&mut stream).await.is_none());
            told.send(()).await.unwrap();
        }
    })
    .await;
    let pool = pool(7, &[&base]);
    assert_eq!(text(call(&pool, get()).await).await, "ok");
    let connections = &pool.fleet.endpoints()[0].connections;
    connections.prune(Instant::now());
    assert!(tokio::time::timeout(SHORT, closed.recv()).await.is_err(), "it has been idle for a moment only");
    connections.prune(Instant::now() + connections::KEEP_IDLE);
    tokio::time::timeout(TIMEOUT, closed.recv()).await.expect("in time");
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_sent_is_an_answer() {
    let base = peer(|mut stream, _| async move {
        head(&mut stream).await;
        let refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno";
        stream.write_all(refusal).await.unwrap();
        let mut sink = [0; 1024];
        while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let endless = futures_util::stream::unfold((), |()| async {
        tokio::task::yield_now().await;
        Some((Ok::<_, io::Error>(bytes::Bytes::from_static(&[b'a'; 1024])), ()))
    });
    let request = Request::post("/").body(Body::from_stream(endless)).unwrap();
    let pool = pool(7, &[&base]);
    let answer = call(&pool, request).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(text(answer).await, "no");
}
