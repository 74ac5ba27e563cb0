//! What an operator sees of a whole installation: health, logs, traces, and the end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Behaviour, Cluster, LlmServer, wait};

#[tokio::test]
async fn health_names_every_part_and_the_probes_say_one_word() {
    let cluster = Cluster::installation().await;
    let anonymous = cluster.client().anonymous();
    let health = anonymous.read("/health").await;
    assert_eq!(health["status"], "up");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    for part in ["voice.store", "voice.queue", "voice.model", "users.store", "analytics.store"] {
        assert_eq!(health["checks"][part]["status"], "up", "{part}: {health}");
    }
    assert_eq!(anonymous.get("/health/live").await.expect(200).text, "live");
    assert_eq!(anonymous.get("/health/ready").await.expect(200).text, "ready");
}

#[tokio::test]
async fn the_log_is_json_with_request_ids_and_without_what_was_said_or_any_key() {
    for filter in ["info", "info,voicera=trace"] {
        let mut cluster = Cluster::installation_with(&[("telemetry.log_filter", filter)]).await;
        let client = cluster.client();
        let secret_words = "abracadabra";
        let body =
            json!({"command": format!("show my {secret_words} grades"), "context": {"note": secret_words}});
        let headers = [("x-request-id", "request-of-the-test"), ("prefer", "wait=30")];
        client.post("/api/voice/process", &body, &headers).await.expect(200);
        let wrong = json!({"command": "hello", "context": secret_words, "language": secret_words});
        client.post("/api/voice/process", &wrong, &[]).await.expect(422);
        client.get(&format!("/api/voice/history?text={secret_words}")).await.expect(200);
        client.with_key("vk_wrong_key_of_somebody").get("/api/voice/history").await.expect(401);
        let key = cluster.key().unwrap();
        cluster.stop().await;

        let lines = cluster.log();
        for line in &lines {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            for member in ["timestamp", "level", "target"] {
                assert!(line[member].is_string(), "{member}: {line}");
            }
        }
        let log = lines.join("\n");
        assert!(log.contains("request-of-the-test"), "{log}");
        for secret in [secret_words, &key, "vk_wrong_key_of_somebody"] {
            assert!(!log.contains(secret), "{filter}: {secret} stands in the log");
        }
        assert!(!cluster.out().iter().any(|line| line.contains(secret_words)));
    }
}

#[tokio::test]
async fn told_to_stop_it_says_so_to_a_balancer_before_it_closes_the_door() {
    let mut cluster = Cluster::installation_with(&[("server.shutdown_delay", "2s")]).await;
    let client = cluster.client();
    cluster.entrance().terminate();
    let reply = wait::until("it is not ready", async || {
        let reply = client.get("/health/ready").await;
        (reply.status == 503).then_some(reply)
    })
    .await;
    assert_eq!(reply.text, "stopping");
    client.get("/health/live").await.expect(200);
    assert_eq!(client.ask("hello").await["intent"], "greeting", "who comes now is still answered");
    assert!(cluster.entrance().ended().await.success());
}

#[tokio::test]
async fn work_that_outlasts_the_grace_period_is_done_after_the_next_start() {
    let llm = LlmServer::start().await.unwrap();
    llm.otherwise(Behaviour::Hang);
    let mut cluster = Cluster::installation_with(&[
        ("llm.base_url", &llm.base_url()),
        ("voice.understanding.mode", "llm_first"),
        ("llm.deadline", "2m"),
        ("llm.attempt_timeout", "2m"),
        ("server.shutdown_grace", "500ms"),
    ])
    .await;
    let id = cluster.client().accept("show my grades").await;
    assert!(llm.received(cluster.workers().len() + 1).await, "a list of models for each, and the question");
    cluster.configure(&[("voice.understanding.mode", "local_only")]);
    cluster.restart().await;
    assert_eq!(cluster.client().settled(&id).await["result"]["intent"], "get_grades");
    assert_eq!(cluster.client().history().await.len(), 1);
}

/// The path and the body of one delivery.
type Delivered = (String, Vec<u8>);

/// Traces as a collector receives them.
#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<Delivered>>>);

impl Collector {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::clone(&self.0);
        let router = axum::Router::new().fallback(async move |uri: http::Uri, body: bytes::Bytes| {
            received.lock().unwrap().push((uri.path().to_owned(), body.to_vec()));
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn has(&self, words: &str) -> bool {
        let found = |body: &[u8]| body.windows(words.len()).any(|part| part == words.as_bytes());
        self.0.lock().unwrap().iter().any(|(_, body)| found(body))
    }
}

#[tokio::test]
async fn traces_go_to_the_collector_without_what_was_said() {
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let settings =
        [("telemetry.otlp_endpoint", endpoint.as_str()), ("telemetry.service_name", "voicera-of-the-test")];
    let mut cluster = Cluster::installation_with(&settings).await;
    let client = cluster.client();
    let body = json!({"command": "show my abracadabra grades"});
    let reply = client.post("/api/voice/process", &body, &[("prefer", "wait=30")]).await.expect(200);
    cluster.stop().await;

    let paths: BTreeSet<_> = collector.0.lock().unwrap().iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["/v1/traces"]);
    assert!(collector.has("voicera-of-the-test") && collector.has("/api/voice/process"));
    let trace = reply.header("traceparent").unwrap().split('-').nth(1).unwrap().to_owned();
    let bytes: Vec<u8> =
        (0..32).step_by(2).map(|at| u8::from_str_radix(&trace[at..at + 2], 16).unwrap()).collect();
    let sent = collector.0.lock().unwrap().iter().any(|(_, body)| body.windows(16).any(|part| part == bytes));
    assert!(sent, "the trace that the client was told is the one that was sent");
    assert!(!collector.has("abracadabra") && !collector.has(&cluster.key().unwrap()));
}

#[tokio::test]
async fn a_collector_that_is_away_stops_nothing() {
    let mut cluster = Cluster::installation_with(&[("telemetry.otlp_endpoint", "http://127.0.0.1:1")]).await;
    assert_eq!(cluster.client().ask("hello").await["intent"], "greeting");
    cluster.stop().await;
}
