//! The connection on which a process listens to Redis: one, whatever the number of topics.
//!
//! A channel is subscribed while somebody in this process listens to it. Whenever the connection was
//! lost the channels are subscribed again, and then all listeners told that they may have missed
//! something: Redis repeats nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike as _, EventInterface as _, PubsubInterface as _};
use fred::types::{Message, Value};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::encoded::Encoded;
use super::topics::{Ear, Topics};
use super::{Heard, metrics};
use crate::kit::redis::{OpenError, Redis};

/// How often the connection is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long a question to Redis may take on it; and a listener's wait until it is subscribed.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two tries at what failed.
const PAUSE: Duration = Duration::from_millis(200);
/// Channels in one command.
const BATCH: usize = 256;

/// The connection on which this process listens.
#[derive(Debug)]
pub struct Line {
    redis: Redis,
    topics: Topics<Encoded>,
    /// The channels that are subscribed.
    subscribed: watch::Sender<HashSet<String>>,
    /// Whether somebody listens to a channel that is not: when all are, everybody has missed something.
    gap: AtomicBool,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Line {
    /// Connects, now or as soon as there is a Redis, and whenever it is back, until
    /// [`close`](Self::close). To be called within a runtime.
    ///
    /// # Errors
    /// [`OpenError`] when TLS is wanted and the certificates of whom to believe can't be read.
    pub fn open(redis: &Redis) -> Result<Arc<Self>, OpenError> {
        let client = redis.subscriber()?;
        let line = Arc::new(Self {
            redis: redis.clone(),
            topics: Topics::followed(),
            subscribed: watch::Sender::default(),
            gap: AtomicBool::new(false),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        let (hearer, keeper) = (Arc::clone(&line), Arc::clone(&line));
        let messages = client.message_rx();
        line.tasks.spawn(async move { hearer.hear(messages).await });
        line.tasks.spawn(async move { keeper.keep(client).await });
        line.tasks.close();
        Ok(line)
    }

    /// Ends the connection: nobody hears anything any more.
    pub async fn close(&self) {
        self.shutdown.cancel();
        self.tasks.wait().await;
    }

    /// The Redis at its other end.
    pub(super) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Listens to `channel`. When this returns it is subscribed, or the first thing to be heard is that
    /// something was missed.
    pub(super) async fn listen(&self, channel: &str) -> Ear<Encoded> {
        let ear = self.topics.listen(channel);
        // During an outage nobody waits for what will take longer than they would.
        if !self.gap.load(Ordering::Acquire) {
            let mut subscribed = self.subscribed.subscribe();
            let heard = timeout(PATIENCE, subscribed.wait_for(|channels| channels.contains(channel))).await;
            if heard.is_ok() {
                return ear;
            }
            self.gap.store(true, Ordering::Release);
        }
        ear.miss();
        ear
    }

    /// Tells those in this process alone.
    pub(super) fn tell_here(&self, channel: &str, message: Encoded) {
        self.topics.tell(channel, &Heard::Message(message));
    }

    /// Hands messages to their listeners.
    async fn hear(&self, mut messages: Receiver<Message>) {
        loop {
            let message = tokio::select! {
                () = self.shutdown.cancelled() => return,
                message = messages.recv() => message,
            };
            match message {
                Ok(message) => {
                    let bytes = message.value.into_bytes().unwrap_or_default();
                    self.tell_here(&message.channel, Encoded::received(bytes));
                }
                Err(RecvError::Lagged(_)) => {
                    metrics::missed("backlog");
                    self.topics.tell_all_missed();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Keeps the connection, and the channels on it as they are listened to.
    async fn keep(&self, client: Client) {
        let mut connections = client.reconnect_rx();
        let mut connecting = client.connect();
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_try = Instant::now();
        let (mut first, mut failing) = (true, false);
        loop {
            let changes = async {
                sleep_until(next_try).await;
                self.topics.changes().await
            };
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                _ = connections.recv() => {
                    if !std::mem::take(&mut first) {
                        self.gap.store(true, Ordering::Release);
                        metrics::reconnected();
                    }
                    self.subscribed.send_modify(HashSet::clear);
                    self.topics.change_all();
                }
                changes = changes => {
                    if let Err(error) = self.follow(&client, changes).await {
                        if !std::mem::replace(&mut failing, true) {
                            tracing::warn!(%error, "channels on Redis are not subscribed; this is tried again");
                        }
                        self.topics.change_all();
                        next_try = Instant::now() + PAUSE;
                        continue;
                    }
                    failing = false;
                    if self.gap.swap(false, Ordering::AcqRel) {
                        metrics::missed("connection");
                        self.topics.tell_all_missed();
                    }
                }
                _ = heartbeat.tick() => {
                    if connecting.is_finished() {
                        // The driver has given up, as it does for errors that it takes for final.
                        connecting = client.connect();
                    } else if client.is_connected() && settled(&client).await.is_err() {
                        let _ = timeout(PATIENCE, client.force_reconnection()).await;
                    }
                }
            }
        }
        let _ = timeout(PATIENCE, client.quit()).await;
        connecting.abort();
    }

    /// Subscribes what came and unsubscribes what went.
    async fn follow(&self, client: &Client, changes: Vec<(String, bool)>) -> Result<(), Error> {
        let (came, went): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, there)| *there);
        let names = |changes: Vec<(String, bool)>, subscribed: bool| {
            let known = self.subscribed.borrow();
            let names = changes.into_iter().map(|(name, _)| name);
            names.filter(|name| known.contains(name) == subscribed).collect::<Vec<_>>()
        };
        for names in names(went, true).chunks(BATCH) {
            self.subscribed.send_modify(|known| known.retain(|name| !names.contains(name)));
            client.unsubscribe(names.to_vec()).await?;
        }
        let names = names(came, false);
        for names in names.chunks(BATCH) {
            client.subscribe(names.to_vec()).await?;
        }
        if !names.is_empty() {
            settled(client).await?;
            self.subscribed.send_modify(|known| known.extend(names));
        }
        Ok(())
    }
}

/// Waits until what was asked before has been done. The driver does not wait for the answer to a
/// subscription, but this question goes to the same server, which answers in turn.
async fn settled(client: &Client) -> Result<(), Error> {
    let asked = timeout(PATIENCE, client.pubsub_numsub::<Value, _>(Vec::<String>::new())).await;
    asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no answer"))).map(drop)
}
