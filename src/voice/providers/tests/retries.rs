//! Retries: which failures, how often, and never past the deadline.

use std::time::Instant;

use jiff::SignedDuration;

use super::*;

fn limited(retry_after: &str) -> Behaviour {
    Behaviour::RateLimited { retry_after: Some(retry_after.to_owned()) }
}

fn with_headers(status: u16, headers: &[(&'static str, &str)]) -> Behaviour {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Behaviour::Raw { status, headers, body: "{}".to_owned() }
}

#[tokio::test]
async fn passing_trouble_is_asked_again() {
    for behaviour in [
        Behaviour::Status(408),
        Behaviour::Status(409),
        Behaviour::Status(500),
        Behaviour::Status(503),
        Behaviour::RateLimited { retry_after: None },
        limited("0"),
        Behaviour::HalfReply,
    ] {
        let world = World::new().await;
        let answer = world.after([behaviour.clone()]).await.unwrap();
        assert_eq!((answer.model.as_str(), answer.attempts), (FIRST, 2), "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let quota = Behaviour::Raw {
        status: 429,
        headers: Vec::new(),
        body: r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#
            .to_owned(),
    };
    for (behaviour, code) in [
        (Behaviour::Unauthorized, "unauthorized"),
        (Behaviour::Status(403), "unauthorized"),
        (Behaviour::Status(400), "unavailable"),
        (Behaviour::Status(413), "unavailable"),
        (Behaviour::Status(302), "unavailable"),
        (quota, "rate_limited"),
    ] {
        let world = World::new().await;
        assert_eq!(world.after([behaviour.clone()]).await.unwrap_err().code(), code, "{behaviour:?}");
        assert_eq!(world.server.requests().len(), 1, "{behaviour:?}");
    }
}

#[tokio::test]
async fn the_attempts_are_limited() {
    let world = World::with(|settings| settings.max_attempts = 3).await;
    world.server.otherwise(Behaviour::Status(500));
    let error = world.ask("hello").await.unwrap_err();
    assert_eq!(
        error,
        ProviderError::Unavailable("status 500 (internal_server_error): Internal Server Error".to_owned())
    );
    assert_eq!(world.server.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let world = World::with(|settings| settings.base_url = "http://127.0.0.1:9/v1".to_owned()).await;
    let error = world.ask("hello").await.unwrap_err();
    assert!(matches!(&error, ProviderError::Unavailable(text) if text.contains("cannot connect")), "{error}");
}

#[tokio::test]
async fn retry_after_is_honoured_when_it_fits() {
    for headers in [[("retry-after", "0.3")], [("retry-after-ms", "300")]] {
        let world = World::new().await;
        let began = Instant::now();
        let answer = world.after([with_headers(429, &headers)]).await.unwrap();
        assert_eq!(answer.attempts, 2);
        assert!(began.elapsed() >= Duration::from_millis(300), "{headers:?}");
    }
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_fails_at_once() {
    // The clock stands at the epoch.
    let cases = [
        ("60", Some(60)),
        ("Thu, 01 Jan 1970 00:02:00 GMT", Some(120)),
        ("1e300", Some(86_400)),
        ("inf", Some(86_400)),
        ("Mon, 01 Jan 2035 00:00:00 GMT", Some(86_400)),
    ];
    for (retry_after, seconds) in cases {
        let world = World::new().await;
        let began = Instant::now();
        let error = world.after([limited(retry_after)]).await.unwrap_err();
        let expected = ProviderError::RateLimited { retry_after: seconds.map(Duration::from_secs) };
        assert_eq!(error, expected, "{retry_after}");
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(world.server.requests().len(), 1);
    }
}

#[tokio::test]
async fn retry_after_that_means_nothing_is_ignored() {
    for retry_after in ["-5", "NaN", "soon", "", "Thu, 01 Jan 1960 00:00:00 GMT"] {
        let world = World::new().await;
        assert_eq!(world.after([limited(retry_after)]).await.unwrap().attempts, 2, "{retry_after}");
    }
}

#[tokio::test]
async fn the_deadline_holds_against_a_server_that_hangs() {
    let world = World::new().await;
    world.server.otherwise(Behaviour::Hang);
    let began = Instant::now();
    let error = world.ask_within("hello", Duration::from_millis(200)).await;
    assert_eq!(error, Err(ProviderError::Deadline));
    assert!(began.elapsed() < Duration::from_secs(5));

    let world = World::with(|settings| settings.deadline = Duration::from_millis(200)).await;
    world.server.otherwise(Behaviour::Hang);
    assert_eq!(world.ask_within("hello", Duration::MAX).await, Err(ProviderError::Deadline));
    assert_eq!(world.ask_within("hello", Duration::ZERO).await, Err(ProviderError::Deadline));
    assert_eq!(world.server.requests().len(), 1, "no time, no request");
}

#[tokio::test]
async fn an_attempt_that_hangs_is_given_up_for_another() {
    let world = World::with(|settings| settings.attempt_timeout = Duration::from_millis(400)).await;
    assert_eq!(world.after([Behaviour::Hang]).await.unwrap().attempts, 2);

    world.server.otherwise(Behaviour::Hang);
    let error = world.ask("hello").await.unwrap_err();
    assert_eq!(error, ProviderError::Unavailable("no reply within 400 ms".to_owned()));
}

#[tokio::test]
async fn retries_are_kept_to_a_share_of_the_calls() {
    let world = World::with(|settings| {
        settings.max_attempts = 2;
        settings.retry_budget_ratio = 0.1;
        settings.breaker.minimum_calls = 1_000;
    })
    .await;
    world.server.otherwise(Behaviour::Status(503));

    let calls = 20;
    for _ in 0..calls {
        world.ask("hello").await.unwrap_err();
    }
    // Three from the floor, and a tenth of the calls; the first one that is paid for counts too.
    let retries = world.server.requests().len() - calls;
    assert!((3..=5).contains(&retries), "{retries} retries");

    // The floor comes back with time.
    world.clock.advance(SignedDuration::from_secs(30));
    let before = world.server.requests().len();
    world.ask("hello").await.unwrap_err();
    assert_eq!(world.server.requests().len() - before, 2);
}

#[tokio::test]
async fn a_call_may_be_dropped_at_any_time() {
    let world = World::new().await;
    world.server.script([Behaviour::Hang]);
    {
        let call = world.ask("hello");
        tokio::pin!(call);
        let sent = world.server.received(1);
        tokio::select! {
            _ = &mut call => panic!("the server hangs"),
            sent = sent => assert!(sent),
        }
    }
    assert_eq!(world.ask("hello").await.unwrap().attempts, 1);
}
