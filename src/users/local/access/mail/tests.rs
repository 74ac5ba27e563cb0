use std::sync::{Arc, Mutex};

use super::*;
use crate::kit::clock::ManualClock;
use crate::kit::ids::Entropy;
use crate::users::account::Email;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail server that answers each message with the next of its answers, and then with the last one.
struct Server {
    url: String,
    messages: mpsc::Receiver<String>,
}

impl Server {
    async fn answering(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (got, messages) = mpsc::channel(64);
        tokio::spawn(async move {
            let mut answers = answers.iter().peekable();
            let mut answer = "";
            while let Ok((stream, _)) = listener.accept().await {
                answer = answers.next().unwrap_or(&answer);
                // One after the other is enough.
                let _ = converse(stream, answer, &got).await;
            }
        });
        Self { url, messages }
    }

    async fn next(&mut self) -> String {
        self.messages.recv().await.unwrap()
    }
}

async fn converse(stream: TcpStream, answer: &str, got: &mpsc::Sender<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let reply = match line.get(..4).unwrap_or_default() {
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") && stream.read_line(&mut message).await? > 0 {}
                let _ = got.send(message).await;
                answer
            }
            "EHLO" => "250-test\r\n250 SMTPUTF8",
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

fn options(smtp_url: &str) -> MailOptions {
    let links = Links { reset: "https://app.example.org/reset?t={token}".to_owned(), ..Links::default() };
    MailOptions { smtp_url: smtp_url.into(), from: "Voicera <voicera@example.org>".to_owned(), links }
}

fn opened(smtp_url: &str) -> (Mail, Postman, ManualClock) {
    let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
    let shared: SharedClock = Arc::new(clock.clone());
    let ids = Ids::new(Arc::clone(&shared), Entropy::seeded(1));
    let (mail, postman) = open(&options(smtp_url), shared, ids).unwrap();
    (mail, postman, clock)
}

fn letter(to: &str) -> Letter {
    Letter { to: Email::parse(to).unwrap(), about: About::Reset("vo_secret".into()) }
}

fn headers(message: &str) -> Vec<&str> {
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    head.lines().filter(|line| !line.starts_with(' ')).map(|line| line.split(':').next().unwrap()).collect()
}

#[tokio::test]
async fn a_message_reaches_the_mail_server_with_a_link() {
    let mut server = Server::answering(&["250 taken"]).await;
    let (mail, postman, _) = opened(&server.url);
    assert_eq!(mail.delivery(), Delivery::Mail);
    mail.send(letter("ada@example.org"));
    let stop = CancellationToken::new();
    let running = tokio::spawn(postman.run(stop.clone()));
    let message = server.next().await;
    assert!(message.contains("To: ada@example.org\r\n"), "{message}");
    assert!(message.contains("From: Voicera <voicera@example.org>\r\n"), "{message}");
    assert!(message.contains("https://app.example.org/reset?t=vo_secret\r\n"), "{message}");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn no_address_adds_a_header_of_its_own() {
    let (_, postman, _) = opened("");
    for address in
        ["ada@example.org", "o'hara+x%0d%0abcc@example.org", "josé@bücher.example", "a=?utf-8?q?=0d=0a?=@b.c"]
    {
        let written = postman.round.write(&letter(address)).map(|message| message.formatted());
        // What cannot be written is not sent at all.
        let Ok(message) = written else { continue };
        let message = String::from_utf8(message).unwrap();
        let expected = [
            "From",
            "To",
            "Date",
            "Message-ID",
            "Subject",
            "Auto-Submitted",
            "Content-Type",
            "Content-Transfer-Encoding",
        ];
        assert_eq!(headers(&message), expected, "{message}");
    }
    assert!(Email::parse("ada@example.org\r\nBcc: eve@example.org").is_err());
    let bent = MailOptions { from: "a@b.c\r\nBcc: eve@example.org".to_owned(), ..options("") };
    let shared: SharedClock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let ids = Ids::new(Arc::clone(&shared), Entropy::seeded(1));
    assert_eq!(open(&bent, shared, ids).map(drop), Err(BadMail::Sender));
}

#[tokio::test]
async fn what_a_server_puts_off_is_tried_again_as_the_same_message() {
    let mut server = Server::answering(&["451 later", "250 taken"]).await;
    let (mail, postman, clock) = opened(&server.url);
    mail.send(letter("ada@example.org"));
    let stop = CancellationToken::new();
    let running = tokio::spawn(postman.run(stop.clone()));
    let first = server.next().await;
    let second = loop {
        tokio::select! {
            biased;
            message = server.next() => break message,
            () = tokio::task::yield_now() => clock.advance(SignedDuration::from_secs(1)),
        }
    };
    assert_eq!(first, second);
    stop.cancel();
    running.await.unwrap();
    assert!(server.messages.try_recv().is_err(), "a third one");
}

#[tokio::test]
async fn what_a_server_refuses_for_good_is_not_tried_again() {
    let mut server = Server::answering(&["554 never", "250 taken"]).await;
    let (mail, postman, _) = opened(&server.url);
    mail.send(letter("ada@example.org"));
    let stop = CancellationToken::new();
    let running = tokio::spawn(postman.run(stop.clone()));
    server.next().await;
    stop.cancel();
    running.await.unwrap();
    assert!(server.messages.try_recv().is_err());
}

#[tokio::test]
async fn what_waits_when_the_process_stops_is_sent_before_the_end() {
    let mut server = Server::answering(&["250 taken"]).await;
    let (mail, postman, _) = opened(&server.url);
    let stop = CancellationToken::new();
    stop.cancel();
    for _ in 0..20 {
        mail.send(letter("ada@example.org"));
    }
    postman.run(stop).await;
    for _ in 0..20 {
        server.next().await;
    }
    mail.send(letter("ada@example.org"));
}

#[tokio::test]
async fn a_server_that_does_not_answer_does_not_hold_up_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mail, postman, clock) = opened(&format!("smtp://{}", silent.local_addr().unwrap()));
    mail.send(letter("ada@example.org"));
    let stop = CancellationToken::new();
    let running = tokio::spawn(postman.run(stop.clone()));
    let (_held, _) = silent.accept().await.unwrap();
    stop.cancel();
    while !running.is_finished() {
        clock.advance(SignedDuration::from_secs(1));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn more_messages_than_can_wait_are_dropped_and_nobody_is_held_up() {
    let (mail, _postman, _) = opened("");
    for _ in 0..QUEUE + 10 {
        mail.send(letter("ada@example.org"));
    }
}

#[test]
fn a_url_that_is_none_is_refused_without_its_password() {
    let shared: SharedClock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    for url in [
        "mail.example.org",
        "http://ada:hunter2@mail.example.org",
        "smtp://ada:hunter2@h?tls=maybe",
        "smtps://",
    ] {
        let ids = Ids::new(Arc::clone(&shared), Entropy::seeded(1));
        let refused = open(&options(url), Arc::clone(&shared), ids).unwrap_err();
        assert_eq!(refused, BadMail::Server, "{url}");
        assert!(!refused.to_string().contains("hunter2") && refused.to_string().contains("fix:"));
    }
}

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn without_a_server_the_log_has_the_token_and_says_why() {
    let (mail, postman, _) = opened("");
    assert_eq!(mail.delivery(), Delivery::Log);
    mail.send(letter("ada@example.org"));
    let paper = Paper::default();
    let written = paper.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let stop = CancellationToken::new();
    stop.cancel();
    postman.run(stop).await;
    let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    for part in ["mail:", "for development", "vo_secret", "ada@example.org", "Reset your password"] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn a_letter_does_not_print_its_token() {
    assert!(!format!("{:?}", letter("ada@example.org")).contains("vo_secret"));
}

#[test]
fn every_message_says_what_to_do_if_it_was_not_meant() {
    for about in
        [About::Verify("vo_x".into()), About::Registered, About::Reset("vo_x".into()), About::PasswordChanged]
    {
        let text = about.text(&Links::default());
        assert!(text.contains("not you"), "{text}");
        assert!(about.token().is_none() || text.contains("Token: vo_x"), "{text}");
        assert!(text.lines().all(|line| line.len() < 76), "{text}");
    }
}
