//! The circuit breaker: when it opens, and how it closes again.

use super::*;

/// Opens after four requests of which half failed; one attempt a call.
async fn world(open_for: Duration) -> World {
    World::with(|settings| {
        settings.max_attempts = 1;
        settings.models.truncate(1);
        settings.breaker = BreakerSettings {
            failure_rate: 0.5,
            window: PLENTY,
            minimum_calls: 4,
            open_for,
            slow_calls: None,
        };
    })
    .await
}

/// Asks and gets no answer; of a server that hangs, not for long.
async fn fail(world: &World, behaviour: &Behaviour) {
    let deadline = if matches!(behaviour, Behaviour::Hang) { Duration::from_millis(60) } else { PLENTY };
    world.ask_within("hello", deadline).await.unwrap_err();
}

/// Asks until the breaker lets a request through; the state changes by the machine's time alone.
async fn probe(world: &World, deadline: Duration) -> Result<Answer, ProviderError> {
    let admitted = async {
        loop {
            match world.ask_within("hello", deadline).await {
                Err(ProviderError::BreakerOpen) => tokio::task::yield_now().await,
                result => return result,
            }
        }
    };
    tokio::time::timeout(PLENTY, admitted).await.unwrap()
}

#[tokio::test]
async fn it_opens_on_trouble_of_the_server_and_then_asks_nobody() {
    for behaviour in [
        Behaviour::Status(500),
        Behaviour::RateLimited { retry_after: None },
        Behaviour::InvalidJson,
        Behaviour::BreaksSchema,
        Behaviour::HalfReply,
        Behaviour::Garbage,
        Behaviour::Hang,
    ] {
        let world = world(PLENTY).await;
        world.server.otherwise(behaviour.clone());
        for _ in 0..4 {
            assert_eq!(world.provider.breaker_state(), BreakerState::Closed, "{behaviour:?}");
            fail(&world, &behaviour).await;
        }
        assert_eq!(world.provider.breaker_state(), BreakerState::Open, "{behaviour:?}");
        assert_eq!(world.ask("hello").await, Err(ProviderError::BreakerOpen));
        assert_eq!(world.server.requests().len(), 4);
    }
}

#[tokio::test]
async fn it_opens_on_a_server_that_is_slower_than_the_callers_deadlines() {
    let world = world(PLENTY).await;
    world.server.otherwise(Behaviour::Hang);
    for _ in 0..4 {
        let error = world.ask_within("hello", Duration::from_millis(60)).await;
        assert_eq!(error, Err(ProviderError::Deadline));
    }
    assert_eq!(world.provider.breaker_state(), BreakerState::Open);
}

#[tokio::test]
async fn refusals_do_not_open_it() {
    for behaviour in [
        Behaviour::Status(400),
        Behaviour::Unauthorized,
        Behaviour::Status(403),
        Behaviour::Status(413),
        Behaviour::CutOff,
    ] {
        let world = world(PLENTY).await;
        world.server.otherwise(behaviour.clone());
        for _ in 0..8 {
            world.ask("hello").await.unwrap_err();
        }
        assert_eq!(world.provider.breaker_state(), BreakerState::Closed, "{behaviour:?}");
    }
}

#[tokio::test]
async fn it_closes_when_the_server_is_back() {
    let world = world(Duration::from_millis(50)).await;
    world.server.script(vec![Behaviour::Status(500); 4]);
    for _ in 0..4 {
        world.ask("hello").await.unwrap_err();
    }
    assert_eq!(world.provider.breaker_state(), BreakerState::Open);

    probe(&world, PLENTY).await.unwrap();
    assert_eq!(world.provider.breaker_state(), BreakerState::Closed);
}

#[tokio::test]
async fn it_lets_one_request_out_to_see_and_opens_again_when_that_fails() {
    let world = world(Duration::from_millis(50)).await;
    world.server.script(vec![Behaviour::Status(500); 4]);
    for _ in 0..4 {
        world.ask("hello").await.unwrap_err();
    }

    world.server.script([Behaviour::Hang]);
    let error = tokio::join!(probe(&world, Duration::from_secs(1)), async {
        assert!(world.server.received(5).await);
        assert_eq!(world.provider.breaker_state(), BreakerState::HalfOpen);
        assert_eq!(world.ask("hello").await, Err(ProviderError::BreakerOpen));
    })
    .0;
    assert_eq!(error, Err(ProviderError::Deadline));
    assert_eq!(world.provider.breaker_state(), BreakerState::Open);

    probe(&world, PLENTY).await.unwrap();
    assert_eq!(world.provider.breaker_state(), BreakerState::Closed);
}

#[tokio::test]
async fn a_probe_that_is_dropped_does_not_keep_it_half_open() {
    let world = world(Duration::from_millis(50)).await;
    world.server.script(vec![Behaviour::Status(500); 4]);
    for _ in 0..4 {
        world.ask("hello").await.unwrap_err();
    }
    world.server.script([Behaviour::Hang]);
    tokio::select! {
        result = probe(&world, PLENTY) => panic!("the server hangs: {result:?}"),
        sent = world.server.received(5) => assert!(sent),
    }
    probe(&world, PLENTY).await.unwrap();
    assert_eq!(world.provider.breaker_state(), BreakerState::Closed);
}

#[tokio::test]
async fn a_call_whose_own_failure_opened_it_reports_that_failure() {
    let world = World::with(|settings| {
        settings.breaker.minimum_calls = 2;
        settings.breaker.open_for = PLENTY;
    })
    .await;
    world.server.otherwise(Behaviour::Status(500));
    assert_eq!(world.ask("hello").await.unwrap_err().code(), "unavailable");
    assert_eq!(world.server.requests().len(), 2);
    assert_eq!(world.ask("hello").await, Err(ProviderError::BreakerOpen));
}
