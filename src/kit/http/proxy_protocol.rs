//! The PROXY protocol, version 2: a balancer that passes bytes on says first whose they are.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header that is read, in bytes: addresses, and what else a balancer may tell.
const LONGEST: u16 = 2_048;
/// TCP over IPv4, and over IPv6.
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

/// Reads the header at the beginning of a connection: who connected to the balancer, or `None` where it
/// speaks for itself or of something that is no TCP connection.
///
/// # Errors
/// When there is no such header, or the connection ends.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("PROXY protocol: {what}"));
    let mut head = [0; 16];
    stream.read_exact(&mut head).await?;
    let [signature @ .., version_and_command, family, high, low] = head;
    if signature != SIGNATURE || version_and_command >> 4 != 2 {
        return Err(wrong("no header of version 2"));
    }
    let length = u16::from_be_bytes([high, low]);
    if length > LONGEST {
        return Err(wrong("the header is too long"));
    }
    let mut rest = vec![0; usize::from(length)];
    stream.read_exact(&mut rest).await?;
    match version_and_command & 0x0f {
        // LOCAL: the balancer's own, such as a health check.
        0 => Ok(None),
        // No TCP: the balancer does not say where from.
        1 if !matches!(family, TCP4 | TCP6) => Ok(None),
        1 => source(family, &rest).map(Some).ok_or_else(|| wrong("the addresses are cut short")),
        _ => Err(wrong("an unknown command")),
    }
}

/// The source of a TCP connection; `None` if not all of it is there.
fn source(family: u8, addresses: &[u8]) -> Option<SocketAddr> {
    let port = |at: usize| Some(u16::from_be_bytes(addresses.get(at..at + 2)?.try_into().ok()?));
    if family == TCP4 {
        let octets: [u8; 4] = addresses.get(..4)?.try_into().ok()?;
        return Some(SocketAddr::from((octets, port(8)?)));
    }
    let octets: [u8; 16] = addresses.get(..16)?.try_into().ok()?;
    Some(SocketAddr::from((octets, port(32)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version_and_command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version_and_command, family], &length, addresses].concat()
    }

    async fn said(bytes: &[u8]) -> Result<Option<String>, io::ErrorKind> {
        let mut stream = bytes;
        read(&mut stream)
            .await
            .map(|source| source.map(|source| source.to_string()))
            .map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn a_balancer_says_who_connected() {
        let v4 = [&[203, 0, 113, 7], &[10, 0, 0, 1][..], &[0x12, 0x67], &[0, 80]].concat();
        assert_eq!(said(&header(0x21, 0x11, &v4)).await, Ok(Some("203.0.113.7:4711".to_owned())));
        let mut v6 = [0; 36];
        (v6[0], v6[1], v6[15], v6[33]) = (0x20, 0x01, 7, 9);
        assert_eq!(said(&header(0x21, 0x21, &v6)).await, Ok(Some("[2001::7]:9".to_owned())));
        let more = [&v4[..], &[0xee; 100]].concat();
        assert_eq!(said(&header(0x21, 0x11, &more)).await, Ok(Some("203.0.113.7:4711".to_owned())));
        assert_eq!(said(&header(0x20, 0, &[])).await, Ok(None), "a health check");
        assert_eq!(said(&header(0x21, 0x31, &[0; 216])).await, Ok(None), "a socket of the same machine");
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        assert_eq!(said(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await, Err(InvalidData));
        assert_eq!(said(b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n").await, Err(InvalidData));
        assert_eq!(said(&header(0x11, 0x11, &[0; 12])).await, Err(InvalidData), "another version");
        assert_eq!(said(&header(0x22, 0x11, &[0; 12])).await, Err(InvalidData), "another command");
        assert_eq!(said(&header(0x21, 0x11, &[0; 3])).await, Err(InvalidData), "cut short");
        assert_eq!(said(&header(0x21, 0x11, &[0; 3_000])).await, Err(InvalidData), "too long");
        assert_eq!(said(&header(0x21, 0x11, &[0; 12])[..20]).await, Err(UnexpectedEof));
        assert_eq!(said(b"").await, Err(UnexpectedEof));
    }
}
