//! Models that are gone, and formats that a server does not take.

use jiff::SignedDuration;

use super::*;

#[tokio::test]
async fn a_model_that_is_gone_is_replaced_and_left_alone_for_a_while() {
    let ollama = Behaviour::Raw {
        status: 404,
        headers: Vec::new(),
        body: r#"{"error":{"message":"model \"x\" not found, try pulling it first","code":null}}"#.to_owned(),
    };
    let vllm = Behaviour::Raw {
        status: 404,
        headers: Vec::new(),
        body: r#"{"object":"error","message":"The model `x` does not exist.","code":404}"#.to_owned(),
    };
    let blocked = Behaviour::Raw {
        status: 403,
        headers: Vec::new(),
        body: r#"{"error":{"message":"Blocked.","code":"model_permission_blocked_org"}}"#.to_owned(),
    };
    for behaviour in [Behaviour::Decommissioned, Behaviour::ModelNotFound, ollama, vllm, blocked] {
        // One attempt: moving on is not a retry.
        let world = World::with(|settings| settings.max_attempts = 1).await;

        let answer = world.after([behaviour]).await.unwrap();
        assert_eq!((answer.model.as_str(), answer.attempts), (SECOND, 2));

        assert_eq!(world.ask("hello").await.unwrap().attempts, 1);
        world.clock.advance(SignedDuration::from_mins(10));
        world.ask("hello").await.unwrap();
        assert_eq!(world.server.models_asked(), [FIRST, SECOND, SECOND, FIRST]);
    }
}

#[tokio::test]
async fn when_every_model_is_gone_nobody_is_asked_for_a_while() {
    let world = World::new().await;
    world.server.otherwise(Behaviour::Decommissioned);
    assert_eq!(world.ask("hello").await, Err(ProviderError::NoModel));
    assert_eq!(world.ask("hello").await, Err(ProviderError::NoModel));
    assert_eq!(world.server.requests().len(), 2);
    assert_eq!(world.provider.breaker_state(), BreakerState::Closed);
}

#[tokio::test]
async fn a_wrong_address_is_not_taken_for_a_missing_model() {
    let world = World::with(|settings| settings.base_url = settings.base_url.replace("/v1", "/v2")).await;
    let error = world.ask("hello").await.unwrap_err();
    assert!(matches!(&error, ProviderError::Configuration(text) if text.contains("base_url")), "{error}");
}

#[tokio::test]
async fn a_model_without_json_schema_is_asked_for_a_json_object_and_remembered() {
    let world = World::new().await;
    world.server.otherwise(Behaviour::RejectsSchema);

    assert_eq!(world.ask("hello").await.unwrap().attempts, 2);
    assert_eq!(world.ask("hello").await.unwrap().attempts, 1);

    assert_eq!(formats(&world), ["json_schema", "json_object", "json_object"]);
    assert_eq!(world.server.models_asked(), [FIRST; 3]);

    world.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(world.ask("hello").await.unwrap().attempts, 2);
}

#[tokio::test]
async fn a_server_that_knows_no_format_is_asked_without_one() {
    let world = World::new().await;
    world.server.otherwise(Behaviour::RejectsFormat);
    assert_eq!(world.ask("hello").await.unwrap().attempts, 3);
    assert_eq!(world.ask("hello").await.unwrap().attempts, 1);
    assert_eq!(formats(&world), ["json_schema", "json_object", "", ""]);
}

#[tokio::test]
async fn a_format_that_was_demanded_is_not_given_up() {
    for (mode, behaviour) in [
        (SchemaMode::JsonSchema, Behaviour::RejectsSchema),
        (SchemaMode::JsonObject, Behaviour::RejectsFormat),
    ] {
        let world = World::with(|settings| settings.schema_mode = mode).await;
        let error = world.after([behaviour]).await.unwrap_err();
        assert!(
            matches!(&error, ProviderError::Configuration(text) if text.contains("schema_mode")),
            "{error}"
        );
        assert_eq!(world.server.requests().len(), 1);
    }
}

#[tokio::test]
async fn parameters_that_a_server_rejects_are_left_out() {
    let world = World::new().await;
    let rejects = |message: &str| Behaviour::Raw {
        status: 422,
        headers: Vec::new(),
        body: json!({"detail": "invalid", "message": message}).to_string(),
    };
    let answer = world
        .after([
            rejects("extra field: max_completion_tokens"),
            rejects("Unsupported value: 'temperature' does not support 0.2 with this model."),
        ])
        .await
        .unwrap();
    assert_eq!(answer.attempts, 3);
    let body = &world.server.requests()[2].body;
    assert_eq!(body["max_tokens"], 1024);
    assert_eq!(body.get("max_completion_tokens"), None);
    assert_eq!(body.get("temperature"), None);
    assert_eq!(body["response_format"]["type"], "json_schema");
}

fn formats(world: &World) -> Vec<String> {
    let format =
        |request: &Received| request.body["response_format"]["type"].as_str().unwrap_or_default().to_owned();
    world.server.requests().iter().map(format).collect()
}
