//! Messages to people: queued by whoever answers a request, sent by a task of their own, so that the
//! time of an answer tells nothing about whether there was a message at all.
//!
//! They go out by SMTP, or to the log where no server is configured. The queue is bounded and in
//! memory: a message that a crash takes along is asked for again by who waits for it.

mod letter;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

pub use letter::{About, Letter, Links};

use crate::kit::clock::SharedClock;
use crate::kit::ids::Ids;

/// Messages that may wait; further ones are dropped, and counted.
const QUEUE: usize = 1024;
/// Messages that are on their way at a time.
const AT_ONCE: usize = 8;
/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(20);
/// How long to wait before each further try.
const PAUSES: [SignedDuration; 3] =
    [SignedDuration::from_secs(5), SignedDuration::from_secs(30), SignedDuration::from_secs(120)];
/// How long the last messages may take once the process is to stop.
const LAST: SignedDuration = SignedDuration::from_secs(5);

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// How messages are sent.
#[derive(Debug, Clone, Default)]
pub struct MailOptions {
    /// The server, as a URL; empty writes messages to the log.
    pub smtp_url: SecretString,
    /// Who they come from.
    pub from: String,
    /// Where they lead.
    pub links: Links,
}

/// Settings that no message can be sent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMail {
    /// The server.
    #[error(
        "users.mail.smtp_url names no mail server\n  fix: write it as \"smtps://USER:PASSWORD@HOST:465\" or \"smtp://USER:PASSWORD@HOST:587?tls=required\"; in name and password, percent-encode what has a meaning in a URL"
    )]
    Server,
    /// The sender.
    #[error("users.mail.from is no sender\n  fix: write it as \"Voicera <voicera@example.org>\"")]
    Sender,
}

/// Where messages go; it depends on the configuration alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// To the person.
    Mail,
    /// To the log of the server: no mail server is configured, which is for development alone.
    Log,
}

/// Takes messages.
#[derive(Debug, Clone)]
pub struct Mail {
    queue: mpsc::Sender<Letter>,
    delivery: Delivery,
}

/// Brings messages on their way.
#[derive(Debug)]
pub struct Postman {
    queue: mpsc::Receiver<Letter>,
    round: Round,
}

#[derive(Debug)]
struct Round {
    /// `None`: to the log.
    smtp: Option<Smtp>,
    from: Mailbox,
    links: Links,
    clock: SharedClock,
    ids: Ids,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sent,
    Logged,
    Failed,
    Dropped,
}

impl Outcome {
    fn count(self) {
        let outcome = match self {
            Self::Sent => "sent",
            Self::Logged => "logged",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        };
        metrics::counter!("voicera_users_messages_total", "outcome" => outcome).increment(1);
    }
}

/// The two ends of the queue: one takes messages, the other has to be run.
///
/// # Errors
/// [`BadMail`].
pub fn open(options: &MailOptions, clock: SharedClock, ids: Ids) -> Result<(Mail, Postman), BadMail> {
    let url = options.smtp_url.expose_secret();
    let smtp = if url.is_empty() { None } else { Some(transport(url)?) };
    let from: Mailbox = options.from.parse().map_err(|_| BadMail::Sender)?;
    let delivery = if smtp.is_some() { Delivery::Mail } else { Delivery::Log };
    let (sender, queue) = mpsc::channel(QUEUE);
    let round = Round { smtp, from, links: options.links.clone(), clock, ids };
    Ok((Mail { queue: sender, delivery }, Postman { queue, round }))
}

fn transport(url: &str) -> Result<Smtp, BadMail> {
    // What lettre says may quote the URL, and the URL holds a password.
    let builder = Smtp::from_url(url).map_err(|_| BadMail::Server)?;
    Ok(builder.timeout(Some(TRY_WITHIN)).build())
}

impl Mail {
    /// Where messages go.
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Hands a message over. Whoever asked for it is not told if there is no room: nobody may learn
    /// from an answer whether there was a message.
    pub fn send(&self, letter: Letter) {
        if self.queue.try_send(letter).is_err() {
            Outcome::Dropped.count();
            tracing::warn!(target: "mail", "a message was dropped: too many are waiting, or the process stops");
        }
    }
}

impl Postman {
    /// Sends messages until `stop`, then those that are left, as far as that takes moments.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut under_way = FuturesUnordered::new();
        let end = self.round.end(stop.clone());
        tokio::pin!(end);
        loop {
            tokio::select! {
                letter = self.queue.recv(), if under_way.len() < AT_ONCE => match letter {
                    Some(letter) => under_way.push(self.round.deliver(letter, &stop)),
                    None => break,
                },
                Some(()) = under_way.next(), if !under_way.is_empty() => {}
                () = stop.cancelled(), if !self.queue.is_closed() => self.queue.close(),
                () = &mut end => break,
            }
        }
        tokio::select! {
            () = under_way.by_ref().collect::<()>() => {}
            () = &mut end => {}
        }
        let lost = under_way.len() + self.queue.len();
        if lost > 0 {
            (0..lost).for_each(|_| Outcome::Dropped.count());
            tracing::warn!(target: "mail", lost, "messages were not sent before the end");
        }
    }
}

impl Round {
    /// Comes a moment after `stop`.
    fn end(&self, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        let clock = self.clock.clone();
        async move {
            stop.cancelled().await;
            clock.sleep_until(clock.now().saturating_add(LAST).unwrap_or(Timestamp::MAX)).await;
        }
    }

    async fn deliver(&self, letter: Letter, stop: &CancellationToken) {
        match &self.smtp {
            Some(smtp) => self.post(smtp, &letter, stop).await.count(),
            None => self.log(&letter).count(),
        }
    }

    /// For development: the log is the only way on which the token gets out.
    fn log(&self, letter: &Letter) -> Outcome {
        tracing::info!(
            target: "mail",
            to = letter.to.as_str(),
            subject = letter.about.subject(),
            token = letter.about.token().map(ExposeSecret::expose_secret),
            link = letter.about.link(&self.links),
            "for development: a message is logged, not sent, because users.mail.smtp_url is empty",
        );
        Outcome::Logged
    }

    async fn post(&self, smtp: &Smtp, letter: &Letter, stop: &CancellationToken) -> Outcome {
        let message = match self.write(letter) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(target: "mail", %error, "a message could not be written");
                return Outcome::Failed;
            }
        };
        for pause in PAUSES.into_iter().map(Some).chain([None]) {
            let error = match tokio::time::timeout(TRY_WITHIN, smtp.send(message.clone())).await {
                Ok(Ok(_)) => return Outcome::Sent,
                Ok(Err(error)) if error.is_permanent() => {
                    tracing::warn!(target: "mail", %error, "the mail server refuses a message");
                    return Outcome::Failed;
                }
                Ok(Err(error)) => error.to_string(),
                Err(elapsed) => elapsed.to_string(),
            };
            tracing::warn!(target: "mail", error, again = pause.is_some(), "a message could not be sent");
            let Some(pause) = pause else { break };
            let again = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
            // Told to stop, it tries once more at once: the rest of the pauses is not to be had.
            let _ = stop.run_until_cancelled(self.clock.sleep_until(again)).await;
        }
        Outcome::Failed
    }

    /// The message as it goes over the wire; the same one with every try, so that a server that got
    /// it twice can tell.
    fn write(&self, letter: &Letter) -> Result<Message, Unwritable> {
        let to = Mailbox::new(None, letter.to.as_str().parse()?);
        let id = format!("<{}@{}>", self.ids.fresh::<Uuid>(), self.from.email.domain());
        // RFC 3834 §5: no out-of-office reply to this.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Ok(Message::builder()
            .from(self.from.clone())
            .to(to)
            .date(SystemTime::from(self.clock.now()))
            .message_id(Some(id))
            .subject(letter.about.subject())
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.about.text(&self.links))?)
    }
}

/// A message that cannot be put into words.
#[derive(Debug, thiserror::Error)]
enum Unwritable {
    #[error("the address cannot be written to: {0}")]
    Address(#[from] lettre::address::AddressError),
    #[error(transparent)]
    Message(#[from] lettre::error::Error),
}

/// A letter box that a test empties itself.
#[cfg(test)]
pub(in crate::users) fn letter_box() -> (Mail, mpsc::Receiver<Letter>) {
    let (queue, letters) = mpsc::channel(QUEUE);
    (Mail { queue, delivery: Delivery::Mail }, letters)
}
