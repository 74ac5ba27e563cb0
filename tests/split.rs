//! One process a role: the same answers as in one process, and none of the insides on view.

use serde_json::{Value, json};

use crate::support::Role::{Analytics, Gateway, Users, Voice};
use crate::support::cluster::SERVICE_KEY;
use crate::support::{Cluster, wait};

#[tokio::test]
async fn a_command_goes_the_same_way_through_four_processes() {
    let mut cluster = Cluster::start(&[Gateway, Voice, Users, Analytics]).await;
    let client = cluster.client();
    let reply = client.process("show my grades").await.expect(202);
    assert_eq!(reply.header("api-version"), Some("1"));
    let location = reply.header("location").unwrap().to_owned();
    let id = reply.json()["jobId"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/api/voice/status/{id}"));
    assert_eq!(client.settled(&id).await["result"]["intent"], "get_grades");

    let body = json!({"command": "hello"});
    let waited = client.post("/api/v1/voice/process", &body, &[("prefer", "wait=30")]).await.expect(200);
    assert_eq!(waited.header("preference-applied"), Some("wait=30"));
    assert_eq!(client.history().await.len(), 2);
    assert_eq!(client.read("/api/voice/stats").await["total"], 2);
    assert_eq!(client.read("/api/auth/me").await["name"], "owner");
    wait::until("analytics hears of both commands", async || {
        let counters = client.read("/api/analytics/real-time").await;
        (counters["allTime"]["commands"] == 2).then_some(())
    })
    .await;
    for role in [Voice, Users, Analytics, Gateway] {
        cluster.node(role).stop().await;
    }
}

#[tokio::test]
async fn every_service_checks_the_credential_again() {
    let cluster = Cluster::start(&[Gateway, Voice, Users, Analytics]).await;
    for (role, path) in [
        (Gateway, "/api/voice/history"),
        (Voice, "/api/voice/history"),
        (Users, "/api/auth/me"),
        (Analytics, "/api/analytics/real-time"),
    ] {
        let client = cluster.client_of(role);
        client.get(path).await.expect(200);
        client.anonymous().get(path).await.expect(401).problem();
        client.with_key("vk_wrong").get(path).await.expect(401).problem();
        let claimed = client.anonymous().request(reqwest::Method::GET, path).header("x-user-id", "owner");
        crate::support::Client::send(claimed).await.unwrap().expect(401);
    }
}

#[tokio::test]
async fn the_insides_are_for_the_services_alone() {
    let cluster = Cluster::start(&[Gateway, Voice, Users, Analytics]).await;
    let key = cluster.key().unwrap();
    let question = json!({"key": key});
    let nothing = json!({"id": "019bb0a3-3c00-7000-8000-000000000001", "events": []});
    for (role, path, body) in
        [(Users, "/internal/users/identify", &question), (Analytics, "/internal/analytics/record", &nothing)]
    {
        let client = cluster.client_of(role);
        client.anonymous().post(path, body, &[]).await.expect(403).problem();
        client.post(path, body, &[]).await.expect(403).problem();
        let inside = client.with_key(SERVICE_KEY).post(path, body, &[]).await;
        assert!(inside.status < 300, "{inside:?}");
        for body in [json!({"key": 7}), json!([7]), Value::Null] {
            let reply = client.with_key(SERVICE_KEY).post(path, &body, &[]).await;
            assert!(reply.status == 422 || reply.status < 300, "{path} {body}: {reply:?}");
        }
        for key in [key.as_str(), SERVICE_KEY] {
            let outside = cluster.client().with_key(key).post(path, body, &[]).await;
            assert_eq!(outside.status, 404, "the gateway knows no way to {path}: {outside:?}");
        }
    }
    let service = cluster.client().with_key(SERVICE_KEY);
    service.get("/api/voice/history").await.expect(401).problem();
}

#[tokio::test]
async fn without_a_peer_a_role_lives_but_is_not_ready_until_the_peer_comes() {
    let mut cluster = Cluster::start(&[Gateway, Voice, Analytics]).await;
    let client = cluster.client_of(Gateway);
    assert_eq!(client.get("/health/live").await.expect(200).text, "live");
    assert_eq!(client.get("/health/ready").await.expect(503).text, "not ready");
    assert_eq!(client.get("/health").await.expect(503).json()["status"], "down");
    let reply = cluster.client_of(Voice).with_key("vk_any").get("/api/voice/history").await.expect(503);
    assert_eq!(reply.problem()["code"], "unavailable");
    assert!(reply.header("retry-after").is_some(), "{reply:?}");

    cluster.launch(Users).await;
    cluster.ready().await;
    let client = cluster.client();
    client.get("/api/voice/history").await.expect(200);
    assert_eq!(client.ask("hello").await["intent"], "greeting");
}

#[tokio::test]
async fn a_service_that_is_killed_is_missed_and_comes_back_with_everything() {
    let mut cluster = Cluster::start(&[Gateway, Voice, Users, Analytics]).await;
    let client = cluster.client();
    client.ask("show my grades").await;
    cluster.node(Voice).kill9();
    let reply = client.process("hello").await.expect(503);
    assert_eq!(reply.problem()["code"], "unavailable");
    client.get("/health/live").await.expect(200);
    client.get("/health/ready").await.expect(503);
    client.get("/api/auth/me").await.expect(200);

    cluster.launch(Voice).await;
    cluster.ready().await;
    assert_eq!(client.ask("hello").await["intent"], "greeting");
    assert_eq!(client.history().await.len(), 2);
}

#[tokio::test]
async fn analytics_may_be_away_for_a_while_without_anyone_waiting() {
    let mut cluster = Cluster::start(&[Gateway, Voice, Users, Analytics]).await;
    let client = cluster.client();
    cluster.node(Analytics).kill9();
    assert_eq!(client.ask("hello").await["intent"], "greeting");
    cluster.launch(Analytics).await;
    cluster.ready().await;
    wait::until("the command is counted after all", async || {
        let counters = client.read("/api/analytics/real-time").await;
        (counters["allTime"]["commands"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_that_can_check_nobodys_credential_is_not_ready() {
    let mut cluster = Cluster::start(&[Voice, Analytics]).await;
    for role in [Voice, Analytics] {
        cluster.client_of(role).get("/health/live").await.expect(200);
        cluster.client_of(role).get("/health/ready").await.expect(503);
    }
    cluster.launch(Users).await;
    cluster.ready().await;
}
