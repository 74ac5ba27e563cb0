//! Hostile bodies on every endpoint: refused with the field and the reason, never a 5xx.

use reqwest::{Body, Method, RequestBuilder};
use serde_json::{Value, json};

use super::hostile::{everything, fair};
use crate::openapi::{NOBODY, Operation};
use crate::support::raw::exchange;
use crate::support::{Client, Cluster};

const DEEP: usize = 100_000;

/// JSON values that a member may not expect, as they stand in a document.
fn values() -> Vec<String> {
    let mut values: Vec<String> = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e400",
        "-1e-400",
        "18446744073709551616",
        "-9223372036854775809",
        "\"\"",
        "\" \"",
        "\"x\"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\uD83D\\uDCA5\"",
        "[]",
        "[null]",
        "[[]]",
        "{}",
        "{\"\":null}",
        "{\"\\u0000\":\"\\u0000\"}",
        "\"'; DROP TABLE commands; --\"",
        "\"%s%n${jndi:x}{{x}}\"",
        "\"\\u202e\\u200b\\ufeff\"",
    ]
    .map(str::to_owned)
    .into();
    values.push(format!("\"{}\"", "a".repeat(DEEP)));
    values.push(format!("\"{}\"", "é".repeat(2_001)));
    values.push(format!("\"{}\"", "e\u{301}".repeat(900)));
    values.push(nested("[", "]", DEEP));
    values.push(nested("{\"a\":", "}", DEEP).replacen("{\"a\":}", "{}", 1));
    values.push(format!("{{\"a\":{}}}", nested("[", "]", 120)));
    values
        .push(format!("{{{}}}", (0..3_000).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(",")));
    values
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

fn json_request(client: &Client, operation: &Operation, body: impl Into<Body>) -> RequestBuilder {
    client
        .request(operation.method.clone(), &operation.path_with(NOBODY))
        .header("content-type", "application/json")
        .body(body)
}

fn brief(operation: &Operation, body: &str) -> String {
    format!("{} with {}", operation.id, body.chars().take(120).collect::<String>())
}

#[tokio::test]
async fn a_member_of_a_wrong_type_or_size_is_named() {
    let (_cluster, client, all) = everything().await;
    for operation in all.iter().filter(|operation| operation.body.is_some()) {
        let example = operation.example();
        for (name, value) in
            operation.members().keys().flat_map(|name| values().into_iter().map(move |v| (name, v)))
        {
            let rest = example.as_object().unwrap().iter().filter(|(other, _)| *other != name);
            let rest: Vec<_> = rest.map(|(name, value)| format!(",\"{name}\":{value}")).collect();
            let body = format!("{{\"{name}\":{value}{}}}", rest.concat());
            let what = brief(operation, &body);
            let reply = fair(json_request(&client, operation, body), &what).await;
            let is_read = operation.takes_well(reply.status) || matches!(reply.status, 400 | 422);
            assert!(is_read, "{what}: {reply:?}");
            if reply.status == 422 {
                let field = reply.json()["errors"][0]["field"].as_str().unwrap_or_default().to_owned();
                let inside = field.strip_prefix(name.as_str());
                let is_it = inside.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
                // A token that is nobody's may be found out first.
                let is_token = field == "token" && operation.takes_well(422);
                assert!(is_it || is_token, "{what} names {field}");
            }
        }
        for name in operation.body.as_ref().unwrap()["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap();
            let mut body = example.clone();
            body.as_object_mut().unwrap().remove(name);
            let reply =
                fair(json_request(&client, operation, body.to_string()), &operation.id).await.expect(422);
            assert!(reply.text.contains(name), "{}: it says that {name} is missing: {reply:?}", operation.id);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let (_cluster, client, all) = everything().await;
    let deep_array = nested("[", "]", DEEP);
    let deep_open = "[".repeat(DEEP);
    let deep_object = nested("{\"a\":", "}", DEEP);
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "{}",
        "[]",
        "null",
        "true",
        "7",
        "\"x\"",
        "{\"command\"",
        "{\"command\":",
        "{\"command\":\"x\"",
        "{\"command\":\"x\"}}",
        "{\"command\":\"x\"} x",
        "{\"command\":\"x\",}",
        "{'command':'x'}",
        "{command:\"x\"}",
        "{\"command\":\"x\",\"command\":\"y\"}",
        "{\"command\":\"a\nb\"}",
        "<xml/>",
        "command=x",
        "\u{feff}{\"command\":\"x\"}",
        "{\"command\":NaN}",
        "// c\n{}",
        &deep_array,
        &deep_open,
        &deep_object,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    bodies.extend([
        vec![0; 1_000],
        vec![0xff; 1_000],
        b"{\"command\":\"\xff\xfe\"}".to_vec(),
        b"{\"command\":\"\xc3\"}".to_vec(),
        b"{\"command\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"command\":\"a\0b\"}".to_vec(),
        "{\"command\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ]);
    for operation in &all {
        for body in &bodies {
            let what = brief(operation, &String::from_utf8_lossy(body));
            let reply = fair(json_request(&client, operation, body.clone()), &what).await;
            if let Some(schema) = &operation.body {
                // Where no member is required, an object without any is a body, and so may none be.
                if matches!(body.as_slice(), b"{}" | b"null") && schema.get("required").is_none() {
                    continue;
                }
                // Who may not ask at all, or about nothing, is told that first.
                let is_refused = matches!(reply.status, 400 | 403 | 404 | 422 | 429);
                assert!(is_refused, "{what}: {reply:?}");
            }
        }
    }
}

#[tokio::test]
async fn depth_in_what_is_not_read_does_no_harm() {
    let cluster = Cluster::installation().await;
    let client = cluster.client();
    for deep in [nested("[", "]", DEEP), nested("{\"a\":", "0}", 1).replacen("0}", &"[".repeat(DEEP), 1)] {
        let body = format!("{{\"command\":\"hello\",\"extra\":{deep}}}");
        let request =
            client.request(Method::POST, "/api/voice/process").header("content-type", "application/json");
        fair(request.body(body), "a deep member that nobody reads").await;
    }
    let body: Value = serde_json::from_str(&format!("{{\"a\":{}}}", nested("[", "]", 100))).unwrap();
    let result = client.ask_as(&json!({"command": "hello", "context": body})).await;
    assert_eq!(result["intent"], "greeting", "a context may be deep, within reason");
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let (_cluster, client, all) = everything().await;
    for operation in all.iter().filter(|operation| operation.body.is_some()) {
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonx",
            "json",
            "",
            "\u{80}",
        ] {
            let request = client
                .request(operation.method.clone(), &operation.path_with(NOBODY))
                .header("content-type", media_type.as_bytes())
                .body(operation.example().to_string());
            fair(request, media_type).await.expect(415);
        }
        let request = client
            .request(operation.method.clone(), &operation.path_with(NOBODY))
            .body(operation.example().to_string());
        fair(request, "no media type").await.expect(415);
        for media_type in
            ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.voicera+json"]
        {
            let request = client
                .request(operation.method.clone(), &operation.path_with(NOBODY))
                .header("content-type", media_type);
            let reply = fair(request.body(operation.example().to_string()), media_type).await;
            assert!(operation.takes_well(reply.status), "{media_type}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn eleven_megabytes_are_refused_with_or_without_a_length() {
    let (cluster, client, all) = everything().await;
    let key = cluster.key().unwrap();
    let body = format!("{{\"command\":\"{}\"}}", "a".repeat(11 << 20));
    let chunks = format!("100000\r\n{}\r\n", "a".repeat(1 << 20)).repeat(11);
    for operation in &all {
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n",
            operation.method,
            operation.path_with(NOBODY),
        );
        let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        let chunked = format!(
            "{head}transfer-encoding: chunked\r\n\r\n12\r\n{{\"command\":\"hello \r\n{chunks}0\r\n\r\n"
        );
        for (way, request) in [("whole", whole), ("chunked", chunked)] {
            let answer = exchange(&client, request.into_bytes()).await;
            let what = format!("{}, {way}: {}", operation.id, answer.chars().take(500).collect::<String>());
            let status: u16 = answer.get(9..12).and_then(|status| status.parse().ok()).expect(&what);
            assert!((200..500).contains(&status), "{what}");
            assert!(status < 400 || answer.contains("content-type: application/problem+json"), "{what}");
            assert!(operation.body.is_none() || status == 413, "{what}");
        }
    }
    client.get("/health/ready").await.expect(200);
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_spoil_the_next_request_on_the_connection() {
    let cluster = Cluster::installation().await;
    let first = format!(
        "POST /health/live HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n{}",
        "a".repeat(300_000)
    );
    let second = "GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = exchange(&cluster.client(), (first + second).into_bytes()).await.to_lowercase();
    let told = answer.split("\r\n\r\n").next().unwrap().contains("connection: close");
    assert!(told || answer.contains("http/1.1 200"), "neither announced nor answered: {answer}");
}
