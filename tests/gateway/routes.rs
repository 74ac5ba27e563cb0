//! Routes to services that are not Voicera's.

use reqwest::Method;
use serde_json::json;

use super::Routed;
use super::service::Service;
use crate::support::Client;
use crate::support::command::run;
use crate::support::raw::exchange;

#[tokio::test]
async fn a_service_is_asked_under_a_path_of_its_own_by_callers_that_were_checked() {
    let service = Service::start("billing").await;
    let routed =
        Routed::by(&service.routed("/api/billing", "rewrite = \"/v2\"\nscopes = [\"voice:read\"]")).await;
    let client = routed.cluster.client();
    let refused = client.anonymous().get("/api/billing/invoices").await.expect(401);
    assert_eq!(refused.problem()["code"], "unauthorized");

    let request = client
        .request(Method::POST, "/api/billing/invoices?year=2026&q=a%2Fb")
        .header("x-forwarded-for", "198.51.100.7")
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .body("an invoice");
    let told = Client::send(request).await.unwrap().expect(200).json();
    assert_eq!(told["uri"], "/v2/invoices?year=2026&q=a%2Fb");
    assert_eq!((&told["method"], &told["body"]), (&json!("POST"), &json!("an invoice")));
    let headers = &told["headers"];
    assert_eq!(headers["x-forwarded-for"], "198.51.100.7", "this machine is a trusted proxy");
    assert_eq!(headers.get("x-mine"), None, "what belongs to one connection goes no further");
    assert!(headers["traceparent"].is_string() && headers["x-request-id"].is_string(), "{headers}");
    assert_eq!(client.read("/api/v1/billing").await["uri"], "/v2", "a version is taken off first");
}

#[tokio::test]
async fn a_route_asks_for_its_methods_its_host_and_its_headers() {
    let service = Service::start("any").await;
    let more = "methods = [\"GET\", \"PUT\"]\nhosts = [\"*.example.org\"]\nheaders = { x-tenant = \"acme\" }\nauth = \"none\"";
    let routed = Routed::by(&service.routed("/own", more)).await;
    let client = routed.cluster.client().anonymous();
    let ask = async |method: Method, host: &str, tenant: &str| {
        let request = client.request(method, "/own/x").header("host", host).header("x-tenant", tenant);
        Client::send(request).await.unwrap()
    };
    ask(Method::GET, "api.example.org", "acme").await.expect(200);
    ask(Method::GET, "api.example.org:8080", "acme").await.expect(200);
    for (host, tenant) in [("example.org", "acme"), ("api.example.com", "acme"), ("api.example.org", "other")]
    {
        assert_eq!(ask(Method::GET, host, tenant).await.expect(404).problem()["code"], "not_found");
    }
    let refused = ask(Method::DELETE, "api.example.org", "acme").await.expect(405);
    assert_eq!(refused.header("allow"), Some("GET, PUT"));
}

#[tokio::test]
async fn a_route_that_ends_says_so_and_bounds_its_bodies() {
    let service = Service::start("old").await;
    let more =
        "auth = \"optional\"\ndeprecated = \"2026-12-01\"\nsunset = \"2027-06-01\"\nmax_body_bytes = 100";
    let routed = Routed::by(&service.routed("/old", more)).await;
    let client = routed.cluster.client();
    let reply = client.anonymous().get("/old").await.expect(200);
    assert_eq!(reply.header("deprecation"), Some("@1796083200"));
    assert_eq!(reply.header("sunset"), Some("Tue, 01 Jun 2027 00:00:00 GMT"));
    client.with_key("vk_nobody").get("/old").await.expect(401);
    let with = |bytes: usize| Client::send(client.request(Method::POST, "/old").body("a".repeat(bytes)));
    with(100).await.unwrap().expect(200);
    assert_eq!(with(101).await.unwrap().expect(413).problem()["code"], "payload_too_large");
}

#[tokio::test]
async fn paths_that_two_could_read_differently_reach_nobody() {
    let service = Service::start("any").await;
    let routed = Routed::by(&service.routed("/own", "auth = \"none\"")).await;
    let client = routed.cluster.client();
    for path in [
        "/own/../api/users",
        "/own/..",
        "/own/%2e%2e/api/users",
        "/own/.%2E/x",
        "/own//x",
        "//own",
        "/own/%2Fx",
        "/own%5cx",
        "/own/x%00",
        "/own/./x",
    ] {
        let bytes = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes();
        let answer = exchange(&client, bytes).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("malformed"), "{path}: {answer}");
    }
    assert_eq!(client.read("/own/a.b/..c/%20").await["uri"], "/own/a.b/..c/%20");
}

#[tokio::test]
async fn whoever_may_sees_everybody_behind_the_gateway() {
    let service = Service::start("own").await;
    let routed = Routed::by(&service.routed("/own", "")).await;
    let client = routed.cluster.client();
    client.read("/own").await;
    let seen = client.read("/api/gateway/upstreams").await;
    let named =
        |name: &str| seen["upstreams"].as_array().unwrap().iter().find(|up| up["name"] == name).unwrap();
    assert_eq!(named("voice")["kind"], "module");
    let own = named("own");
    assert_eq!((&own["kind"], &own["breaker"]), (&json!("servers"), &json!("closed")));
    assert_eq!(own["endpoints"][0]["ready"], true);
    assert!(own["endpoints"][0]["ewmaMs"].as_f64().unwrap() > 0.0, "{own}");
    assert_eq!(client.read("/api/v1/gateway/upstreams").await["upstreams"].as_array().unwrap().len(), 4);

    client.anonymous().get("/api/gateway/upstreams").await.expect(401);
    let key = json!({"name": "reader", "scopes": ["voice:read"]});
    let narrow = client.post("/api/users/keys", &key, &[]).await.expect(201).json();
    let narrow = client.with_key(narrow["secret"].as_str().unwrap());
    assert_eq!(narrow.get("/api/gateway/upstreams").await.expect(403).problem()["code"], "forbidden");
}

#[tokio::test]
async fn health_is_answered_while_all_places_are_taken() {
    let service = Service::start("slow").await;
    let routed = Routed::with(&service.routed("/own", ""), &[("gateway.max_in_flight", "1")]).await;
    let client = routed.cluster.client();
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.get("/own/held").await }
    });
    service.asked().await;
    let refused = client.get("/own").await.expect(503);
    assert_eq!(refused.problem()["code"], "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    client.get("/health/ready").await.expect(200);
    client.get("/api/gateway/upstreams").await.expect(200);
    service.let_go();
    held.await.unwrap().expect(200);
    client.get("/own").await.expect(200);
}

#[test]
fn a_file_is_checked_before_anybody_relies_on_it() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("routes.toml");
    std::fs::write(&file, "[upstreams.billing]\naddresses = [\"http://b:1\"]\n[routes.billing]\nprefix = \"/api/billing\"\nupstream = \"billing\"\nmethods = [\"GET\"]\n").unwrap();
    let checked = run(home.path(), &["gateway", "check", "routes.toml"]).expect(0);
    assert!(checked.out.contains("no mistakes"), "{checked:?}");
    let line = checked.out.lines().find(|line| line.starts_with("billing")).unwrap();
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>(),
        ["billing", "GET", "/api/billing", "billing", "required", "-"]
    );
    std::fs::write(&file, "[routes.billing]\nprefix = \"billing\"\nupstream = \"billing\"\n").unwrap();
    let refused = run(home.path(), &["gateway", "check", "routes.toml"]).expect(2);
    for said in ["routes.billing.prefix", "routes.billing.upstream", "routes.toml", "fix:"] {
        assert!(refused.err.contains(said), "{refused:?}");
    }
    run(home.path(), &["gateway", "check"]).expect(0);
    let missing = run(home.path(), &["gateway", "check", "nowhere.toml"]).expect(2);
    assert!(missing.err.contains("nowhere.toml"), "{missing:?}");
}
