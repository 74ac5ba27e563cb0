//! Clients that break HTTP itself: they lose their connection, and nobody else notices.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::raw::{connect, exchange, read_to_end};
use crate::support::{Cluster, wait};

async fn is_well(cluster: &Cluster) {
    let client = cluster.client();
    client.get("/health/ready").await.expect(200);
    assert_eq!(client.ask("hello").await["intent"], "greeting");
}

#[tokio::test]
async fn what_is_no_http_is_refused_or_cut_off() {
    let cluster = Cluster::single_with(&[("server.header_timeout", "500ms")]).await;
    let client = cluster.client();
    let head =
        format!("POST /api/voice/process HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\n", cluster.key().unwrap());
    let json = "content-type: application/json\r\n";
    let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(200_000));
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(10_000));
    let long_header = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(200_000));
    let with_head = |rest: &str| format!("{head}{json}{rest}");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("garbage", (0..=255).cycle().take(5_000).collect()),
        ("zeros", vec![0; 5_000]),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(40)),
        ("no version", b"GET /\r\n\r\n".to_vec()),
        ("a version of the future", b"GET / HTTP/9.9\r\n\r\n".to_vec()),
        ("a bad target", b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
        ("a target with a space", b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
        ("a NUL in a header", b"GET / HTTP/1.1\r\nhost: x\r\na: \0\r\n\r\n".to_vec()),
        ("a header without a colon", b"GET / HTTP/1.1\r\nhost\r\n\r\n".to_vec()),
        ("a folded header", b"GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n".to_vec()),
        ("a long line", long_line.into_bytes()),
        ("many headers", many_headers.into_bytes()),
        ("a long header", long_header.into_bytes()),
        ("two lengths", with_head("content-length: 5\r\ncontent-length: 500\r\n\r\n{}").into_bytes()),
        ("a negative length", with_head("content-length: -1\r\n\r\n{}").into_bytes()),
        ("a length that is none", with_head("content-length: many\r\n\r\n{}").into_bytes()),
        ("a huge length", with_head("content-length: 99999999999999999999\r\n\r\n{}").into_bytes()),
        ("a bad chunk", with_head("transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n").into_bytes()),
        (
            "a huge chunk",
            with_head("transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}").into_bytes(),
        ),
        ("an unknown transfer coding", with_head("transfer-encoding: rot13\r\n\r\n{}").into_bytes()),
        (
            "an upgrade to HTTP/2 that breaks off",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        ),
    ];
    for (what, bytes) in cases {
        let mut stream = connect(&client).await;
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let answer = read_to_end(&mut stream).await;
        let harmless =
            answer.is_empty() || answer.starts_with("HTTP/1.1 4") || !answer.starts_with("HTTP/1.1");
        assert!(harmless, "{what}: {answer}");
    }
    is_well(&cluster).await;
}

#[tokio::test]
async fn a_length_beside_chunks_cannot_hide_a_second_request() {
    let cluster = Cluster::single_with(&[("server.header_timeout", "500ms")]).await;
    let client = cluster.client();
    let key = cluster.key().unwrap();
    let body = "0\r\n\r\nGET /api/auth/me HTTP/1.1\r\nhost: x\r\n\r\n";
    let request = format!(
        "POST /api/voice/jobs/retry HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-length: {}\r\ntransfer-encoding: chunked\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(&client, request.into_bytes()).await;
    assert!(!answer.contains("\"owner\""), "the hidden request has no credential of its own: {answer}");
    is_well(&cluster).await;
}

#[tokio::test]
async fn half_a_request_that_breaks_off_is_no_command() {
    let cluster = Cluster::single().await;
    let client = cluster.client();
    let body = r#"{"command":"hello"}"#;
    let whole = format!(
        "POST /api/voice/process HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        cluster.key().unwrap(),
        body.len()
    );
    for end in (0..whole.len()).step_by(23).chain([whole.len() - 1]) {
        let mut stream = connect(&client).await;
        stream.write_all(&whole.as_bytes()[..end]).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{end} bytes: {answer}");
    }
    assert_eq!(client.history().await.len(), 0);
    is_well(&cluster).await;
}

#[tokio::test]
async fn who_dribbles_a_header_is_cut_off_in_time() {
    let cluster = Cluster::single_with(&[("server.header_timeout", "300ms")]).await;
    let client = cluster.client();
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(&client).await;
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost:").await.unwrap();
        slow.push(stream);
    }
    is_well(&cluster).await;
    for mut stream in slow {
        let answer = tokio::time::timeout(Duration::from_secs(20), read_to_end(&mut stream)).await;
        let answer = answer.expect("the connection is closed");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

#[tokio::test]
async fn who_dribbles_a_body_is_answered_in_time() {
    let cluster =
        Cluster::single_with(&[("server.request_timeout", "1500ms"), ("voice.max_wait", "1s")]).await;
    let client = cluster.client();
    let mut stream = connect(&client).await;
    let head = format!(
        "POST /api/voice/process HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: 500\r\nconnection: close\r\n\r\n{{",
        cluster.key().unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    is_well(&cluster).await;
}

#[tokio::test]
async fn a_thousand_idle_connections_keep_nobody_out() {
    let cluster = Cluster::single().await;
    let client = cluster.client();
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(connect(&client).await);
    }
    is_well(&cluster).await;
}

#[tokio::test]
async fn connections_that_ask_nothing_are_closed_and_hold_up_no_shutdown() {
    let mut cluster =
        Cluster::single_with(&[("server.header_timeout", "500ms"), ("server.shutdown_grace", "2m")]).await;
    let address = cluster.all().address();
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
    for (what, said) in [("silence", ""), ("half a preface", "PRI * HT"), ("a mute HTTP/2 client", preface)] {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(wait::DEADLINE, connection.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "{what} is still connected");
    }
    let mut mute = tokio::net::TcpStream::connect(address).await.unwrap();
    mute.write_all(preface.as_bytes()).await.unwrap();
    cluster.all().stop().await;
}
