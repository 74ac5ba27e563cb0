//! Commands and Node: its BullMQ workers answer what the API accepted, and the API knows what its producers
//! had answered.

use serde_json::{Value, json};

use crate::support::peers::Peer;
use crate::support::servers::REDIS;
use crate::support::{Behaviour, Client, Cluster, LlmServer};

/// One process with its commands on Redis, and what these tests want besides.
async fn with_commands_on_redis(prefix: &str, settings: &[(&str, &str)]) -> Cluster {
    let url = format!("redis://127.0.0.1:{}", REDIS.port());
    let mut all = vec![("redis.url", url.as_str()), ("redis.prefix", prefix)];
    all.extend([("voice.queue.kind", "bullmq"), ("voice.queue.prefix", prefix)]);
    all.extend_from_slice(settings);
    Cluster::single_with(&all).await
}

async fn peer(script: &str, prefix: &str, work: Value) -> Peer {
    let options = json!({"prefix": prefix, "queue": "voice", "work": work});
    let mut peer = Peer::start(script, REDIS.port(), options);
    peer.says("ready").await;
    peer
}

async fn entry(client: &Client, id: &str) -> Value {
    let history = client.history().await;
    let found: Vec<_> = history.into_iter().filter(|entry| entry["jobId"] == id).collect();
    assert_eq!(found.len(), 1, "once: {found:?}");
    found[0].clone()
}

#[tokio::test]
async fn a_command_that_a_node_worker_answered_is_read_back_like_any_other() {
    let llm = LlmServer::start().await.unwrap();
    llm.script([Behaviour::Hang]);
    let settings = [
        ("llm.base_url", llm.base_url()),
        ("llm.deadline", "5s".to_owned()),
        ("llm.attempt_timeout", "5s".to_owned()),
        ("voice.understanding.mode", "llm_first".to_owned()),
        ("voice.queue.concurrency", "1".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let cluster = with_commands_on_redis("node-works", &settings).await;
    let client = cluster.client();
    let held = client.accept("what takes Voicera long").await;
    assert!(llm.received(1).await, "its one worker is busy");

    let entities =
        json!([{"entity": "date", "value": "2026-11-24", "text": "tomorrow", "start": 10, "end": 18}]);
    let answer =
        json!({"intent": "set_reminder", "confidence": 0.5, "entities": entities, "reply": "From Node."});
    let mut node =
        peer("worker.mjs", "node-works", json!({"take": 300, "progress": [20], "value": answer})).await;
    let id = client.accept("remind me tomorrow").await;
    let begun = node.says("begun").await;
    assert_eq!((&begun["begun"], &begun["name"]), (&json!(id), &json!("voice.process")));
    assert_eq!(begun["data"]["payload"]["text"], "remind me tomorrow");

    let status = client.settled(&id).await;
    assert_eq!((&status["status"], &status["progress"]), (&json!("completed"), &json!(100)));
    let result = &status["result"];
    assert_eq!((&result["intent"], &result["confidence"]), (&json!("set_reminder"), &json!(0.5)));
    assert_eq!((&result["source"], &result["reply"]), (&json!("worker"), &json!("From Node.")));
    assert_eq!(result["entities"][0]["value"], "2026-11-24");
    let kept = entry(&client, &id).await;
    assert_eq!((&kept["command"], &kept["result"]), (&json!("remind me tomorrow"), result));
    assert_eq!(client.settled(&held).await["result"]["degraded"], true, "Voicera did the other by itself");
}

#[tokio::test]
async fn a_node_producers_command_is_answered_to_it_and_stands_in_the_history() {
    let cluster = with_commands_on_redis("node-asks", &[]).await;
    let client = cluster.client();
    let known = client.accept("hello").await;
    client.settled(&known).await;
    let owner = entry(&client, &known).await["userId"].clone();

    let mut node = peer("producer.mjs", "node-asks", Value::Null).await;
    let id = "018f4c2a-7c1e-7b3a-9d55-0123456789ab";
    let payload = json!({"text": "show my grades", "acceptedAt": "2026-11-23T08:00:00Z"});
    let opts = json!({"jobId": id, "priority": 3, "delay": 100, "attempts": 2});
    let job = json!({"name": "voice.process", "data": {"owner": owner, "payload": payload}, "opts": opts});
    node.tell(&json!({"add": job}));

    let told = node.until("the answer", |line| line["completed"] == id).await;
    assert_eq!(told["value"]["intent"], "get_grades");
    let status = client.settled(id).await;
    assert_eq!((&status["status"], &status["result"]), (&json!("completed"), &told["value"]));
    assert_eq!(entry(&client, id).await["command"], "show my grades");
}
