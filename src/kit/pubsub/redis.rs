//! Messages to every process on one Redis.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use deadpool_redis::redis::Cmd;
use serde::Serialize;

use super::encoded::Encoded;
use super::line::Line;
use super::metrics::Published;
use super::{Ending, PubSub, Subscription};

/// Reaches the listeners in all processes; while Redis is away, those in this one.
pub struct RedisPubSub<V> {
    line: Arc<Line>,
    room: &'static str,
    published: Published,
    messages: PhantomData<fn(V)>,
}

impl<V> RedisPubSub<V> {
    /// Messages of `room`, which tells their topics from those of others, heard on `line`.
    pub fn new(line: Arc<Line>, room: &'static str) -> Self {
        Self { line, room, published: Published::of(room), messages: PhantomData }
    }

    fn channel(&self, topic: &str) -> String {
        self.line.redis().key(self.room, topic, "told")
    }
}

#[async_trait]
impl<V: Serialize + Send + Sync + 'static> PubSub<V> for RedisPubSub<V> {
    async fn subscribe(&self, topic: &str) -> Subscription<V> {
        Subscription(Ending::Encoded(self.line.listen(&self.channel(topic)).await))
    }

    async fn publish(&self, topic: &str, message: &Arc<V>) {
        let encoded = match Encoded::of(message.as_ref()) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!(%error, room = self.room, "a message cannot be encoded");
                return self.published.failed.increment(1);
            }
        };
        if encoded.as_bytes().is_empty() {
            self.published.oversized.increment(1);
        }
        let channel = self.channel(topic);
        match self.line.redis().query::<i64>(&Cmd::publish(&channel, encoded.as_bytes())).await {
            Ok(_) => self.published.sent.increment(1),
            Err(error) => {
                tracing::debug!(%error, room = self.room, "a message does not leave this process");
                self.published.failed.increment(1);
                self.line.tell_here(&channel, encoded);
            }
        }
    }
}

impl<V> fmt::Debug for RedisPubSub<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisPubSub").field("room", &self.room).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Heard;
    use super::super::conformance::{Note, conformance, next, note, words};
    use super::*;
    use crate::kit::redis::Redis;
    use crate::kit::redis::stage::{at, cluster, fresh, open, until};
    use crate::servers;

    fn process(redis: &Redis) -> RedisPubSub<Note> {
        RedisPubSub::new(Line::open(redis).unwrap(), "notes")
    }

    conformance!(process(&fresh()));

    /// The next message, whatever was missed before it.
    async fn words_at_last(subscription: &mut Subscription<Note>) -> String {
        loop {
            if let Heard::Message(note) = next(subscription).await {
                return note.words.clone();
            }
        }
    }

    #[tokio::test]
    async fn another_process_hears_it() {
        let redis = fresh();
        let (one, other) = (process(&redis), process(&redis));
        let mut listener = other.subscribe("one").await;
        one.publish("one", &note("hello")).await;
        assert_eq!(words(&mut listener).await, "hello");
    }

    #[tokio::test]
    async fn nothing_stays_subscribed_when_nobody_listens() {
        let redis = fresh();
        let process = process(&redis);
        let mut channels = deadpool_redis::redis::cmd("PUBSUB");
        channels.arg("CHANNELS").arg(format!("{}*", redis.key("notes", "", "").split('{').next().unwrap()));
        let subscribed = async || redis.query::<Vec<String>>(&channels).await.unwrap().len();
        let listeners = futures_util::future::join_all((0..40).map(|number| {
            let process = &process;
            async move { process.subscribe(&number.to_string()).await }
        }))
        .await;
        assert_eq!(subscribed().await, 40);
        drop(listeners);
        until("they are unsubscribed", async || (subscribed().await == 0).then_some(())).await;
    }

    #[tokio::test]
    async fn a_message_that_is_too_large_makes_its_listeners_look() {
        let process = process(&fresh());
        let mut listener = process.subscribe("one").await;
        process.publish("one", &note("x".repeat(100_000))).await;
        assert_eq!(next(&mut listener).await, Heard::Missed);
    }

    #[tokio::test]
    async fn a_message_of_another_version_makes_its_listeners_look() {
        let redis = fresh();
        let process = process(&redis);
        let mut listener = process.subscribe("one").await;
        redis.query::<i64>(&Cmd::publish(process.channel("one"), r#"{"words":1}"#)).await.unwrap();
        assert_eq!(next(&mut listener).await, Heard::Missed);
    }

    #[tokio::test]
    async fn who_listens_while_redis_dies_is_told_when_it_is_back_and_hears_on() {
        let mut server = servers::redis();
        let redis = at(&server);
        let (one, other) = (process(&redis), process(&redis));
        let mut before = one.subscribe("one").await;
        server.kill9();
        let mut during = one.subscribe("two").await;
        assert_eq!(next(&mut during).await, Heard::Missed, "nobody can promise anything now");
        other.publish("one", &note("lost")).await;
        server.start();
        assert_eq!(next(&mut before).await, Heard::Missed);
        assert_eq!(next(&mut during).await, Heard::Missed);
        until("a message gets through", async || redis.ping().await.ok()).await;
        other.publish("one", &note("hello")).await;
        other.publish("two", &note("there")).await;
        assert_eq!(words_at_last(&mut before).await, "hello");
        assert_eq!(words_at_last(&mut during).await, "there");
    }

    #[tokio::test]
    async fn without_redis_those_in_this_process_are_told() {
        let mut server = servers::redis();
        server.kill9();
        let process = process(&at(&server));
        let mut listener = process.subscribe("one").await;
        process.publish("one", &note("hello")).await;
        assert_eq!(words_at_last(&mut listener).await, "hello");
    }

    #[tokio::test]
    async fn a_line_that_opens_without_redis_finds_it_later() {
        let mut server = servers::redis();
        server.kill9();
        let redis = at(&server);
        let process = process(&redis);
        let mut listener = process.subscribe("one").await;
        assert_eq!(next(&mut listener).await, Heard::Missed);
        server.start();
        assert_eq!(next(&mut listener).await, Heard::Missed, "now it is listened to");
        until("there is a Redis", async || redis.ping().await.ok()).await;
        process.publish("one", &note("hello")).await;
        assert_eq!(words_at_last(&mut listener).await, "hello");
    }

    #[tokio::test]
    async fn a_redis_that_hangs_is_listened_to_when_it_goes_on() {
        let server = servers::redis();
        let redis = at(&server);
        let process = process(&redis);
        let mut listener = process.subscribe("one").await;
        server.pause();
        process.publish("one", &note("perhaps")).await;
        assert_eq!(words_at_last(&mut listener).await, "perhaps", "told here");
        server.resume();
        until("there is a Redis", async || redis.ping().await.ok()).await;
        process.publish("one", &note("hello")).await;
        while words_at_last(&mut listener).await != "hello" {}
    }

    #[tokio::test]
    async fn a_line_that_is_closed_leaves_nothing_behind() {
        let server = servers::redis();
        let redis = at(&server);
        let line = Line::open(&redis).unwrap();
        let process = RedisPubSub::<Note>::new(Arc::clone(&line), "notes");
        let _listener = process.subscribe("one").await;
        line.close().await;
        let mut clients = deadpool_redis::redis::cmd("CLIENT");
        clients.arg("LIST").arg("TYPE").arg("pubsub");
        until("the connection is closed", async || {
            redis.query::<String>(&clients).await.unwrap().is_empty().then_some(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_cluster_carries_messages() {
        let (mut node, redis) = cluster();
        let process = process(&redis);
        let mut listener = process.subscribe("one").await;
        process.publish("one", &note("hello")).await;
        assert_eq!(words(&mut listener).await, "hello");
        node.kill9();
        node.start();
        assert_eq!(next(&mut listener).await, Heard::Missed);
        until("there is a Redis", async || redis.ping().await.ok()).await;
        process.publish("one", &note("again")).await;
        assert_eq!(words_at_last(&mut listener).await, "again");
    }

    #[tokio::test]
    async fn messages_come_behind_sentinels() {
        let primary = servers::redis();
        let sentinel = servers::sentinel(primary.port());
        let process = process(&open(&format!("redis-sentinel://127.0.0.1:{}/primary", sentinel.port())));
        let mut listener = process.subscribe("one").await;
        process.publish("one", &note("hello")).await;
        assert_eq!(words(&mut listener).await, "hello");
    }
}
