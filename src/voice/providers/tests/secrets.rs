//! What must not get out, what is refused at the start, and what is counted.

use metrics_exporter_prometheus::PrometheusBuilder;

use super::*;

#[tokio::test]
async fn the_key_is_in_no_debug_output_and_no_error() {
    let world = World::new().await;
    let settings = ProviderSettings { api_key: Some(KEY.into()), ..ProviderSettings::default() };
    let mut texts = vec![format!("{:?}", world.provider), format!("{settings:?}")];

    let padding = "x".repeat(290);
    for (status, body) in [
        (500, format!("proxy log: authorization: Bearer {KEY}")),
        (400, json!({"error": {"message": format!("{padding}{KEY}"), "code": KEY}}).to_string()),
        (418, json!({"error": format!("Bearer {KEY}")}).to_string()),
        (404, json!({"message": KEY}).to_string()),
        (401, json!({"error": {"message": KEY}}).to_string()),
    ] {
        let behaviour = Behaviour::Raw { status, headers: Vec::new(), body };
        world.server.otherwise(behaviour);
        let error = world.ask("hello").await.unwrap_err();
        texts.extend([error.to_string(), format!("{error:?}")]);
    }
    for text in texts {
        assert!(!text.contains("gsk_"), "{text}");
    }
}

#[tokio::test]
async fn no_log_and_no_error_holds_the_key_the_utterance_or_the_reply() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With one subscriber alone, `tracing` would take a callsite that another test's thread meets
    // first for one that nobody listens to.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let world = World::with(|settings| settings.breaker.minimum_calls = 100).await;
    let text = "what is my \"math\" grade";
    let raw = |status, body: String| Behaviour::Raw { status, headers: Vec::new(), body };

    let mut errors = Vec::new();
    for behaviour in [
        Behaviour::Answer(default_answer()),
        Behaviour::InvalidJson,
        Behaviour::Garbage,
        Behaviour::HalfReply,
        raw(200, "\"what is my math grade".to_owned()),
        raw(500, format!("{text} {KEY}")),
        raw(400, json!({"error": {"message": format!("{}{text}", "x".repeat(280))}}).to_string()),
        raw(400, json!({"error": {"message": format!("{}", json!({"input": text}))}}).to_string()),
        Behaviour::Unauthorized,
    ] {
        world.server.script([behaviour]);
        // Some of them end in an answer to a second request, some in an error.
        errors.extend(world.ask(text).await.err());
    }
    assert_eq!(errors.len(), 3);
    tracing::error!(?errors, "for the search below");

    let text = log.text();
    assert!(text.contains("llm: ") && text.contains("no answer"), "{text}");
    for secret in ["gsk_", "math", "what is", "Your"] {
        let leaks: Vec<_> = text.lines().filter(|line| line.contains(secret)).collect();
        assert!(leaks.is_empty(), "{secret}: {leaks:#?}");
    }
}

/// What is written to a log, in memory.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_servers_text_is_cut_and_kept_on_one_line() {
    let world = World::new().await;
    let body = json!({"error": {"message": format!("a\r\n\u{1b}[2J{}", "ü".repeat(5_000))}}).to_string();
    let error = world.after([Behaviour::Raw { status: 400, headers: Vec::new(), body }]).await.unwrap_err();
    let ProviderError::Unavailable(text) = error else { panic!("{error:?}") };
    assert!(text.starts_with("status 400: a   [2Jüü") && text.ends_with("ü…"), "{text}");
    assert_eq!(text.chars().count(), "status 400: ".len() + 300);
}

#[test]
fn settings_that_cannot_work_are_refused_with_all_their_problems() {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let new = |settings| Provider::new(settings, clock.clone(), Entropy::seeded(1)).map(|_| ());

    let none = ProviderSettings {
        models: Vec::new(),
        deadline: Duration::ZERO,
        max_attempts: 0,
        temperature: f32::NAN,
        breaker: BreakerSettings { failure_rate: 0.0, ..BreakerSettings::default() },
        ..ProviderSettings::default()
    };
    let Err(ProviderError::Configuration(text)) = new(none) else { panic!() };
    for key in ["models", "deadline", "max_attempts", "temperature", "breaker.failure_rate"] {
        assert!(text.contains(&format!("{key}: ")), "{key} in {text}");
    }

    for base_url in ["", "api.groq.com", "ftp://x/v1", "https://user:pw@x/v1", "http://x/v1?key=1", "http://"]
    {
        let settings = ProviderSettings { base_url: base_url.to_owned(), ..ProviderSettings::default() };
        let error = new(settings).unwrap_err();
        assert!(matches!(&error, ProviderError::Configuration(text) if !text.contains("pw")), "{base_url}");
    }

    let settings = ProviderSettings { api_key: Some("gsk_a\nb".into()), ..ProviderSettings::default() };
    let error = new(settings).unwrap_err().to_string();
    assert!(error.contains("api_key") && !error.contains("gsk_"), "{error}");
}

#[tokio::test]
async fn everything_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // The test's runtime has one thread, so this sees all that the provider does.
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    describe();
    let world = World::with(|settings| {
        settings.breaker.minimum_calls = 3;
        settings.breaker.open_for = PLENTY;
    })
    .await;

    world.after([Behaviour::Status(500)]).await.unwrap();
    world.server.otherwise(Behaviour::Status(503));
    world.ask("hello").await.unwrap_err();
    world.ask("hello").await.unwrap_err();

    let text = handle.render();
    for line in [
        r#"voicera_llm_calls_total{model="openai/gpt-oss-120b",outcome="ok"} 1"#,
        r#"voicera_llm_calls_total{model="openai/gpt-oss-120b",outcome="unavailable"} 2"#,
        r#"voicera_llm_calls_total{model="openai/gpt-oss-120b",outcome="breaker_open"}"#,
        r#"voicera_llm_call_duration_seconds_count{model="openai/gpt-oss-120b"} 3"#,
        r#"voicera_llm_tokens_total{model="openai/gpt-oss-120b",kind="prompt"} 418"#,
        r#"voicera_llm_tokens_total{model="openai/gpt-oss-120b",kind="completion"} 72"#,
        r#"voicera_llm_retries_total{reason="server_error"} 2"#,
        "voicera_llm_breaker_state 2",
        "# HELP voicera_llm_breaker_state",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}
