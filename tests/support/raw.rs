//! A connection on which a test says byte for byte what it likes.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::Client;
use super::wait;

/// A fresh connection to the client's server.
pub async fn connect(client: &Client) -> TcpStream {
    TcpStream::connect(client.base().trim_start_matches("http://")).await.expect("a connection")
}

/// Everything until the server closes; a reset is a close.
pub async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let read = async {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut part).await {
            answer.extend_from_slice(&part[..length]);
        }
    };
    tokio::time::timeout(wait::DEADLINE, read).await.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends all of `bytes`, reading meanwhile: a server may answer, and close, before it has read them.
pub async fn exchange(client: &Client, bytes: Vec<u8>) -> String {
    let (mut reading, mut writing) = connect(client).await.into_split();
    let writer = tokio::spawn(async move {
        // The writing half stays open until the answer is read.
        let _ = writing.write_all(&bytes).await;
        writing
    });
    let answer = read_to_end(&mut reading).await;
    writer.abort();
    answer
}
