//! What clients are promised: the document, its examples, and the headers.

use std::path::Path;

use serde_json::json;

use crate::openapi::{document, operations};
use crate::support::{Client, Cluster, command};

#[test]
fn the_committed_document_is_that_of_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let printed = command::run(root, &["openapi"]).expect(0).out;
    let committed = std::fs::read_to_string(root.join("openapi.json")).unwrap_or_default();
    assert!(committed == printed, "openapi.json is not what the code says: run `just openapi` and commit it");
}

#[tokio::test]
async fn the_served_document_is_the_printed_one_in_openapi_3_1() {
    let cluster = Cluster::installation().await;
    let served = document(&cluster.client()).await;
    let printed = command::run(cluster.home(), &["openapi"]).expect(0).out;
    assert_eq!(served, serde_json::from_str::<serde_json::Value>(&printed).unwrap());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(printed.ends_with("}\n"));
}

#[tokio::test]
async fn every_example_of_a_request_works_when_it_is_sent() {
    let cluster = Cluster::installation_with(&[("users.registration", "open")]).await;
    let client = cluster.client();
    for operation in operations(&document(&client).await) {
        let mut request =
            client.request(operation.method.clone(), &operation.path_with(crate::openapi::NOBODY));
        for parameter in &operation.parameters {
            let Some(example) = parameter.get("example").filter(|_| parameter["in"] != "path") else {
                continue;
            };
            let (name, value) = (parameter["name"].as_str().unwrap(), example.as_str().unwrap());
            request = match parameter["in"].as_str() {
                Some("query") => request.query(&[(name, value)]),
                _ => request.header(name, value),
            };
        }
        if let Some(schema) = &operation.body {
            let example = operation.example();
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                assert!(example.get(name).is_some(), "{}: no example of {name}", operation.id);
            }
            request = request.json(&example);
        }
        let reply = Client::send(request).await.unwrap();
        assert!(operation.takes_well(reply.status), "{}: {reply:?}", operation.id);
    }
}

#[tokio::test]
async fn every_answer_has_the_version_and_the_callers_request_id() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    for path in ["/api/voice/history", "/api/voice/nothing", "/nowhere", "/health/live", "/api/openapi.json"]
    {
        let request = || client.request(reqwest::Method::GET, path);
        let reply = Client::send(request().header("x-request-id", "mine-42")).await.unwrap();
        assert_eq!(reply.header("api-version"), Some("1"), "{path}");
        assert_eq!(reply.header("x-request-id"), Some("mine-42"), "{path}");
        let long = Client::send(request().header("x-request-id", "x".repeat(4_000))).await.unwrap();
        assert_eq!(
            long.header("x-request-id").map(str::len),
            Some(36),
            "{path}: a fresh one for one that is too long"
        );
        let fresh = Client::send(request()).await.unwrap();
        assert_eq!(fresh.header("x-request-id").map(str::len), Some(36), "{path}");
    }
    let problem = client.anonymous().get("/api/voice/history").await.expect(401).problem();
    assert_eq!(problem["instance"], "/api/voice/history");
}

#[tokio::test]
async fn a_trace_of_the_caller_goes_on() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let request =
        |value: String| client.request(reqwest::Method::GET, "/health/live").header("traceparent", value);
    let reply = Client::send(request(format!("00-{trace}-{span}-01"))).await.unwrap();
    let answered: Vec<_> = reply.header("traceparent").unwrap().split('-').collect();
    assert_eq!([answered[0], answered[1], answered[3]], ["00", trace, "01"]);
    assert_ne!(answered[2], span, "a span of its own");
    for broken in [format!("00-{trace}"), "nonsense".to_owned(), format!("00-{}-{span}-01", "0".repeat(32))] {
        let reply = Client::send(request(broken)).await.unwrap();
        let fresh = reply.header("traceparent").unwrap();
        assert_eq!(fresh.len(), 55, "{fresh}");
        assert!(!fresh.contains(trace), "{fresh}");
    }
}

#[tokio::test]
async fn a_path_or_method_that_there_is_not_is_a_problem_document() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    assert_eq!(client.get("/nowhere").await.expect(404).problem()["code"], "not_found");
    assert_eq!(client.get("/api/voice/nowhere").await.expect(404).problem()["code"], "not_found");
    let reply = client.delete("/api/voice/history").await.expect(405);
    assert_eq!(reply.problem()["code"], "method_not_allowed");
    assert!(
        reply.header("allow").is_some_and(|methods| methods.contains("GET")),
        "RFC 9110 §15.5.6: {reply:?}"
    );
    let problem = client.post("/api/voice/process", &json!({"command": 7}), &[]).await.expect(422).problem();
    assert_eq!(problem["type"], "urn:voicera:problem:invalid");
    assert_eq!(problem["errors"][0]["field"], "command");
}

#[tokio::test]
async fn the_documentation_page_needs_no_other_server() {
    let cluster = Cluster::installation().await;
    let anonymous = cluster.client().anonymous();
    let page = anonymous.get("/docs/").await.expect(200).text;
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(!page.contains("https://") && !page.contains("//unpkg"), "{page}");
}
