//! How often a route may be asked.

use super::Routed;
use super::service::Service;

const LIMITS: &str = "limits = [\"few\", \"each\"]\n\
    [limits.few]\nper = \"route\"\nrequests = 1000\nwindow = \"1m\"\n\
    [limits.each]\nper = \"key\"\nrequests = 3\nwindow = \"1h\"\n";

#[tokio::test]
async fn replies_say_what_is_left_and_who_asks_too_often_is_told_when_to_come_back() {
    let service = Service::start("own").await;
    let routed = Routed::by(&service.routed("/own", LIMITS)).await;
    let client = routed.cluster.client();
    let first = client.get("/own").await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"few\";q=1000;w=60, \"each\";q=3;w=3600"));
    assert_eq!(first.header("ratelimit"), Some("\"few\";r=999;t=1, \"each\";r=2;t=1200"));
    assert_eq!(first.header("ratelimit-degraded"), None);
    client.get("/own").await.expect(200);
    client.get("/own").await.expect(200);
    let refused = client.get("/own").await.expect(429);
    assert_eq!(refused.problem()["code"], "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1_190..=1_200).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").unwrap().contains("\"each\";r=0;"), "{refused:?}");

    let body = serde_json::json!({"name": "another", "scopes": ["voice:read"]});
    let key = client.post("/api/users/keys", &body, &[]).await.expect(201).json();
    client.with_key(key["secret"].as_str().unwrap()).get("/own").await.expect(200);
}

#[tokio::test]
async fn routes_of_voiceras_own_are_limited_per_caller_as_they_come() {
    let routed = Routed::by("[limits.principal]\nrequests = 2\nwindow = \"1h\"\n").await;
    let client = routed.cluster.client();
    client.get("/api/voice/languages").await.expect(200);
    client.get("/api/auth/me").await.expect(200);
    let refused = client.get("/api/voice/languages").await.expect(429);
    assert_eq!(refused.header("ratelimit-policy"), Some("\"principal\";q=2;w=3600"));
    client.anonymous().get("/.well-known/jwks.json").await.expect(200);
}
