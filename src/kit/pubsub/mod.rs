//! Telling whoever waits that something happened.
//!
//! A [`PubSub`] reaches the listeners in this process ([`memory`]) or in every process on one Redis
//! ([`redis`]). It keeps nothing: a message goes to those who listen when it is published, and to
//! nobody afterwards. What a listener can rely on is this: from the moment at which it has its
//! [`Subscription`], it hears every message or hears [`Heard::Missed`]. Whoever hears that looks where
//! the matter itself is kept, and looks there once more before giving up waiting: messages make waiting
//! short, they are no record.

#[cfg(test)]
mod conformance;
mod encoded;
mod line;
pub mod memory;
pub mod metrics;
pub mod redis;
mod topics;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

pub use line::Line;

use encoded::Encoded;
use topics::Ear;

/// Messages of one kind, by topic.
#[async_trait]
pub trait PubSub<V>: Debug + Send + Sync {
    /// Listens to `topic`, a short name such as an id, until the subscription is dropped. When this
    /// returns the listening has begun, or [`Heard::Missed`] is the first thing to be heard.
    async fn subscribe(&self, topic: &str) -> Subscription<V>;

    /// Gives `message` to all who listen to `topic`. One that can't be delivered is dropped, logged and
    /// counted: there is nothing that its sender could do.
    async fn publish(&self, topic: &str, message: &Arc<V>);
}

/// What there is to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard<M> {
    /// A message.
    Message(M),
    /// There may have been some that did not get here: this listener was too slow, the connection was
    /// lost for a while, or a message was too large or not to be read.
    Missed,
}

/// One listener's end.
#[derive(Debug)]
pub struct Subscription<V>(Ending<V>);

#[derive(Debug)]
enum Ending<V> {
    Plain(Ear<Arc<V>>),
    Encoded(Ear<Encoded>),
}

impl<V: DeserializeOwned> Subscription<V> {
    /// What comes next. Waits as long as it takes: give it a deadline.
    pub async fn next(&mut self) -> Heard<Arc<V>> {
        match &mut self.0 {
            Ending::Plain(ear) => ear.next().await,
            Ending::Encoded(ear) => match ear.next().await {
                Heard::Message(encoded) => {
                    encoded.decode().map_or(Heard::Missed, |message| Heard::Message(Arc::new(message)))
                }
                Heard::Missed => Heard::Missed,
            },
        }
    }
}
