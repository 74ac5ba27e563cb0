//! What an operator sees of one process: its metrics, and its end.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Behaviour, Client, Cluster, LlmServer, wait};

#[tokio::test]
async fn metrics_are_prometheus_text_and_have_the_documented_families() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = Cluster::single_with(&[("llm.base_url", &llm.base_url())]).await;
    let client = cluster.client();
    client.ask("show my grades").await;
    client.ask("show my grades").await;
    client.ask(crate::http::llm::STRANGE).await;
    client.get("/nowhere").await;
    let reply = client.anonymous().get("/metrics").await.expect(200);
    assert!(
        reply.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")),
        "{:?}",
        reply.headers
    );

    let families = families(&reply.text);
    for (name, kind) in [
        ("voicera_http_requests_total", "counter"),
        ("voicera_http_request_duration_seconds", "histogram"),
        ("voicera_queue_jobs", "gauge"),
        ("voicera_queue_oldest_waiting_seconds", "gauge"),
        ("voicera_queue_attempts_total", "counter"),
        ("voicera_voice_commands_total", "counter"),
        ("voicera_voice_command_duration_seconds", "histogram"),
        ("voicera_voice_stage_duration_seconds", "histogram"),
        ("voicera_voice_cache_requests_total", "counter"),
        ("voicera_llm_calls_total", "counter"),
        ("voicera_llm_call_duration_seconds", "histogram"),
        ("voicera_llm_tokens_total", "counter"),
        ("voicera_llm_breaker_state", "gauge"),
        ("process_cpu_seconds_total", "counter"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_open_fds", "gauge"),
    ] {
        assert_eq!(families.get(name).map(String::as_str), Some(kind), "{name}: {families:?}");
    }
    assert_eq!(client.metric("voicera_voice_commands_total", "source=\"local\"").await, 1);
    assert_eq!(client.metric("voicera_voice_commands_total", "source=\"cache\"").await, 1);
    assert_eq!(client.metric("voicera_http_requests_total", "route=\"/api/voice/process\"").await, 3);
    for words in ["grades", "monkey"] {
        assert!(!reply.text.contains(words), "no label carries what was said");
    }
}

/// Every family with its type; fails on a line that Prometheus could not read.
fn families(text: &str) -> BTreeMap<String, String> {
    let mut families = BTreeMap::new();
    let mut series = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned(), kind.to_owned()).is_none(), "declared twice: {line}");
            continue;
        }
        if line.starts_with('#') {
            assert!(line.starts_with("# HELP "), "{line}");
            continue;
        }
        let (id, value) = line.rsplit_once(' ').expect(line);
        value.parse::<f64>().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(series.insert(id), "the series is there twice: {line}");
        let name = id.split('{').next().unwrap();
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'), "{line}");
        assert!(id.len() == name.len() || id.ends_with("\"}"), "{line}");
        let known = ["", "_bucket", "_sum", "_count"]
            .iter()
            .any(|end| name.strip_suffix(end).is_some_and(|family| families.contains_key(family)));
        assert!(known, "no type for {line}");
    }
    families
}

#[tokio::test]
async fn told_to_stop_it_answers_who_is_waiting_and_takes_nobody_new() {
    let llm = LlmServer::start().await.unwrap();
    llm.otherwise(Behaviour::Hang);
    let mut cluster = Cluster::single_with(&[
        ("llm.base_url", &llm.base_url()),
        ("voice.understanding.mode", "llm_first"),
        ("llm.deadline", "4s"),
        ("llm.attempt_timeout", "4s"),
    ])
    .await;
    let client = cluster.client();
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.ask("hello").await }
    });
    assert!(llm.received(2).await, "the list of models, and the question");
    cluster.all().terminate();
    wait::until("new connections are refused", async || {
        let fresh = Client::new(client.base(), None);
        Client::send(fresh.request(reqwest::Method::GET, "/health/ready")).await.is_err().then_some(())
    })
    .await;
    assert_eq!(cluster.all().poll(), None, "it still works for who is waiting");
    let answer = asked.await.unwrap();
    assert_eq!(answer["degraded"], true, "{answer}");
    assert!(cluster.all().ended().await.success());
    assert!(cluster.all().err.text().contains("stopped"));
}
