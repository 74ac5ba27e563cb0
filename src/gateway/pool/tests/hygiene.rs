//! What stands on the wire, on both sides.

use super::*;

/// A peer that takes one request after another on the same connection, answers each with `bytes`, and
/// counts its connections.
async fn keeping(bytes: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let base = peer(move |mut stream, _| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            while head(&mut stream).await.is_some() {
                if stream.write_all(bytes).await.is_err() {
                    break;
                }
            }
        }
    })
    .await;
    (base, connections)
}

#[tokio::test]
async fn one_connection_serves_one_request_after_another() {
    for bytes in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".as_slice(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (base, connections) = keeping(bytes).await;
        let pool = pool(7, &[&base]);
        for _ in 0..20 {
            text(call(&pool, get()).await).await;
        }
        let seen = String::from_utf8_lossy(bytes);
        assert_eq!(connections.load(Ordering::SeqCst), 1, "{seen}");
    }
}

#[tokio::test]
async fn a_connection_with_more_than_an_answer_on_it_is_not_used_again() {
    let (base, connections) =
        keeping(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n").await;
    let pool = pool(7, &[&base]);
    for _ in 0..3 {
        assert_eq!(text(call(&pool, get()).await).await, "ok");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_answer_without_a_body_keeps_what_its_head_says() {
    for (method, answer, expected) in [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", Some("content-length: 5")),
        ("HEAD", "HTTP/1.1 200 OK\r\n\r\n", None),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", None),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n", None),
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Some("content-length: 0")),
    ] {
        let base = saying(answer.as_bytes()).await;
        let address = in_front_of(&pool(7, &[&base])).await;
        let seen =
            raw(address, &format!("{method} / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        let length = seen.lines().find(|line| line.to_ascii_lowercase().starts_with("content-length"));
        assert_eq!(length, expected, "{method}: {answer}");
        assert!(seen.ends_with("\r\n\r\n"), "{seen}");
    }
}

/// Of two ways to frame a body only one goes on, and it is the one that was read.
#[tokio::test]
async fn a_length_beside_chunks_goes_no_further() {
    let answer =
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let base = saying(answer).await;
    let address = in_front_of(&pool(7, &[&base])).await;
    let seen = raw(address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(!seen.contains("content-length") && seen.ends_with("2\r\nok\r\n0\r\n\r\n"), "{seen}");
}

#[tokio::test]
async fn nobody_gets_a_tunnel() {
    let (base, asked) = server(echo()).await;
    let answer = call(&pool(7, &[&base]), request(Method::CONNECT, "")).await;
    assert_eq!((answer.status().as_u16(), asked.load(Ordering::SeqCst)), (405, 0));
}

#[tokio::test]
async fn the_request_is_the_upstreams_own() {
    let base = peer(|mut stream, _| async move {
        let head = head(&mut stream).await.unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let address = in_front_of(&pool(7, &[&base])).await;
    let seen = raw(
        address,
        "GET http://voicera.example/a/%2e%2E/b?c=d HTTP/1.1\r\nhost: other.example\r\nx-real-ip: 10.0.0.1\r\n\
         connection: close, x-mine\r\nx-mine: 1\r\naccept: */*\r\n\r\n",
    )
    .await;
    let (_, sent) = seen.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = sent.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "GET /a/%2e%2E/b?c=d HTTP/1.1", "as it was sent");
    lines.retain(|line| !line.starts_with("x-voicera-timeout-ms"));
    lines.sort_unstable();
    let host = format!("host: {}", base.trim_start_matches("http://"));
    assert_eq!(lines, ["accept: */*", &host, "x-forwarded-host: voicera.example"]);
}
