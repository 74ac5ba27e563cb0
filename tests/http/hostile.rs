//! Hostile parameters, paths, methods and headers on every endpoint: a problem document, never a
//! 5xx, never a panic.

use reqwest::{Method, RequestBuilder};

use crate::openapi::{NOBODY, Operation, document, operations};
use crate::support::{Client, Cluster, Reply};

/// An answer that hostile input may get: something that works, or a 4xx problem document.
#[track_caller]
pub fn is_fair(reply: &Reply, what: &str) {
    assert!(reply.status < 500, "{what}: {reply:?}");
    if reply.status >= 400 {
        reply.problem();
    }
}

/// Sends it; the answer has to be fair.
pub async fn fair(request: RequestBuilder, what: &str) -> Reply {
    let reply = Client::send(request).await.unwrap_or_else(|error| panic!("{what}: no answer: {error:?}"));
    is_fair(&reply, what);
    reply
}

/// A server, a client of it, and everything that it can be asked.
pub async fn everything() -> (Cluster, Client, Vec<Operation>) {
    let cluster = Cluster::installation_with(&[("users.registration", "open")]).await;
    // Some bodies are never read, and their connection is closed then.
    let client = cluster.client().unpooled();
    let all = operations(&document(&client).await);
    (cluster, client, all)
}

/// Values that no parameter expects, percent-encoded.
const VALUES: [&str; 28] = [
    "",
    "-1",
    "0",
    "1e3",
    "NaN",
    "Infinity",
    "-0",
    "+1",
    "1.5",
    "4294967296",
    "99999999999999999999999999",
    "-9223372036854775809",
    "true",
    "null",
    "%00",
    "a%00b",
    "%ff%fe",
    "%ED%A0%80",
    "%",
    "%zz",
    "%F0%9F%92%A5",
    "%27%20OR%201%3D1%20--",
    "%25%25%25_%5F",
    "..%2F..%2Fetc%2Fpasswd",
    "2026-13-45T99:99:99Z",
    "-999999-01-01T00:00:00Z",
    "9999-12-31T23:59:60.999999999999Z",
    "00000000000000000000000000000000000000000000000f",
];

#[tokio::test]
async fn hostile_query_parameters_are_refused_by_name_or_ignored() {
    let (_cluster, client, all) = everything().await;
    let long = "a".repeat(30_000);
    for operation in &all {
        let path = operation.path_with(NOBODY);
        let mut names = operation.parameters_in("query");
        names.push("unknown".to_owned());
        for name in &names {
            for value in VALUES.iter().copied().chain([long.as_str()]) {
                let query = format!("{path}?{name}={value}");
                let what = format!("{} {}", operation.method, &query[..query.len().min(200)]);
                let request = client.request(operation.method.clone(), &query).json(&operation.example());
                let reply = fair(request, &what).await;
                if reply.status == 422 && name != "unknown" {
                    let field = reply.json()["errors"][0]["field"].as_str().unwrap_or_default().to_owned();
                    assert!(field == *name || field == "query", "{what} names {field}");
                }
            }
            let twice = format!("{path}?{name}=1&{name}=2");
            fair(client.request(operation.method.clone(), &twice).json(&operation.example()), &twice).await;
        }
        for odd in ["&&&&", "=", "=&=", "%3D%26", "a[]=1&a[b]=2", &"x=1&".repeat(5_000)] {
            fair(client.request(operation.method.clone(), &format!("{path}?{odd}")), "an odd query").await;
        }
    }
}

#[tokio::test]
async fn a_cursor_that_this_server_never_gave_is_refused() {
    let (_cluster, client, _) = everything().await;
    let zeros = "0".repeat(48);
    let huge = format!("7{}{}", "f".repeat(15), "0".repeat(32));
    let over = "f".repeat(48);
    let signed = format!("-{}", "0".repeat(47));
    for cursor in [huge.as_str(), &over, "x", "%00", &"a".repeat(48), &"é".repeat(24), &signed] {
        let reply = client.get(&format!("/api/voice/history?cursor={cursor}")).await;
        assert!(matches!(reply.status, 200 | 422), "{cursor}: {reply:?}");
        is_fair(&reply, cursor);
    }
    client.get(&format!("/api/voice/history?cursor={zeros}")).await.expect(200);
    client.get("/api/voice/jobs?cursor=x").await.expect(422).problem();
}

#[tokio::test]
async fn what_is_no_id_names_nothing() {
    let (_cluster, client, all) = everything().await;
    let long = "a".repeat(20_000);
    let values = [
        "x",
        "-1",
        "0",
        "%00",
        "%ff",
        "%ED%A0%80",
        "..%2f..",
        "%2e%2e",
        "%F0%9F%92%A5",
        "null",
        "%7B%7D",
        "*",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "01890a5d-ac96-774b-bcce-b302099a805",
        "01890a5d-ac96-774b-bcce-b302099a80570",
        &long,
    ];
    for operation in all.iter().filter(|operation| operation.path.contains('{')) {
        for value in values {
            let path = operation.path_with(value);
            let what = format!("{} {}", operation.method, &path[..path.len().min(100)]);
            let reply = fair(client.request(operation.method.clone(), &path), &what).await;
            // What could be read as another path is no path.
            let is_no_path = reply.status == 400 && ["%00", "..%2f..", "%2e%2e"].contains(&value);
            let is_refused = is_no_path
                || operation.for_sessions && reply.status == 403
                || operation.body.is_some() && matches!(reply.status, 415 | 422);
            assert!(is_refused || matches!(reply.status, 404 | 405), "{what}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_refused() {
    let (_cluster, client, all) = everything().await;
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::from_bytes(b"FROBNICATE").unwrap(),
        Method::from_bytes(b"get").unwrap(),
    ];
    for operation in &all {
        let path = operation.path_with(NOBODY);
        for method in &methods {
            let known = all.iter().any(|other| other.path == operation.path && other.method == *method);
            if known {
                continue;
            }
            let reply = fair(client.request(method.clone(), &path), &format!("{method} {path}")).await;
            // Another endpoint's pattern may cover this path: `DELETE /jobs/retry`.
            assert!(matches!(reply.status, 404 | 405), "{method} {path}: {reply:?}");
        }
        let head = Client::send(client.request(Method::HEAD, &path)).await.unwrap();
        assert!(head.status < 500 && head.text.is_empty(), "HEAD {path}: {head:?}");
    }
}

#[tokio::test]
async fn hostile_headers_do_no_harm() {
    let (_cluster, client, all) = everything().await;
    let long = "k".repeat(20_000);
    let names = [
        "prefer",
        "idempotency-key",
        "x-request-id",
        "traceparent",
        "tracestate",
        "accept",
        "accept-encoding",
        "accept-language",
        "content-encoding",
        "expect",
        "range",
        "if-match",
        "x-forwarded-for",
        "forwarded",
        "x-voicera-timeout-ms",
        "x-user-id",
        "cookie",
        "origin",
        "x-http-method-override",
    ];
    let values: [&[u8]; 15] = [
        b"",
        b" ",
        b"wait=",
        b"wait=-1",
        b"wait=99999999999999999999999",
        b"wait=NaN",
        b"\xff\xfe",
        b"\"",
        b"\"\"",
        b",,,;;;===",
        b"00-0-0-0",
        b"gzip, br, zstd;q=9",
        b"\x80",
        b"bytes=0-18446744073709551615",
        long.as_bytes(),
    ];
    for operation in &all {
        for name in names {
            for value in values {
                // The client library itself acts on this one.
                if name == "expect" && value != b"wait=" {
                    continue;
                }
                let request = client
                    .request(operation.method.clone(), &operation.path_with(NOBODY))
                    .header(name, value)
                    .json(&operation.example());
                fair(
                    request,
                    &format!(
                        "{} with {name}: {}",
                        operation.id,
                        String::from_utf8_lossy(&value[..value.len().min(40)])
                    ),
                )
                .await;
            }
        }
    }
    for key in ["", &"k".repeat(256), "\u{7f}", "é"] {
        let request = client
            .request(Method::POST, "/api/voice/process")
            .header("idempotency-key", key.as_bytes())
            .json(&serde_json::json!({"command": "hello"}));
        if let Ok(reply) = Client::send(request).await {
            assert_eq!(reply.status, 422, "{key:?}: {reply:?}");
            assert_eq!(reply.problem()["errors"][0]["field"], "Idempotency-Key");
        }
    }
}
