//! Commands: accepted, answered, found again.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::support::{Behaviour, Client, Cluster, LlmServer, wait};

#[tokio::test]
async fn a_command_is_accepted_then_answered_then_in_the_history() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();

    let reply = client.process("show my grades").await.expect(202);
    let accepted = reply.json();
    let id = accepted["jobId"].as_str().unwrap();
    assert_eq!(reply.header("location"), Some(format!("/api/voice/status/{id}").as_str()));
    assert_eq!(accepted["status"], "waiting");
    assert_eq!(accepted["message"], "accepted");

    let status = client.settled(id).await;
    assert_eq!(status["status"], "completed");
    assert_eq!(status["progress"], 100);
    assert_eq!(status["error"], Value::Null);
    assert_eq!(status["result"]["intent"], "get_grades");
    assert_eq!(status["result"]["source"], "local");
    assert_eq!(status["result"]["degraded"], false);

    let history = client.history().await;
    assert_eq!(history.len(), 1, "{history:?}");
    assert_eq!(history[0]["jobId"], id);
    assert_eq!(history[0]["command"], "show my grades");
    assert_eq!(history[0]["result"], status["result"]);
}

#[tokio::test]
async fn who_prefers_to_wait_has_the_answer_in_the_reply() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let body = json!({"command": "hello"});
    let reply = client.post("/api/voice/process", &body, &[("prefer", "wait=10")]).await.expect(200);
    assert_eq!(reply.header("preference-applied"), Some("wait=10"));
    let answer = reply.json();
    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["result"]["intent"], "greeting");
    assert_eq!(answer["message"], answer["result"]["reply"]);
    assert_eq!(client.status(answer["jobId"].as_str().unwrap()).await["result"], answer["result"]);
}

#[tokio::test]
async fn what_nobody_taught_it_has_the_intent_none() {
    let cluster = Cluster::installation().await;
    let result = cluster.client().ask("purple monkey dishwasher quantum").await;
    assert_eq!(result["intent"], "none");
    assert_eq!(result["degraded"], false);
}

async fn send(client: &Client, key: &str, body: &Value) -> crate::support::Reply {
    client.post("/api/voice/process", body, &[("idempotency-key", key)]).await
}

#[tokio::test]
async fn a_command_sent_again_under_its_key_is_the_same_command() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let body = json!({"command": "show my grades", "sessionId": "s-1"});

    // The look for an earlier request may already find this one's own answer.
    let first = send(&client, "key-1", &body).await;
    assert!(matches!(first.status, 200 | 202), "{first:?}");
    let first = first.json();
    client.settled(first["jobId"].as_str().unwrap()).await;
    let again = send(&client, "key-1", &body).await.expect(200).json();
    assert_eq!(again["jobId"], first["jobId"]);
    assert_eq!(again["status"], "completed");
    let quoted = send(&client, "\"key-1\"", &body).await.expect(200).json();
    assert_eq!(quoted["jobId"], first["jobId"]);

    for other in [json!({"command": "hello", "sessionId": "s-1"}), json!({"command": "show my grades"})] {
        let problem = send(&client, "key-1", &other).await.expect(422).problem();
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    let other = send(&client, "key-2", &body).await.json();
    assert_ne!(other["jobId"], first["jobId"]);
    client.settled(other["jobId"].as_str().unwrap()).await;
    assert_eq!(client.history().await.len(), 2);
}

#[tokio::test]
async fn thirty_two_at_once_under_one_key_are_one_command() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let body = json!({"command": "show my grades"});
    let replies = join_all((0..32).map(|_| send(&client, "same", &body))).await;
    let first = replies[0].json()["jobId"].clone();
    for reply in &replies {
        assert!(matches!(reply.status, 200 | 202), "{reply:?}");
        assert_eq!(reply.json()["jobId"], first);
    }
    client.settled(first.as_str().unwrap()).await;
    assert_eq!(client.history().await.len(), 1);
}

/// Workers that answer one command at a time, the first not before its language model gives up.
async fn one_at_a_time() -> (Cluster, LlmServer) {
    let llm = LlmServer::start().await.unwrap();
    llm.otherwise(Behaviour::Hang);
    let cluster = Cluster::installation_with(&[
        ("llm.base_url", &llm.base_url()),
        ("llm.attempt_timeout", "10s"),
        ("llm.deadline", "10s"),
        ("voice.understanding.mode", "llm_first"),
        ("voice.queue.concurrency", "1"),
    ])
    .await;
    (cluster, llm)
}

#[tokio::test]
async fn a_command_that_waits_can_be_cancelled_and_one_that_runs_cannot() {
    let (cluster, llm) = one_at_a_time().await;
    let client = cluster.client();
    let mut running = String::new();
    for worker in 0..cluster.workers().len() {
        running = client.accept(&format!("hello {worker}")).await;
        wait::until("the first commands are worked on", async || {
            (client.status(&running).await["status"] == "active").then_some(())
        })
        .await;
    }
    let waiting = client.accept("show my grades").await;
    assert_eq!(client.status(&waiting).await["status"], "waiting");

    let path = |id: &str| format!("/api/voice/jobs/{id}");
    client.delete(&path(&waiting)).await.expect(204);
    let status = client.status(&waiting).await;
    assert_eq!(status["status"], "failed");
    assert_eq!(status["error"]["code"], "cancelled");
    assert_eq!(client.delete(&path(&waiting)).await.expect(409).problem()["code"], "conflict");
    assert_eq!(client.delete(&path(&running)).await.expect(409).problem()["code"], "conflict");
    client.delete(&path("01890a5d-ac96-774b-bcce-b302099a8057")).await.expect(404).problem();

    // The server goes away: the trained model answers, and the cancelled command stays cancelled.
    drop(llm);
    assert_eq!(client.settled(&running).await["result"]["degraded"], true);
    wait::until("every command is in the history", async || {
        (client.history().await.len() == cluster.workers().len() + 1).then_some(())
    })
    .await;
    let history = client.history().await;
    let ends: Vec<_> = history.iter().map(|command| command["status"].as_str().unwrap()).collect();
    assert_eq!(ends[0], "failed");
    assert!(ends[1..].iter().all(|end| *end == "completed"), "{ends:?}");
}

#[tokio::test]
async fn a_client_that_leaves_while_it_cancels_loses_no_command() {
    let (cluster, llm) = one_at_a_time().await;
    let client = cluster.client();
    let key = cluster.key().unwrap();
    let mut ids = vec![client.accept("hello").await];
    for number in 0..40 {
        ids.push(client.accept(&format!("show my grades {number}")).await);
    }
    for id in &ids[1..] {
        let request = format!("DELETE /api/voice/jobs/{id} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\r\n");
        let mut connection =
            tokio::net::TcpStream::connect(client.base().trim_start_matches("http://")).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        drop(connection);
    }
    drop(llm);
    for id in &ids {
        client.settled(id).await;
    }
    assert_eq!(client.history().await.len(), ids.len());
}

#[tokio::test]
async fn version_one_is_the_same_api_pinned() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let body = json!({"command": "hello"});
    let reply = client.post("/api/v1/voice/process", &body, &[("prefer", "wait=30")]).await.expect(200);
    assert_eq!(reply.header("api-version"), Some("1"));
    let id = reply.json()["jobId"].as_str().unwrap().to_owned();
    assert_eq!(client.read(&format!("/api/v1/voice/status/{id}")).await["status"], "completed");
    assert_eq!(
        client.read("/api/v1/voice/history?limit=1").await,
        client.read("/api/voice/history?limit=1").await
    );
    client.get("/api/v2/voice/history").await.expect(404).problem();
}

#[tokio::test]
async fn clients_of_the_system_before_this_one_keep_working() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let stranger = "11111111-2222-4333-8444-555555555555";
    let body = json!({
        "command": "show my grades", "context": {"page": "dashboard"}, "userId": stranger,
        "sessionId": "session-7", "language": "en",
    });
    let reply = client.post("/api/voice/process", &body, &[]).await.expect(202).json();
    for member in ["jobId", "status", "message"] {
        assert!(reply[member].is_string(), "{member}: {reply}");
    }
    let status = client.settled(reply["jobId"].as_str().unwrap()).await;
    for member in ["jobId", "status", "progress", "result", "error"] {
        assert!(status.get(member).is_some(), "{member}: {status}");
    }
    // The user comes from the credential, never from the body.
    let command = client.history().await.remove(0);
    let me = client.read("/api/auth/me").await;
    assert_eq!(command["userId"], me["userId"]);
    assert_ne!(command["userId"], stranger);
    assert_eq!(command["sessionId"], "session-7");
}

#[tokio::test]
async fn the_languages_are_those_of_the_training_data() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let languages = client.read("/api/voice/languages").await;
    let english = languages["languages"].as_array().unwrap().iter().find(|language| language["code"] == "en");
    let intents = english.unwrap()["intents"].as_array().unwrap();
    for intent in ["get_courses", "get_grades", "get_assignments", "get_schedule", "study_help", "greeting"] {
        assert!(intents.contains(&json!(intent)), "{intent}: {intents:?}");
    }
    assert_eq!(languages["modelVersion"], client.ask("hello").await["modelVersion"]);
}
