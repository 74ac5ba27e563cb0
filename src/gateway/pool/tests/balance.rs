//! Who is asked, and who is left out.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

use crate::kit::http::prefer::IDEMPOTENCY_KEY;

use super::*;

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
    assert!(!pool.state().endpoints[0].ready);
}

#[tokio::test]
async fn only_what_means_the_same_twice_is_repeated_after_it_was_sent() {
    let (alive, asked) = server(echo()).await;
    let broken = hanging_up().await;
    let mut failed = 0;
    for round in 0..20 {
        let fresh = || pool(round, &[&broken, &alive]);
        assert_eq!(call(&fresh(), get()).await.status(), 200);
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
    until(|| !pool.state().endpoints[0].ready).await;
    for _ in 0..20 {
        assert_eq!(text(call(&pool, get()).await).await, "");
    }
    ready.store(204, Ordering::SeqCst);
    until(|| pool.state().endpoints[0].ready).await;
    stop.cancel();
    watching.await.unwrap();
}

#[tokio::test]
async fn when_none_is_ready_all_are_tried() {
    let (base, _) = server(echo()).await;
    let pool = pool(7, &[&base]);
    pool.fleet.endpoints()[0].seen(false, "a test");
    assert_eq!(call(&pool, get()).await.status(), 200);
}

/// One of four answers everything at once, and wrongly: it would look like the fastest of all.
#[tokio::test]
async fn one_bad_of_four_costs_fewer_than_one_request_in_a_thousand() {
    let failing = Router::new().fallback(|| async { StatusCode::INTERNAL_SERVER_ERROR });
    let (bad, _) = server(failing).await;
    let mut good = Vec::new();
    for _ in 0..3 {
        good.push(server(echo()).await.0);
    }
    let bases: Vec<&str> = [&bad].into_iter().chain(&good).map(String::as_str).collect();
    let pool = pool(7, &bases);
    let mut failed = 0;
    for round in 0..160 {
        let calls = (0..20).map(|_| call(&pool, get()));
        for answer in futures_util::future::join_all(calls).await {
            // A first round meets it before anything is known.
            failed += u32::from(round > 0 && answer.status() != 200);
        }
    }
    assert!(failed <= 3, "{failed} of 3,180");
}

/// Who sticks to a bad endpoint meets it until it is left out, and not once more.
#[tokio::test]
async fn who_keeps_failing_is_left_out() {
    let failing = Router::new().fallback(|| async { StatusCode::INTERNAL_SERVER_ERROR });
    let ((bad, asked), (good, _)) = (server(failing).await, server(echo()).await);
    let pool = pool(7, &[&bad, &good]);
    let mut number = 0;
    let mut statuses = Vec::new();
    while statuses.len() < 20 {
        let options = CallOptions { sticky: Some(number), ..CallOptions::default() };
        let status = pool.call(get(), &options).await.status();
        if statuses.is_empty() && status == 200 {
            number += 1;
        } else {
            statuses.push(status.as_u16());
        }
    }
    assert_eq!(statuses[..5], [500; 5]);
    assert_eq!(statuses[5..], [200; 15]);
    assert_eq!(asked.load(Ordering::SeqCst), 5);
    let out_until = pool.state().endpoints[0].ejected_until.unwrap();
    assert!((28..=30).contains(&out_until.as_second()), "{out_until}");
}

/// Who breaks every connection costs no idempotent request at all, within the budget.
#[tokio::test]
async fn one_of_four_that_hangs_up_costs_no_idempotent_request() {
    let bad = hanging_up().await;
    let mut good = Vec::new();
    for _ in 0..3 {
        good.push(server(echo()).await.0);
    }
    let bases: Vec<&str> = [&bad].into_iter().chain(&good).map(String::as_str).collect();
    let pool = pool(7, &bases);
    for _ in 0..100 {
        let calls = (0..20).map(|_| call(&pool, get()));
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(answer.status(), 200);
        }
    }
}

#[tokio::test]
async fn equal_numbers_meet_the_same_endpoint_and_move_when_it_goes() {
    let mut bases = Vec::new();
    for name in ["a", "b", "c"] {
        bases.push(server(Router::new().fallback(move || async move { name })).await.0);
    }
    let bases: Vec<&str> = bases.iter().map(String::as_str).collect();
    let pool = pool(7, &bases);
    let meet = async |number| {
        let options = CallOptions { sticky: Some(number), ..CallOptions::default() };
        text(pool.call(get(), &options).await).await
    };
    let mut met = Vec::new();
    for number in 0..30 {
        met.push(meet(number).await);
    }
    for (number, before) in (0..).zip(&met) {
        assert_eq!(meet(number).await, *before);
    }
    assert!(["a", "b", "c"].iter().all(|name| met.iter().any(|met| met == name)));
    pool.fleet.endpoints()[0].seen(false, "a test");
    for (number, before) in (0..).zip(&met) {
        let now = meet(number).await;
        assert!(if before == "a" { now != "a" } else { now == *before });
    }
}

#[tokio::test]
async fn a_slow_read_is_hedged_at_another_endpoint() {
    let (quick, _) = server(Router::new().fallback(|| async { "quick" })).await;
    let slow = hanging().await;
    let hedged = CallOptions { hedge_after: Some(SHORT), ..CallOptions::default() };
    for seed in 0..8 {
        let pool = pool(seed, &[&slow, &quick]);
        let began = Instant::now();
        let answer = pool.call(get(), &hedged).await;
        let took = began.elapsed();
        assert!(took < TIMEOUT);
        let Answered { endpoint, tries, .. } = answered(&answer);
        assert!(quick.ends_with(&*endpoint.unwrap()), "who answered, not who was asked first");
        assert!(tries == 1 || (tries == 2 && took >= SHORT));
        assert_eq!(text(answer).await, "quick");
    }
}

#[tokio::test]
async fn what_may_not_be_repeated_is_not_hedged() {
    let slow = hanging().await;
    let hedged = CallOptions { hedge_after: Some(SHORT), ..CallOptions::default() };
    for sent in [request(Method::POST, ""), request(Method::GET, "body"), request(Method::DELETE, "")] {
        let pool = made(7, PoolOptions { timeout: 3 * SHORT, ..options(&[&slow, &slow]) });
        let answer = pool.call(sent, &hedged).await;
        assert_eq!((answer.status().as_u16(), answered(&answer).tries), (504, 1));
    }
}

#[tokio::test]
async fn endpoints_come_and_go_with_the_addresses_of_a_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    for (listener, name) in [(listener, "one"), (other, "two")] {
        let router = Router::new().fallback(move |request: Request| async move {
            format!("{name} {}", request.headers()["host"].to_str().unwrap())
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    let known = Arc::new(Mutex::new(Some(vec!["127.0.0.1"])));
    let given = Arc::clone(&known);
    let resolve: Resolve = Arc::new(move |_, port| {
        let ips = given.lock().unwrap().clone();
        let addresses = ips.ok_or_else(|| io::Error::other("NXDOMAIN"));
        Box::pin(std::future::ready(
            addresses.map(|ips| ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect()),
        ))
    });
    let name = format!("http://voice.test:{port}");
    let options = PoolOptions {
        discovery: Discovery::Dns { every: Duration::from_millis(5) },
        health: None,
        ..options(&[&name])
    };
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let pool = Arc::new(Pool::with_resolver(options, clock, Entropy::seeded(7), resolve).unwrap());
    let stop = CancellationToken::new();
    let watching = tokio::spawn(Arc::clone(&pool).watch(stop.clone()));
    let addresses = |expected: &[&str]| {
        let state = pool.state();
        state.endpoints.len() == expected.len()
            && state.endpoints.iter().zip(expected).all(|(one, ip)| one.address == format!("{ip}:{port}"))
    };
    until(|| addresses(&["127.0.0.1"])).await;
    assert_eq!(text(call(&pool, get()).await).await, format!("one voice.test:{port}"));

    *known.lock().unwrap() = Some(vec!["127.0.0.2", "127.0.0.1"]);
    until(|| addresses(&["127.0.0.1", "127.0.0.2"])).await;

    *known.lock().unwrap() = None;
    until(|| pool.state().names[0].failing_since.is_some()).await;
    assert!(addresses(&["127.0.0.1", "127.0.0.2"]), "what was known is used");
    assert_eq!(call(&pool, get()).await.status(), 200);

    *known.lock().unwrap() = Some(vec!["127.0.0.2"]);
    until(|| addresses(&["127.0.0.2"])).await;
    assert_eq!(text(call(&pool, get()).await).await, format!("two voice.test:{port}"));
    assert_eq!(pool.state().names[0].error, None);
    stop.cancel();
    watching.await.unwrap();
}
