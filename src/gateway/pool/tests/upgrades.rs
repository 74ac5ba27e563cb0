//! Connections that go over to another protocol.

use super::*;

/// Agrees to any protocol, says `hello`, and then sends back what comes.
async fn agreeing() -> String {
    peer(|mut stream, _| async move {
        let head = head(&mut stream).await.unwrap();
        assert!(head.contains("connection: upgrade") && head.contains("upgrade: websocket"), "{head}");
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\nhello";
        stream.write_all(answer).await.unwrap();
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await
}

const WISH: &str =
    "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\r\n";

async fn upgraded(pool: &Arc<Pool>) -> TcpStream {
    let mut client = TcpStream::connect(in_front_of(pool).await).await.unwrap();
    client.write_all(WISH.as_bytes()).await.unwrap();
    let answer = head(&mut client).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    for line in ["connection: upgrade\r\n", "upgrade: websocket\r\n", "sec-websocket-accept: x\r\n"] {
        assert!(answer.contains(line), "{answer}");
    }
    assert!(!answer.contains("content-length"), "{answer}");
    assert_eq!(said(&mut client, 5).await, b"hello", "what came with the answer is not lost");
    client
}

async fn said(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn bytes_go_both_ways_after_an_upgrade() {
    let pool = made(7, PoolOptions { max_in_flight: 1, ..options(&[&agreeing().await]) });
    let mut client = upgraded(&pool).await;
    let state = pool.state();
    assert_eq!((state.in_flight, state.streams), (0, 1));
    client.write_all(b"ping").await.unwrap();
    assert_eq!(said(&mut client, 4).await, b"ping");
    // More than any buffer holds, and nobody reads until it is sent.
    let much: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (mut read, mut write) = client.split();
    let mut back = vec![0; much.len()];
    let (sent, got) = futures_util::join!(write.write_all(&much), read.read_exact(&mut back));
    sent.unwrap();
    got.unwrap();
    assert!(back == much);
    write.shutdown().await.unwrap();
    assert_eq!(read.read(&mut back).await.unwrap(), 0, "the end goes through, and comes back");
    until(|| pool.state().streams == 0).await;
}

#[tokio::test]
async fn an_upgraded_connection_that_is_silent_is_ended() {
    let pool = made(7, PoolOptions { stream_idle_timeout: 5 * SHORT, ..options(&[&agreeing().await]) });
    let mut client = upgraded(&pool).await;
    for _ in 0..6 {
        tokio::time::sleep(SHORT).await;
        client.write_all(b"ping").await.unwrap();
        assert_eq!(said(&mut client, 4).await, b"ping");
    }
    let silent_since = Instant::now();
    assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    assert!((4 * SHORT..TIMEOUT).contains(&silent_since.elapsed()));
}

#[tokio::test]
async fn upgraded_connections_end_with_the_pool() {
    let pool = pool(7, &[&agreeing().await]);
    let mut client = upgraded(&pool).await;
    tokio::time::timeout(TIMEOUT, pool.close()).await.expect("in time");
    assert_eq!(client.read(&mut [0; 9]).await.unwrap_or(0), 0);
    assert_eq!(pool.state().streams, 0);
}

#[tokio::test]
async fn an_upgrade_that_is_refused_is_an_answer() {
    let base = saying(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
    let address = in_front_of(&pool(7, &[&base])).await;
    let seen = raw(address, &WISH.replace("keep-alive", "close")).await;
    assert!(seen.starts_with("HTTP/1.1 403 ") && seen.ends_with("no"), "{seen}");
}

/// What speaks HTTP again would pass the gateway unseen.
#[tokio::test]
async fn nobody_gets_past_the_gateway_by_an_upgrade_to_http() {
    let (base, _) = server(Router::new().fallback(|request: Request| async move {
        assert!(!request.headers().contains_key("upgrade"));
        "plain"
    }))
    .await;
    let address = in_front_of(&pool(7, &[&base])).await;
    for protocol in ["h2c", "H2C", "websocket, h2c", "TLS/1.3", "HTTP/2.0"] {
        let wish = WISH.replace("websocket", protocol).replace("keep-alive", "close");
        let seen = raw(address, &wish).await;
        assert!(seen.starts_with("HTTP/1.1 200 ") && seen.ends_with("plain"), "{protocol}: {seen}");
    }
}
