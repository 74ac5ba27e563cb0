//! Bodies that are passed on as they come, in both directions.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;

use super::*;

fn streamed(mut pieces: mpsc::Receiver<&'static str>) -> Body {
    let pieces = futures_util::stream::poll_fn(move |cx| {
        pieces.poll_recv(cx).map(|piece| piece.map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece))))
    });
    Body::from_stream(pieces)
}

async fn piece(body: &mut Body) -> Option<String> {
    let piece = tokio::time::timeout(TIMEOUT, body.frame()).await.expect("in time");
    piece.map(|frame| String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
}

/// Each piece comes back before the next is sent: nothing on the way waits for more.
#[tokio::test]
async fn both_bodies_go_on_at_once() {
    let (base, _) = server(echo()).await;
    let pool = pool(7, &[&base]);
    let (send, pieces) = mpsc::channel(1);
    let request = Request::post("/").body(streamed(pieces)).unwrap();
    let mut answer = call(&pool, request).await.into_body();
    for sent in ["one", "two", "three"] {
        send.send(sent).await.unwrap();
        assert_eq!(piece(&mut answer).await.as_deref(), Some(sent));
    }
    drop(send);
    assert_eq!(piece(&mut answer).await, None);
}

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let large = "0123456789".repeat(100_000);
    let served = large.clone();
    let router = Router::new()
        .route("/chunked", any(|body: Body| async { Response::new(body) }))
        .fallback(move || std::future::ready(served.clone()));
    let (base, _) = server(router).await;
    let pool = pool(7, &[&base]);
    assert_eq!(text(call(&pool, get()).await).await, large);
    let body = Body::from_stream(futures_util::stream::iter(
        large
            .as_bytes()
            .chunks(7001)
            .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
            .collect::<Vec<_>>(),
    ));
    let answer = call(&pool, Request::put("/chunked").body(body).unwrap()).await;
    assert_eq!(text(answer).await, large);
}

#[tokio::test]
async fn who_goes_away_takes_the_exchange_along() {
    let (gone, mut told) = mpsc::channel(1);
    let base = peer(move |mut stream, _| {
        let gone = gone.clone();
        async move {
            head(&mut stream).await;
            assert!(head(&mut stream).await.is_none());
            gone.send(()).await.unwrap();
        }
    })
    .await;
    let pool = pool(7, &[&base]);
    let waiting = tokio::time::timeout(Duration::from_millis(20), call(&pool, get())).await;
    assert!(waiting.is_err());
    tokio::time::timeout(TIMEOUT, told.recv()).await.expect("in time");
    let state = pool.state();
    assert_eq!(
        (state.in_flight, state.endpoints[0].in_flight, state.endpoints[0].consecutive_failures),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn trailers_are_passed_on() {
    let base = peer(|mut stream, _| async move {
        let head = head(&mut stream).await.unwrap();
        assert!(head.contains("te: trailers"), "{head}");
        let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: grpc-status\r\n\r\n2\r\nok\r\n0\r\ngrpc-status: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let address = in_front_of(&pool(7, &[&base])).await;
    let seen =
        raw(address, "GET / HTTP/1.1\r\nhost: x\r\nte: trailers\r\nconnection: te, close\r\n\r\n").await;
    assert!(seen.ends_with("2\r\nok\r\n0\r\ngrpc-status: 0\r\n\r\n"), "{seen}");
}
