//! The upstream of all proxies: as little work as an answer can be, so that it is never what is measured.

use std::io;
use std::net::SocketAddr;
use std::thread;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The size of an answer's body.
const BODY: usize = 1024;

/// What RFC 6455 §1.3 answers to the key that it has as an example.
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Serves on a thread of its own until the process ends.
pub fn start() -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("upstream".to_owned()).spawn(move || runtime.block_on(serve(listener)))?;
    Ok(address)
}

async fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let answer: &'static [u8] = answer().leak();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(keep_answering(stream, answer));
    }
}

/// 200, with JSON of [`BODY`] bytes.
fn answer() -> Vec<u8> {
    let text = "x".repeat(BODY - r#"{"text":""}"#.len());
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {BODY}\r\n\r\n{{\"text\":\"{text}\"}}"
    )
    .into_bytes()
}

/// Answers every head alike, whatever it asks for; what is not a head is passed over.
async fn keep_answering(mut stream: TcpStream, answer: &'static [u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut asked = Vec::with_capacity(2048);
    loop {
        asked.clear();
        while !asked.windows(4).any(|window| window == b"\r\n\r\n") {
            if asked.len() > 64 << 10 || stream.read_buf(&mut asked).await? == 0 {
                return Ok(());
            }
        }
        if asked.windows(18).any(|window| window.eq_ignore_ascii_case(b"upgrade: websocket")) {
            stream.write_all(SWITCH).await?;
            // Nobody says anything on it, and it stays open until the other side closes it.
            while stream.read_buf(&mut asked).await? > 0 {
                asked.clear();
            }
            return Ok(());
        }
        stream.write_all(answer).await?;
    }
}
