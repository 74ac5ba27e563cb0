//! The language model behind the trained one: its answers and its failures.

use std::time::{Duration, Instant};

use crate::support::{Behaviour, Cluster, LlmServer};

/// What the trained model does not understand.
pub const STRANGE: &str = "purple monkey dishwasher quantum";

/// What it takes to use the language model at `base_url`, with `settings` on top.
pub fn settings_with<'a>(base_url: &'a str, settings: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let all =
        [("llm.base_url", base_url), ("llm.models", "first-model,second-model"), ("llm.retry_budget", "1.0")];
    all.into_iter().chain(settings.iter().copied()).collect()
}

/// An installation in front of a language model, with `settings` on top.
pub async fn with_llm(llm: &LlmServer, settings: &[(&str, &str)]) -> Cluster {
    Cluster::installation_with(&settings_with(&llm.base_url(), settings)).await
}

#[tokio::test]
async fn what_the_trained_model_does_not_understand_the_language_model_answers() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[]).await;
    let client = cluster.client();

    let known = client.ask("show my grades").await;
    assert_eq!(known["source"], "local");
    assert_eq!(llm.models_asked().len(), 0, "what is understood stays here");

    let strange = client.ask(STRANGE).await;
    assert_eq!(strange["source"], "llm");
    assert_eq!(strange["degraded"], false);
    assert_eq!(strange["intent"], "get_grades");
    assert_eq!(strange["reply"], "Which of your math grades would you like to hear?");
    assert_eq!(strange["llmModel"], "first-model");
    assert!(strange["stages"]["llmMs"].is_number(), "{strange}");
    assert_eq!(llm.models_asked(), ["first-model"]);
    assert_eq!(cluster.metric("voicera_voice_commands_total", "source=\"llm\"").await, 1);
}

#[tokio::test]
async fn llm_first_asks_it_even_for_what_is_understood_and_local_only_never_does() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[("voice.understanding.mode", "llm_first")]).await;
    assert_eq!(cluster.client().ask("hello").await["source"], "llm");
    let asked = llm.requests().len();
    let cluster = with_llm(&llm, &[("voice.understanding.mode", "local_only")]).await;
    let result = cluster.client().ask(STRANGE).await;
    assert_eq!((&result["source"], &result["degraded"]), (&"local".into(), &false.into()));
    assert_eq!(llm.requests().len(), asked, "not even the list of models is asked for");
}

#[tokio::test]
async fn whatever_goes_wrong_there_is_an_answer_within_the_deadline() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(
        &llm,
        &[("llm.attempt_timeout", "1s"), ("llm.deadline", "2s"), ("llm.breaker.minimum_calls", "10000")],
    )
    .await;
    let client = cluster.client();
    let failures = [
        Behaviour::Status(500),
        Behaviour::Status(503),
        Behaviour::Status(400),
        Behaviour::Unauthorized,
        Behaviour::Hang,
        Behaviour::HalfReply,
        Behaviour::InvalidJson,
        Behaviour::BreaksSchema,
        Behaviour::NoChoices,
        Behaviour::CutOff,
        Behaviour::Garbage,
        Behaviour::HugeReply(20 << 20),
        Behaviour::RateLimited { retry_after: Some("3600".to_owned()) },
        Behaviour::RateLimited { retry_after: Some("soon".to_owned()) },
        Behaviour::RateLimited { retry_after: None },
    ];
    let count = failures.len();
    for (number, failure) in failures.into_iter().enumerate() {
        let what = format!("{failure:?}");
        llm.otherwise(failure);
        let started = Instant::now();
        let result = client.ask(&format!("{STRANGE} {number}")).await;
        assert_eq!(result["source"], "local", "{what}: {result}");
        assert_eq!(result["degraded"], true, "{what}: {result}");
        assert_eq!(result["intent"], "none", "{what}: never an invented intent: {result}");
        assert!(started.elapsed() < Duration::from_secs(5), "{what} took {:?}", started.elapsed());
    }
    assert_eq!(cluster.metric("voicera_voice_degraded_total", "").await, count as u64);
}

#[tokio::test]
async fn after_a_passing_failure_it_is_asked_again() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[("llm.breaker.minimum_calls", "10000")]).await;
    let client = cluster.client();
    for (number, failure) in [
        Behaviour::Status(500),
        Behaviour::Status(408),
        Behaviour::HalfReply,
        Behaviour::RateLimited { retry_after: Some("1".to_owned()) },
    ]
    .into_iter()
    .enumerate()
    {
        let what = format!("{failure:?}");
        llm.script([failure]);
        let started = Instant::now();
        let result = client.ask(&format!("{STRANGE} {number}")).await;
        assert_eq!(result["source"], "llm", "{what}: {result}");
        assert_eq!(result["degraded"], false, "{what}: {result}");
        let asked_to_wait = what.contains("retry_after");
        assert!(
            !asked_to_wait || started.elapsed() >= Duration::from_secs(1),
            "{what}: `retry-after` is honoured"
        );
    }
}

#[tokio::test]
async fn the_key_is_sent_there_and_shown_nowhere() {
    let llm = LlmServer::start().await.unwrap();
    llm.script([Behaviour::Unauthorized]);
    let secret = "gsk_the_secret_key_of_the_test";
    let mut cluster =
        with_llm(&llm, &[("llm.api_key", secret), ("telemetry.log_filter", "info,voicera=trace")]).await;
    let client = cluster.client();
    client.ask(STRANGE).await;
    let sent = llm.requests().into_iter().filter(|request| request.path.ends_with("/completions"));
    let keys: Vec<_> =
        sent.map(|request| request.headers["authorization"].to_str().unwrap().to_owned()).collect();
    assert_eq!(keys, [format!("Bearer {secret}")]);
    for place in ["/metrics", "/health", "/api/openapi.json", "/api/voice/history"] {
        assert!(!client.get(place).await.text.contains(secret), "{place}");
    }
    cluster.stop().await;
    let written = [cluster.log(), cluster.out()].concat();
    assert!(!written.iter().any(|line| line.contains(secret)), "{written:#?}");
}
