//! How clients get in: over TLS, and through balancers that say whose a connection is.

use reqwest::{Certificate, Response, Version};
use tokio::io::AsyncWriteExt as _;

use crate::support::certificates::Certificates;
use crate::support::command::run_with;
use crate::support::raw::{connect, read_to_end};
use crate::support::{Cluster, wait};

/// Asks on a connection of its own, believing one authority.
async fn ask(url: &str, authority: &str) -> reqwest::Result<Response> {
    let authority = Certificate::from_pem(&std::fs::read(authority).unwrap()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]);
    client.timeout(wait::DEADLINE).build().unwrap().get(url).send().await
}

#[tokio::test]
async fn a_certificate_is_shown_and_a_new_one_from_when_it_is_there() {
    let (first, second) = (Certificates::new(), Certificates::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    std::fs::copy(first.server(), &file).unwrap();
    let file = file.to_str().unwrap();
    // One file has both.
    let settings = [("server.tls_certificate", file), ("server.tls_key", file)];
    let mut cluster = Cluster::single_with(&settings).await;
    let client = cluster.client();
    assert!(client.base().starts_with("https://"), "{}", client.base());
    assert_eq!(client.ask("show my grades").await["intent"], "get_grades");

    let ready = format!("{}/health/ready", client.base());
    let of_first = async || ask(&ready, &first.authority()).await;
    let of_second = async || ask(&ready, &second.authority()).await;
    let reply = of_first().await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.version()), (200, Version::HTTP_2));
    assert!(of_second().await.unwrap_err().is_connect());

    // Requests go on while the certificate changes, and a broken file changes nothing.
    let load = tokio::spawn({
        let (client, ready) = (client.clone(), ready.clone());
        async move {
            loop {
                client.get(&ready[client.base().len()..]).await.expect(200);
            }
        }
    });
    std::fs::write(folder.path().join("new"), "no certificate").unwrap();
    std::fs::rename(folder.path().join("new"), file).unwrap();
    wait::until("the broken file is told", async || {
        cluster.log().iter().any(|line| line.contains("the certificate stays as it was")).then_some(())
    })
    .await;
    of_first().await.unwrap();
    std::fs::copy(second.server(), folder.path().join("new")).unwrap();
    std::fs::rename(folder.path().join("new"), file).unwrap();
    wait::until("the new certificate", async || of_second().await.is_ok().then_some(())).await;
    assert!(of_first().await.is_err());
    assert!(!load.is_finished(), "no request failed");
    load.abort();
    cluster.all().stop().await;
}

#[tokio::test]
async fn who_speaks_no_tls_gets_nothing_and_holds_nobody_up() {
    let certificates = Certificates::new();
    let file = certificates.server();
    let settings = [
        ("server.tls_certificate", file.as_str()),
        ("server.tls_key", &file),
        ("server.header_timeout", "1s"),
    ];
    let mut cluster = Cluster::single_with(&settings).await;
    let client = cluster.client();
    let address = client.base().replace("https", "http");
    let mut plain = tokio::net::TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    plain.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(!read_to_end(&mut plain).await.contains("HTTP/1.1"));
    let mut silent = tokio::net::TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    assert_eq!(read_to_end(&mut silent).await, "", "a handshake that never comes is not waited for");
    client.get("/health/live").await.expect(200);
    cluster.all().stop().await;
}

#[test]
fn a_certificate_that_is_of_no_use_ends_the_start_with_the_reason() {
    let (one, other) = (Certificates::new(), Certificates::new());
    let home = tempfile::tempdir().unwrap();
    let start = |certificate: &str, key: &str| {
        let variables = [("VOICERA_SERVER__TLS_CERTIFICATE", certificate), ("VOICERA_SERVER__TLS_KEY", key)];
        run_with(home.path(), &["serve", "--listen", "127.0.0.1:0"], &variables, "").expect(2).err
    };
    assert!(start(&one.server(), &other.server()).contains("is not the key of the certificate"));
    assert!(start("nowhere.pem", &one.server()).contains("nowhere.pem: cannot be read"));
    assert!(start(&one.authority(), &one.authority()).contains("is no private key in PEM"));
    assert!(
        start(&one.server(), "").contains("one of server.tls_certificate and server.tls_key is set without")
    );
}

#[tokio::test]
async fn a_balancer_says_whose_a_connection_is() {
    let mut cluster = Cluster::single().await;
    cluster.all().stop().await;
    cluster.configure(&[("server.proxy_protocol", "true")]);
    cluster.launch(crate::support::Role::All).await;
    let client = cluster.client();
    let header =
        [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c"[..], &[203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x67, 0, 80]]
            .concat();
    let key = cluster.key().unwrap();
    // What the client says of itself is believed of proxies alone.
    let body = "{\"email\":\"nobody@example.org\",\"password\":\"a guess!\"}";
    let request = format!(
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 198.51.100.1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = connect(&client).await;
    stream.write_all(&[&header[..], request.as_bytes()].concat()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let mut stream = connect(&client).await;
    let trail = format!(
        "GET /api/users/audit?limit=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n"
    );
    stream.write_all(&[&header[..], trail.as_bytes()].concat()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.contains("203.0.113.7") && !answer.contains("198.51.100.1"), "{answer}");

    let mut bare = connect(&client).await;
    bare.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert_eq!(read_to_end(&mut bare).await, "", "who does not say so is not let in");
    cluster.all().stop().await;
}
